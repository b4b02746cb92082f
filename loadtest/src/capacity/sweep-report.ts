import type { ReportPlot, ReportTable } from '../contract.ts';
import type { CapacitySection } from './contract.ts';
import { endsOf } from './rates.ts';
import { bootstrapUsl, fitUsl, LEAST_LEVELS, peakOf, uslAt, type Usl } from './usl.ts';

const ms = (name: string) => ({ name, unit: 'ms' as const });

/** Null where there are too few levels, or they follow no such law. */
function fitOf({ levels }: CapacitySection): Usl | null {
  if (new Set(levels.map(({ workers }) => workers)).size < LEAST_LEVELS) return null;
  try {
    return fitUsl(levels);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A row a level. @param words what a reader must know before all */
export function levelTable(section: CapacitySection, words: string): ReportTable {
  const fit = fitOf(section);
  return {
    title: 'Images a second by workers',
    note: `${words} Rate of the middle of a batch in ten blocks, with a 95 % interval. In the service: images at a time, as counted from outside and by Little’s law. CPU: of all processes of the service, database and queue, an image.`.trim(),
    columns: [
      { name: 'workers', unit: 'count' },
      { name: 'images', unit: 'count' },
      { name: 'images/s', unit: 'count' },
      { name: 'at least', unit: 'count' },
      { name: 'at most', unit: 'count' },
      { name: 'by the law', unit: 'count' },
      { name: 'off', unit: 'ratio' },
      { name: 'in the service', unit: 'count' },
      { name: 'by Little', unit: 'count' },
      ms('wait p95'),
      ms('CPU'),
    ],
    rows: section.levels.map((level) => {
      const law = fit && uslAt(fit, level.workers);
      const cpu = Object.entries(level.cpuMsPerImage).reduce(
        (sum, [role, of]) => (role === 'harness' ? sum : sum + of),
        0,
      );
      return [
        level.workers,
        level.images,
        level.perSecond,
        level.low,
        level.high,
        law,
        law === null ? null : level.perSecond / law - 1,
        level.inService?.counted ?? null,
        level.inService?.byLittle ?? null,
        level.stages['wait']?.p95Ms ?? null,
        cpu,
      ];
    }),
  };
}

export function shapeTable({ shapes, simulated }: CapacitySection): ReportTable {
  const at = (quantiles: readonly number[], q: number) => quantiles[Math.floor(q * quantiles.length)] ?? null;
  return {
    title: 'Executions by shape',
    note: `${simulated ? 'Simulated. ' : ''}With one worker. result.json has the distributions.`,
    columns: [
      { name: 'pixels of a side', unit: 'count' },
      { name: 'cells', unit: 'count' },
      { name: 'images', unit: 'count' },
      ms('mean'),
      ms('p50'),
      ms('p95'),
      ms('p99'),
    ],
    rows: shapes.map(({ width, cells, images, meanMs, quantilesMs }) => [
      width,
      cells,
      images,
      meanMs,
      at(quantilesMs, 0.5),
      at(quantilesMs, 0.95),
      at(quantilesMs, 0.99),
    ]),
  };
}

/** The law with its intervals; none where it cannot be fitted. */
export function lawTables(section: CapacitySection, seed: number): ReportTable[] {
  const fit = fitOf(section);
  if (fit === null) return [];
  const draws = bootstrapUsl(section.levels, seed);
  const row = (name: string, value: number | null, of: (one: Usl) => number) => {
    const { low, high } = endsOf(draws.map(of));
    return [name, value, Number.isFinite(low) ? low : null, high];
  };
  return [
    {
      title: 'Universal Scalability Law',
      note: 'X(n) = λn / (1 + α(n - 1) + βn(n - 1)). α: done one at a time; β: what each pair of workers costs. Intervals of 95 % by 500 bootstraps. The peak is where more workers do less; – where nothing says that there is one.',
      columns: [
        { name: '' },
        { name: 'value', unit: 'count' },
        { name: 'at least', unit: 'count' },
        { name: 'at most', unit: 'count' },
      ],
      rows: [
        row('λ, images/s of one worker', fit.perSecond, ({ perSecond }) => perSecond),
        row('α in thousandths', 1000 * fit.alpha, ({ alpha }) => 1000 * alpha),
        row('β in millionths', 1e6 * fit.beta, ({ beta }) => 1e6 * beta),
        row('peak, workers', peakOf(fit)?.workers ?? null, (one) => peakOf(one)?.workers ?? Infinity),
      ],
    },
  ];
}

export function levelPlots(section: CapacitySection): ReportPlot[] {
  const fit = fitOf(section);
  const most = Math.max(1, ...section.levels.map(({ workers }) => workers));
  return [
    {
      title: section.simulated ? 'Images a second by workers (simulated)' : 'Images a second by workers',
      x: { name: 'workers', unit: 'count' },
      y: { name: 'images a second', unit: 'count' },
      series: [
        { name: 'measured', points: section.levels.map(({ workers, perSecond }) => [workers, perSecond]) },
        {
          name: 'by the law',
          points: fit === null ? [] : Array.from({ length: most }, (_, at) => [at + 1, uslAt(fit, at + 1)]),
        },
      ],
    },
  ];
}
