import { addressOf } from '#contract/client.ts';
import type { Forecasts } from '#contract/forecasts.ts';
import type { ReportTable } from '../contract.ts';

const PERCENT = 100;
const SHOWN = 20;
const share = (value: number): string => `${(value * PERCENT).toFixed(1)} %`;

/** What the service said of its batches before they began, beside what they took: a table, or none where it said nothing. */
export function forecastTables({ items, score }: Forecasts): ReportTable[] {
  if (score === null) return [];
  const longer = `${share(Math.abs(score.bias))} ${score.bias < 0 ? 'shorter' : 'longer'} than said`;
  return [
    {
      title: 'Forecasts and what happened',
      note: `What POST /api/projects/:id/forecast would have said as each batch began. ${score.batches} batches: on the whole ${longer}, median error ${share(score.error)}, ${share(score.coverage)} inside their ranges (95 % is meant). ${items.length > SHOWN ? `The newest ${SHOWN}.` : ''}`.trim(),
      columns: [
        { name: 'images', unit: 'count' },
        { name: 'workers', unit: 'count' },
        { name: 'said', unit: 'ms' },
        { name: 'at least', unit: 'ms' },
        { name: 'at most', unit: 'ms' },
        { name: 'took', unit: 'ms' },
        { name: 'off', unit: 'ratio' },
        { name: 'inside' },
        { name: 'results said', unit: 'bytes' },
        { name: 'got', unit: 'bytes' },
        { name: 'earlier batches', unit: 'count' },
      ],
      rows: items
        .slice(0, SHOWN)
        .map(({ forecast, tookSeconds, inside, gotBytes }) => [
          forecast.images,
          forecast.workers,
          forecast.seconds * 1000,
          forecast.low * 1000,
          forecast.high * 1000,
          tookSeconds * 1000,
          tookSeconds / forecast.seconds - 1,
          inside ? 'yes' : 'no',
          forecast.resultBytes,
          gotBytes,
          forecast.basis.batches,
        ]),
    },
  ];
}

/** Asks a service for them. @throws where it does not answer 200 */
export async function readForecastTables(target: { url: string; key: string }): Promise<ReportTable[]> {
  const response = await fetch(new URL(addressOf('GET /api/forecasts'), target.url), {
    headers: { authorization: `Bearer ${target.key}` },
  });
  if (!response.ok) throw new Error(`GET /api/forecasts answered ${response.status}`);
  return forecastTables((await response.json()) as Forecasts);
}
