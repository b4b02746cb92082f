import type { BudgetName, JudgedBudget, ResultFile } from '../contract.ts';
import {
  IDLE_SHARE,
  WAITED_SHARE,
  bottlenecksOf,
  gapOf,
  needy,
  shareOf,
  targetOf,
  type Advice,
  type Step,
} from './advice-rules.ts';
import { compareAdvice } from './compare-advice.ts';
import { formatLimit, formatMs, formatValue } from './format.ts';
import { quickWins } from './quick-wins.ts';
import { cpuShares, meanOf, timeShares, withoutQueue, type Share } from './way.ts';

const MOST = 6;
/** Below this share of the bare loop's rate the way around the model is what costs. */
const WAY_SHARE = 0.7;
/** From this share of an image's time on the queue is what it spends it with. */
const QUEUED_SHARE = 0.5;

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
 * What a reader should do about a run, from its figures alone. The rules, with their numbers, stand in docs/measuring.md ("What to do"):
 * change both together.
 */
export function adviceOf(result: ResultFile): Advice {
  if (result.compare) return compareAdvice(result.compare, result.stopped);
  const { budgets, stages } = result;
  const targets = needy(budgets);
  return {
    targets: targets.map(targetOf),
    bottlenecks: bottlenecksOf(stages),
    steps: [
      ...unjudged(result),
      ...failures(budgets),
      ...grown(result),
      ...queued(stages),
      ...heaviest(cpuShares(stages)),
      ...idle(stages),
      ...wayAround(result),
      ...waiting(result),
    ].slice(0, MOST),
    quick: quickWins(result, targets),
    nothing: 'Nothing: every budget held with a fifth of it to spare.',
  };
}

const failures = (budgets: readonly JudgedBudget[]): Step[] =>
  budgets
    .filter(({ verdict }) => verdict === 'fail')
    .map((budget) => ({
      what: `${budget.name}: ${LEADS[budget.name] ?? 'see its note, and the report’s tables'}`,
      gain: `${gapOf(budget)} of ${formatLimit(budget)}`,
    }));

/** A run that could not say is no run with nothing to do. */
function unjudged({ budgets, stopped }: ResultFile): Step[] {
  if (stopped) return [{ what: `run it again: it ended early (${stopped.message})`, gain: 'a verdict' }];
  const open = budgets.filter(({ verdict }) => verdict === 'not-run' || verdict === 'inconclusive');
  if (open.length === 0) return [];
  const [first] = open;
  return [
    {
      what: `run it again, alone on the machine: ${open.map(({ name }) => name).join(', ')} could not be judged${first?.note ? ` (${first.note})` : ''}`,
      gain: 'a verdict',
    },
  ];
}

/** Counts and bytes that are above what is committed, or above the baseline's. */
const grown = ({ ratchet, baseline }: ResultFile): Step[] => [
  ...(ratchet?.rows ?? [])
    .filter(({ verdict }) => verdict === 'regression')
    .map(({ name, unit, recorded, now }) => ({
      what: `${name} grew to ${formatValue(now, unit)}: npm run compare -- --against the last commit that was right shows where`,
      gain: `${formatValue(recorded, unit)} again, as committed`,
    })),
  ...(baseline?.rows ?? [])
    .filter(({ verdict }) => verdict === 'regression')
    .map(({ metric, unit, base, now }) => ({
      what: `${metric} is worse than the baseline’s: ${formatValue(now, unit)}`,
      gain: `${formatValue(base, unit)} again`,
    })),
];

function queued(stages: ResultFile['stages']): Step[] {
  const { wait } = stages;
  const share = shareOf(timeShares(stages), 'wait') ?? 0;
  if (!wait || share < QUEUED_SHARE) return [];
  return [
    {
      what: `wait is ${formatValue(share, 'ratio')} of an image’s time: it stands in the queue until a worker is free. More workers, where cores are free for them (WORKERS); npm run plan says how many`,
      gain: `twice the rate halves it: ${formatMs(meanOf(wait) / 2)} less an image`,
    },
  ];
}

const HOW: Record<string, string> = {
  decode: 'send images in the size that they are needed in, as PNG or TIFF without strong compression',
  infer: 'a faster provider (npm run doctor -- --gpu), a KServe server, or a smaller model (docs/own-model.md)',
  polygons: 'a higher threshold or fewer holes (detectHoles) make fewer outlines',
};
function heaviest([first]: readonly Share[]): Step[] {
  if (first === undefined) return [];
  return [
    {
      what: `${first.stage} is ${formatValue(first.share, 'ratio')} of an image’s CPU time: ${HOW[first.stage] ?? 'profile it'}`,
      gain: `a tenth less of it is ${formatValue(first.share / 10, 'ratio')} less CPU an image`,
    },
  ];
}

const HOW_IDLE: Record<string, string> = {
  save: 'results wait for their transaction: see GET /api/metrics/slow-queries, and the disk of PostgreSQL',
  publish: 'ends wait for their event window to close (EVENT_WINDOW_MS)',
};
/** Stages that no CPU works on, of the time after the queue. */
function idle(stages: ResultFile['stages']): Step[] {
  return withoutQueue(stages)
    .filter(({ stage, share }) => share >= IDLE_SHARE && !stages[stage]?.cpuMsPerImage)
    .map(({ stage, share }) => ({
      what: `${stage} is ${formatValue(share, 'ratio')} of an image’s time after the queue, and no CPU works on it: ${HOW_IDLE[stage] ?? 'see what it waits for'}`,
      gain: `at most ${formatMs(meanOf(stages[stage]!))} sooner`,
    }));
}

function wayAround({ efficiency: { throughputRatio, imagesPerSecond, rawImagesPerSecond } }: ResultFile): Step[] {
  if (throughputRatio === null || throughputRatio >= WAY_SHARE || rawImagesPerSecond === null) return [];
  return [
    {
      what: 'the path around the model costs more than it should: give servers, page and load generator a machine of their own, or look at the stages that only wait',
      gain: `${(imagesPerSecond ?? 0).toFixed(1)} images/s now, ${rawImagesPerSecond.toFixed(1)} at most with these workers`,
    },
  ];
}

function waiting({ environment: { psiCpuSome, cores } }: ResultFile): Step[] {
  if (psiCpuSome === null || psiCpuSome < WAITED_SHARE) return [];
  return [
    {
      what: `for ${formatValue(psiCpuSome, 'ratio')} of the time some task waited for one of ${cores} cores: more cores, or fewer things beside`,
      gain: 'up to as much less waiting; times become comparable',
    },
  ];
}
