import type { Sql } from 'postgres';
import type { PlotSeries, ReportPlot, ReportTable } from '../contract.ts';
import type { LedgerRow } from '../measure/ledger.ts';

/** One image in one stage, epoch ms. */
export interface StageSpan {
  imageId: string;
  stage: string;
  fromMs: number;
  durationMs: number;
}
export interface MemoryReading {
  atMs: number;
  role: string;
  pid: number;
  rssBytes: number;
}
export interface Story {
  tables: ReportTable[];
  plots: ReportPlot[];
}

/** Points of a line: what a screen shows, and few enough to be kept. */
const BUCKETS = 80;
/** A count of fewer images says what its bucket is, and not how many there were. */
const LEAST_A_BUCKET = 10;
const WORST = 10;
/** Waiting is no work: its line would press all others to the axis. */
const NO_WORK = ['wait'];

export const readStageSpans = (sql: Sql, batchId: string): Promise<StageSpan[]> =>
  sql<StageSpan[]>`
    SELECT image_id AS "imageId", stage, extract(epoch FROM started_at)::float8 * 1000 AS "fromMs",
           duration_ms::float8 AS "durationMs"
    FROM image_stages WHERE batch_id = ${batchId}`.then((rows) => [...rows]);

/** What happened when, and to which images it happened most: of the measured batch, the first of `rows`' items. Pure. */
export function tellStory(
  rows: readonly LedgerRow[],
  spans: readonly StageSpan[],
  memory: readonly MemoryReading[],
): Story {
  const ends = rows.flatMap(({ items: [item] }) => (item?.finishedAtMs ? [item.finishedAtMs] : []));
  const starts = rows.flatMap(({ items: [item] }) => (item?.queuedAtMs ? [item.queuedAtMs] : []));
  if (ends.length === 0 || starts.length === 0) return { tables: [], plots: memoryPlot(memory) };
  const clock = { from: least(starts), to: most(ends) };
  return {
    tables: [worstImages(rows, spans)],
    plots: [throughputPlot(ends, spans, clock), ...memoryPlot(memory)],
  };
}

const least = (values: readonly number[]): number => values.reduce((one, other) => Math.min(one, other), Infinity);
const most = (values: readonly number[]): number => values.reduce((one, other) => Math.max(one, other), -Infinity);

interface Clock {
  from: number;
  to: number;
}
const widthOf = ({ from, to }: Clock): number => Math.max(1, (to - from) / BUCKETS);
const TIME = { name: 'time since the batch began', unit: 'ms' } as const;

/** How fast images ended, and beneath it where the others were at that time. */
function throughputPlot(ends: readonly number[], spans: readonly StageSpan[], clock: Clock): ReportPlot {
  const buckets = Math.max(5, Math.min(BUCKETS, Math.floor(ends.length / LEAST_A_BUCKET)));
  const width = Math.max(1, (clock.to - clock.from) / buckets);
  const counts = Array.from({ length: buckets }, () => 0);
  for (const end of ends) counts[Math.min(buckets - 1, Math.floor((end - clock.from) / width))]!++;
  const stages = stageBands(spans, clock);
  return {
    title: 'Images that ended, a second, and images in each stage',
    note: 'Means over short stretches. In the bands those are left out that wait for a worker.',
    x: TIME,
    y: { name: 'images a second', unit: 'count' },
    series: [
      {
        name: 'images a second',
        points: counts.map((count, at): [number, number] => [(at + 0.5) * width, (count / width) * 1000]),
      },
    ],
    ...(stages.length > 0 ? { bands: { name: 'images in a stage', unit: 'count', series: stages } } : {}),
  };
}

/** How many images were in each stage, on average of a bucket: the sum of these is what was in work. In the order in which stages began. */
function stageBands(spans: readonly StageSpan[], clock: Clock): PlotSeries[] {
  const width = widthOf(clock);
  const byStage = Map.groupBy(
    spans.filter(({ stage }) => !NO_WORK.includes(stage)).toSorted((one, other) => one.fromMs - other.fromMs),
    ({ stage }) => stage,
  );
  return [...byStage].map(([name, all]) => {
    const busy = Array.from({ length: BUCKETS }, () => 0);
    for (const { fromMs, durationMs } of all) {
      const [from, to] = [fromMs - clock.from, fromMs - clock.from + durationMs];
      for (let at = Math.max(0, Math.floor(from / width)); at < BUCKETS && at * width < to; at++)
        busy[at]! += Math.max(0, Math.min(to, (at + 1) * width) - Math.max(from, at * width));
    }
    return { name, points: busy.map((ms, at): [number, number] => [(at + 0.5) * width, ms / width]) };
  });
}

/** Resident memory by role, its processes together, from the first reading of the run. */
function memoryPlot(memory: readonly MemoryReading[]): ReportPlot[] {
  if (memory.length === 0) return [];
  const clock = { from: least(memory.map(({ atMs }) => atMs)), to: most(memory.map(({ atMs }) => atMs)) };
  const width = widthOf(clock);
  const series = [...Map.groupBy(memory, ({ role }) => role)].map(([name, all]) => {
    const buckets = Map.groupBy(all, ({ atMs }) => Math.min(BUCKETS - 1, Math.floor((atMs - clock.from) / width)));
    const points = [...buckets]
      .toSorted(([one], [other]) => one - other)
      .map(([at, readings]): [number, number] => {
        // The last reading of each process in the stretch: several processes add up, several readings of one do not.
        const last = new Map(readings.map(({ pid, rssBytes }) => [pid, rssBytes]));
        return [(at + 0.5) * width, [...last.values()].reduce((sum, bytes) => sum + bytes, 0)];
      });
    return { name, points };
  });
  return [
    {
      title: 'Memory by process',
      note: 'Resident, shared pages counted in each process that has them.',
      x: { name: 'time since the run began', unit: 'ms' },
      y: { name: 'resident', unit: 'bytes' },
      series,
    },
  ];
}

function worstImages(rows: readonly LedgerRow[], spans: readonly StageSpan[]): ReportTable {
  const stages = [...new Set(spans.map(({ stage }) => stage))];
  const byImage = Map.groupBy(spans, ({ imageId }) => imageId);
  const times = rows.flatMap(({ imageId, name, items: [item] }) =>
    item?.queuedAtMs && item.finishedAtMs
      ? [
          {
            imageId,
            name,
            status: item.status ?? '–',
            attempts: item.attempts,
            tookMs: item.finishedAtMs - item.queuedAtMs,
          },
        ]
      : [],
  );
  const worst = times.toSorted((one, other) => other.tookMs - one.tookMs).slice(0, WORST);
  const inStage = (imageId: string, stage: string): number | null => {
    const all = (byImage.get(imageId) ?? []).filter((span) => span.stage === stage);
    return all.length > 0 ? all.reduce((sum, { durationMs }) => sum + durationMs, 0) : null;
  };
  return {
    title: 'The ten images that took longest',
    detail: true,
    note: 'From the queue to the row that says how it ended; last of a batch are often those that waited longest.',
    columns: [
      { name: 'image' },
      { name: 'ended' },
      { name: 'attempts', unit: 'count' },
      { name: 'in all', unit: 'ms' },
      ...stages.map((name) => ({ name, unit: 'ms' as const })),
    ],
    rows: worst.map(({ imageId, name, status, attempts, tookMs }) => [
      name,
      status,
      attempts,
      tookMs,
      ...stages.map((stage) => inStage(imageId, stage)),
    ]),
  };
}
