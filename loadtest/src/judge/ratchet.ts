import type { BudgetUnit, RatchetComparison, RatchetRow, RepeatCounts, ResultFile } from '../contract.ts';
import { queriesOfAnImage } from '../measure/window-queries.ts';
import { middle } from './repeats.ts';

/** One figure that may not grow. `images` null: it does not depend on how many there are. */
export interface RatchetEntry {
  scenario: string;
  images: number | null;
  metric: string;
  value: number;
  reason: string;
  /** ISO date and commit of the run that it was taken from. */
  date: string;
  commit: string;
}
/** `scenarios/ratchet.json`. */
export interface RatchetFile {
  schemaVersion: 1;
  entries: RatchetEntry[];
}

export interface RatchetMetric {
  metric: string;
  name: string;
  unit: BudgetUnit;
  /** Held for each number of images by itself: what a page asks for does not grow with them. */
  byImages: boolean;
  /** From so many images on: with fewer, what a batch costs by itself is all that is seen. */
  leastImages: number;
  /** The largest value that is no growth; why it may be above the recorded one stands beside it. */
  limit: (recorded: number) => number;
  of: (result: CountedRun) => number | null;
  /** Why this run cannot show it, though it was measured. */
  unfit?: (result: CountedRun) => string | undefined;
}
/** What of a result the figures are made of. */
type CountedRun = Pick<ResultFile, 'images' | 'budgets'> & RepeatCounts;

/** Windows with fewer images share so much of their work that one more query for each image is not seen. */
const LEAST_IN_WINDOW = 1.5;

const budgetOf = (result: CountedRun, name: string): number | null =>
  result.budgets.find((budget) => budget.name === name)?.actual ?? null;

/** Why what images share says nothing in this run. */
export const tooSlow = ({ batchEvents, images }: CountedRun): string | undefined =>
  batchEvents && images.count / batchEvents.frames < LEAST_IN_WINDOW
    ? `the machine was too slow: ${(images.count / batchEvents.frames).toFixed(1)} images a window, ${LEAST_IN_WINDOW} are needed`
    : undefined;

export const RATCHET_METRICS: readonly RatchetMetric[] = [
  {
    metric: 'queries_per_image',
    name: 'queries per image, without shared ones',
    unit: 'count',
    byImages: false,
    leastImages: 100,
    // Runs of one program differ by 0.5.
    limit: (recorded) => recorded + 0.5,
    unfit: tooSlow,
    of({ database, batchEvents, images }) {
      const { queries, claims, writes } = database ?? {};
      if (queries === undefined || !claims || !writes || !batchEvents) return null;
      return queriesOfAnImage({ queries, claims, writes, frames: batchEvents.frames }, images.count);
    },
  },
  {
    metric: 'worker_transactions_per_second',
    name: 'transactions of workers a second of the batch',
    unit: 'count',
    byImages: false,
    leastImages: 100,
    // 10 to 19 in sixteen runs at 25 to 45 images/s; two for each image where images share none.
    limit: (recorded) => recorded * 2,
    of: ({ database, batchEvents }) =>
      database?.claims && database.writes && batchEvents && batchEvents.durationMs > 0
        ? (database.claims + database.writes) / (batchEvents.durationMs / 1000)
        : null,
  },
  {
    metric: 'result_bytes_per_image',
    name: 'result bytes on the wire per image',
    unit: 'bytes',
    byImages: true,
    leastImages: 1,
    // 4.09 to 4.45 kB in thirteen equal runs of 100 images: durations in the replies have more or fewer digits, and what a page asks for
    // together depends on when it was told.
    limit: (recorded) => recorded * 1.1,
    of: ({ client, images }) => (images.count > 0 ? client.resultBytesWire / images.count : null),
  },
  {
    metric: 'page_calls',
    name: 'API calls of the page',
    unit: 'count',
    byImages: true,
    leastImages: 1,
    // A slow batch asks for its visible part once more. One call an image is a hundred.
    limit: (recorded) => recorded + 5,
    of: ({ client }) => Object.values(client.apiCalls).reduce((sum, calls) => sum + calls, 0) || null,
  },
  {
    metric: 'event_frames_per_second',
    name: 'event frames a second of the batch',
    unit: 'count',
    byImages: false,
    leastImages: 100,
    // Windows of 100 ms are ten a second; a faster machine fills more of them. Without windows each event has a frame.
    limit: (recorded) => Math.max(recorded, 11),
    of: ({ batchEvents }) =>
      batchEvents && batchEvents.durationMs > 0 ? batchEvents.frames / (batchEvents.durationMs / 1000) : null,
  },
  {
    metric: 'page_bytes',
    name: 'initial script and style',
    unit: 'bytes',
    byImages: false,
    leastImages: 1,
    // A word here and there.
    limit: (recorded) => recorded * 1.02,
    of: (result) => budgetOf(result, 'bundle_gzip_bytes'),
  },
];

export const HOW_TO_ACCEPT = 'npm run compare -- accept --reason "…"';

/**
 * A plain run's counts and bytes against the committed ones. A figure that the file lacks is said; one that was not measured is said
 * too; neither is a pass. Runs of other images, pools or settings are held to nothing, and that is said as well.
 */
export function compareWithRatchet(result: ResultFile, file: RatchetFile): RatchetComparison {
  const other = incomparable(result);
  if (other !== undefined) return { rows: [], notes: [`the ratchet holds nothing here: ${other}`] };
  if (!file.entries.some(({ scenario }) => scenario === result.scenario))
    return { rows: [], notes: [`the ratchet holds nothing of ${result.scenario}: ${HOW_TO_ACCEPT} adds its figures`] };
  const rows = RATCHET_METRICS.map((metric) => rowOf(metric, result, file));
  const open = rows.filter(({ verdict }) => verdict === 'missing' || verdict === 'not-run');
  const grown = rows.filter(({ verdict }) => verdict === 'regression');
  return {
    rows,
    notes: [
      ...open.map(({ name, why }) => `the ratchet does not hold ${name}: ${why}`),
      ...(grown.length > 0 ? [`if this growth is right, commit it with its reason: ${HOW_TO_ACCEPT}`] : []),
    ],
  };
}

/** Why this run is not the one whose figures are committed; undefined when it is. */
export function incomparable(result: ResultFile): string | undefined {
  const { pool, provider } = result.environment.inference;
  const settings = Object.keys(result.settings ?? {});
  if (result.stopped) return 'the run ended early';
  if (result.clientMode !== 'optimized') return `it is the ${result.clientMode} client`;
  if (result.images.source !== 'synthetic') return 'the images are not the scenario’s own';
  if (pool !== 'local' || provider === 'simulated') return `the pool is ${pool}`;
  if (settings.length > 0) return `the service ran with ${settings.join(', ')}`;
  return result.seed === 1 ? undefined : `the seed is ${result.seed}, the committed figures are of seed 1`;
}

export const findEntry = (file: RatchetFile, metric: RatchetMetric, result: ResultFile): RatchetEntry | undefined =>
  file.entries.find(
    (entry) =>
      entry.scenario === result.scenario &&
      entry.metric === metric.metric &&
      entry.images === (metric.byImages ? result.images.count : null),
  );

interface Figure {
  now: number | null;
  values?: number[];
  /** Why no run can show it. */
  unfit?: string | undefined;
}

/**
 * Of several repeats the median of those that can show it. What may not grow is what the program does each time, and limits leave room for
 * how much equal runs differ: the worst of many would cross them by chance. What happens once is held by the budgets, which take the worst.
 */
function figureOf(metric: RatchetMetric, result: ResultFile): Figure {
  const { images, budgets, repeats } = result;
  const counts = repeats?.flatMap((repeat) => repeat.counts ?? []) ?? [];
  if (counts.length === 0) return { now: metric.of(result), unfit: metric.unfit?.(result) };
  const runs = counts.map((one) => ({ images, budgets, ...one }));
  const figures = runs.map(metric.of);
  if (figures.includes(null)) return { now: null };
  const isFit = runs.map((run) => metric.unfit?.(run) === undefined);
  const values = figures.filter((value, at) => value !== null && isFit[at]).map(Number);
  return values.length > 0
    ? { now: middle(values), values }
    : { now: figures[0] ?? null, unfit: metric.unfit?.(runs[0]!) };
}

function rowOf(metric: RatchetMetric, result: ResultFile, file: RatchetFile): RatchetRow {
  const { name, unit, leastImages } = metric;
  const { count } = result.images;
  const { now, values, unfit } = figureOf(metric, result);
  const recorded = findEntry(file, metric, result)?.value ?? null;
  const limit = recorded === null ? null : metric.limit(recorded);
  const row = { metric: metric.metric, name, unit, recorded, limit, now, ...(values && { values }) };
  if (count < leastImages)
    return { ...row, verdict: 'not-run', why: `${count} images are too few, ${leastImages} are needed` };
  if (now === null) return { ...row, verdict: 'not-run', why: 'it was not measured' };
  if (unfit !== undefined) return { ...row, verdict: 'not-run', why: unfit };
  if (recorded === null || limit === null)
    return {
      ...row,
      verdict: 'missing',
      why: `scenarios/ratchet.json has no figure for ${count} images; ${HOW_TO_ACCEPT} adds it`,
    };
  return { ...row, verdict: now > limit ? 'regression' : 'pass', why: '' };
}

/**
 * The file with this run's figures: those that grew past their limit, those that it lacks, and those that fell by as much as they may
 * grow. What only wavered stays as it is, so that it cannot creep.
 */
export function acceptInto(
  file: RatchetFile,
  result: ResultFile,
  given: { reason: string; date: string },
): { file: RatchetFile; changed: RatchetEntry[] } {
  const changed = RATCHET_METRICS.flatMap((metric): RatchetEntry[] => {
    const { now: value, unfit } = figureOf(metric, result);
    if (value === null || result.images.count < metric.leastImages || unfit !== undefined) return [];
    const recorded = findEntry(file, metric, result)?.value;
    const isSame = recorded !== undefined && value <= metric.limit(recorded) && recorded <= metric.limit(value);
    if (isSame) return [];
    const images = metric.byImages ? result.images.count : null;
    const { scenario, tool } = result;
    return [{ scenario, images, metric: metric.metric, value: rounded(value), ...given, commit: tool.commit }];
  });
  const isReplaced = (entry: RatchetEntry): boolean =>
    changed.some(
      ({ scenario, metric, images }) =>
        scenario === entry.scenario && metric === entry.metric && images === entry.images,
    );
  return { file: { ...file, entries: [...file.entries.filter((entry) => !isReplaced(entry)), ...changed] }, changed };
}

/** As many digits as a reader needs to compare. */
const rounded = (value: number): number => Number(value.toPrecision(5));
