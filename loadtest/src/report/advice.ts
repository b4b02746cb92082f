import type { BudgetName, JudgedBudget, ResultFile } from '../contract.ts';
import { budgetUse, formatActual, formatLimit, formatValue } from './format.ts';

/** A budget of which this share is used up is the next to fail. */
const CLOSE = 0.8;
const MOST = 5;
/** What an image is worked on for, as opposed to waiting. */
const WORK = ['decode', 'normalise', 'infer', 'polygons', 'encode'];
/** Below this share of the bare loop's rate the way around the model is what costs. */
const WAY_SHARE = 0.7;
const WAITED_SHARE = 0.25;

export interface Advice {
  /** Budgets by how far they are from what they should be: failed ones, then those that are close. */
  targets: { name: string; now: string; target: string; gap: string }[];
  /** Stages by their share of the CPU time an image costs. */
  bottlenecks: { stage: string; share: number }[];
  /** What to do, each with what may be expected of it, the largest first. */
  steps: { what: string; gain: string }[];
}

/** Where to look first when a budget does not hold. */
const LEADS: Partial<Record<BudgetName, string>> = {
  ui_settle_ms: 'look at the page’s blocking time and its number of nodes: what is not in sight need not be drawn',
  bulk_calls: 'ask for results of many images at once: POST /api/segmentation/batch/results takes 1,000 ids or a batch',
  toasts: 'let one notice a batch update itself, instead of one for each event',
  result_memory_bytes: 'keep results by id and drop what is out of sight; lod=low has a tenth of the points',
  delivery_missing: 'the ledger names each image: raw/ledger.ndjson',
  delivery_duplicates: 'the ledger names each image: raw/ledger.ndjson',
  api_latency_mean_ms: 'ask GET /api/metrics/endpoints which routes are slow',
  db_query_p95_ms: 'ask GET /api/metrics/slow-queries',
  image_list_p95_ms: 'see that the cache is on (CACHE) and reached: GET /api/metrics/health',
  inference_p95_ms: 'take smaller batches (MAX_BATCH) or a faster provider (npm run doctor -- --gpu)',
  service_rss_bytes: 'take smaller caches and fewer requests at once (MAX_REQUESTS, MAX_UPLOADS)',
  worker_rss_bytes: 'take fewer children (WORKERS) or smaller batches (MAX_BATCH)',
  cache_hit_ratio: 'let entries live longer (CACHE_TTL_SECONDS); see that writes to one project do not end all pages',
  compression_ratio: 'see that COMPRESSION is on and that clients say Accept-Encoding',
  overload_p99_ratio: 'lower SHED_DELAY_MS',
  overload_goodput_ratio: 'raise SHED_DELAY_MS',
};

/**
 * What a reader should do about a run, from its figures alone:
 * 1. each budget that failed: the gap, and where to look; each that is used up to 80 %: watch it;
 * 2. an optimisation that was switched off, with what `--without` measured it to be worth;
 * 3. the stage with the largest share s of an image's CPU time: a tenth less of it saves s/10 (Amdahl 1967);
 * 4. a whole path that does less than 70 % of the bare loop's images a second, and by how much it could rise;
 * 5. a machine on which some task waited for a CPU for a quarter of the time: more of it, or fewer workers.
 */
export function adviceOf(result: ResultFile): Advice {
  const bottlenecks = shares(result);
  return {
    targets: targetsOf(result.budgets),
    bottlenecks,
    steps: [
      ...failures(result.budgets),
      ...switches(result),
      ...heaviest(bottlenecks),
      ...wayAround(result),
      ...waiting(result),
    ].slice(0, MOST),
  };
}

/** Of a share that should be large, what is lacking counts: 95 % by 90 % has half of it left. */
function used(budget: JudgedBudget): number {
  const { unit, operator, actual, limit } = budget;
  const isShare = unit === 'ratio' && operator === '>=' && limit < 1;
  return isShare && actual !== null ? (1 - actual) / (1 - limit) : (budgetUse(budget) ?? 0);
}

function targetsOf(budgets: readonly JudgedBudget[]): Advice['targets'] {
  const failed = budgets.filter(({ verdict }) => verdict === 'fail');
  const close = budgets
    .filter((budget) => budget.verdict === 'pass' && used(budget) >= CLOSE)
    .toSorted((a, b) => used(b) - used(a));
  return [...failed, ...close].map((budget) => ({
    name: budget.name,
    now: formatActual(budget),
    target: formatLimit(budget),
    gap: gapOf(budget),
  }));
}

function gapOf(budget: JudgedBudget): string {
  const { actual, limit, unit, verdict } = budget;
  if (actual === null) return 'not measured';
  const away = formatValue(Math.abs(actual - limit), unit);
  return verdict === 'fail' ? `${away} beyond` : `${away} left`;
}

const failures = (budgets: readonly JudgedBudget[]): Advice['steps'] =>
  budgets
    .filter(({ verdict }) => verdict === 'fail')
    .map((budget) => ({
      what: `${budget.name}: ${LEADS[budget.name] ?? 'see its note, and the report’s tables'}`,
      gain: `${gapOf(budget)} of ${formatLimit(budget)}`,
    }));

function switches({ settings = {}, without = [] }: ResultFile): Advice['steps'] {
  return Object.entries(settings)
    .filter(([, value]) => value === 'off')
    .map(([name]) => {
      const worth = without.find(({ setting }) => setting === `${name}=off`);
      const best = worth?.rows.filter(({ moved, ratio }) => moved && ratio !== null && ratio > 1)[0];
      return {
        what: `set ${name}=on: it was off in this run`,
        gain: best
          ? `${best.metric} by ${formatValue(1 - 1 / best.ratio!, 'ratio')} less`
          : 'npm run bench -- --without all measures it',
      };
    });
}

/** Of the CPU time that an image costs in a worker. */
function shares({ stages }: ResultFile): Advice['bottlenecks'] {
  const spent = WORK.flatMap((stage): [string, number][] => {
    const cpuMs = stages[stage]?.cpuMsPerImage;
    return cpuMs ? [[stage, cpuMs]] : [];
  });
  const total = spent.reduce((sum, [, cpuMs]) => sum + cpuMs, 0);
  return spent.map(([stage, cpuMs]) => ({ stage, share: cpuMs / total })).toSorted((a, b) => b.share - a.share);
}

const HOW: Record<string, string> = {
  decode: 'send images in the size that they are needed in, as PNG or TIFF without strong compression',
  infer: 'a faster provider (npm run doctor -- --gpu), a KServe server, or a smaller model (docs/own-model.md)',
  polygons: 'a higher threshold or fewer holes (detectHoles) make fewer outlines',
};
function heaviest([first]: Advice['bottlenecks']): Advice['steps'] {
  if (first === undefined) return [];
  return [
    {
      what: `${first.stage} is ${formatValue(first.share, 'ratio')} of an image’s CPU time: ${HOW[first.stage] ?? 'profile it'}`,
      gain: `a tenth less of it is ${formatValue(first.share / 10, 'ratio')} less CPU an image`,
    },
  ];
}

function wayAround({
  efficiency: { throughputRatio, imagesPerSecond, rawImagesPerSecond },
}: ResultFile): Advice['steps'] {
  if (throughputRatio === null || throughputRatio >= WAY_SHARE || rawImagesPerSecond === null) return [];
  return [
    {
      what: 'the path around the model costs more than it should: give servers, page and load generator a machine of their own, or look at the stages that only wait',
      gain: `${(imagesPerSecond ?? 0).toFixed(1)} images/s now, ${rawImagesPerSecond.toFixed(1)} at most with these workers`,
    },
  ];
}

function waiting({ environment: { psiCpuSome, cores } }: ResultFile): Advice['steps'] {
  if (psiCpuSome === null || psiCpuSome < WAITED_SHARE) return [];
  return [
    {
      what: `for ${formatValue(psiCpuSome, 'ratio')} of the time some task waited for one of ${cores} cores: more cores, or fewer things beside`,
      gain: 'up to as much less waiting; times become comparable',
    },
  ];
}
