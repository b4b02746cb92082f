import type { ScoredForecast } from '#contract/forecasts.ts';
import { formatCount, formatDuration, formatMoment } from '../models/format.ts';
import { here } from '../models/root.ts';
import { WORDS } from '../words/forecast.ts';

const W = WORDS.capacity;
const C = W.columns;
const HEADS = [
  [C.when, false],
  [C.project, false],
  [C.images, true],
  [C.workers, true],
  [C.said, true],
  [C.range, true],
  [C.took, true],
  [C.off, true],
  [C.inside, false],
  [C.bytes, true],
] as const;

/** Forecasts beside what happened, newest first. */
export function ForecastTable({ items }: { items: readonly ScoredForecast[] }) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={W.table}>
      <table>
        <thead>
          <tr>
            {HEADS.map(([head, numeric]) => (
              <th key={head} scope="col" class={numeric ? 'numeric' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <Row key={item.batchId} item={item} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ item }: { item: ScoredForecast }) {
  const { forecast, projectId, projectName, createdAt, tookSeconds, inside } = item;
  return (
    <tr data-batch={item.batchId}>
      <td>{formatMoment(createdAt)}</td>
      <td>
        <a href={here(`/projects/${projectId}`)}>{projectName}</a>
      </td>
      <td class="numeric">{formatCount(forecast.images)}</td>
      <td class="numeric">{formatCount(forecast.workers)}</td>
      <td class="numeric">{formatDuration(forecast.seconds)}</td>
      <td class="numeric">{W.range(forecast)}</td>
      <td class="numeric">{formatDuration(tookSeconds)}</td>
      <td class="numeric">{W.off(item)}</td>
      <td>{inside ? W.yes : W.no}</td>
      <td class="numeric">{W.bytes(item)}</td>
    </tr>
  );
}
