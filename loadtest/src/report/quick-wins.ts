import type { BudgetName, JudgedBudget, ResultFile } from '../contract.ts';
import { IDLE_SHARE, WAITED_SHARE, gapOf, shareOf, type Advice } from './advice-rules.ts';
import { formatMs, formatValue } from './format.ts';
import { withoutQueue } from './way.ts';

/** The one setting that moves a budget, and which way. */
const LEVERS: Partial<Record<BudgetName, { setting: string; how: string }>> = {
  inference_p95_ms: { setting: 'MAX_BATCH', how: 'lower it, where it is above 1' },
  service_rss_bytes: { setting: 'MAX_UPLOADS', how: 'halve it' },
  worker_rss_bytes: { setting: 'WORKERS', how: 'one less' },
  cache_hit_ratio: { setting: 'CACHE_TTL_SECONDS', how: 'double it' },
  compression_ratio: { setting: 'BROTLI_QUALITY', how: 'one more' },
  overload_p99_ratio: { setting: 'SHED_DELAY_MS', how: 'lower it' },
  overload_goodput_ratio: { setting: 'SHED_DELAY_MS', how: 'raise it' },
};

/** Recommendations that are one setting away. @param targets budgets that failed or are close to it */
export const quickWins = (result: ResultFile, targets: readonly JudgedBudget[]): Advice['quick'] => [
  ...switches(result),
  ...levers(targets),
  ...moreWorkers(result),
  ...shorterWindow(result),
];

function switches({ settings = {}, without = [] }: ResultFile): Advice['quick'] {
  return Object.entries(settings)
    .filter(([, value]) => value === 'off')
    .map(([name]) => {
      const worth = without.find(({ setting }) => setting === `${name}=off`);
      const best = worth?.rows.filter(({ moved, ratio }) => moved && ratio !== null && ratio > 1)[0];
      return {
        setting: `${name}=on`,
        what: 'it was off in this run',
        gain: best
          ? `${best.metric} by ${formatValue(1 - 1 / best.ratio!, 'ratio')} less`
          : 'npm run bench -- --without all measures it',
      };
    });
}

const levers = (targets: readonly JudgedBudget[]): Advice['quick'] =>
  targets.flatMap((budget) => {
    const lever = LEVERS[budget.name];
    return lever
      ? [{ setting: lever.setting, what: `${lever.how}, for ${budget.name}`, gain: `it has ${gapOf(budget)}` }]
      : [];
  });

/** Only where nothing waits for a CPU: another worker would take it from one that has it. */
function moreWorkers({ workers, environment: { cores, psiCpuSome } }: ResultFile): Advice['quick'] {
  if (workers === undefined || workers >= cores || psiCpuSome === null || psiCpuSome >= WAITED_SHARE) return [];
  return [
    {
      setting: `WORKERS=${cores}`,
      what: `${workers} worked on a machine of ${cores} cores that was not busy`,
      gain: `at most ${(cores / workers).toFixed(1)} times the images a second`,
    },
  ];
}

function shorterWindow({ stages }: ResultFile): Advice['quick'] {
  const share = shareOf(withoutQueue(stages), 'publish') ?? 0;
  if (share < IDLE_SHARE) return [];
  return [
    {
      setting: 'EVENT_WINDOW_MS',
      what: `halve it: publish is ${formatValue(share, 'ratio')} of an image’s time after the queue`,
      gain: `up to ${formatMs((stages['publish']?.p50Ms ?? 0) / 2)} sooner, for up to twice the frames`,
    },
  ];
}
