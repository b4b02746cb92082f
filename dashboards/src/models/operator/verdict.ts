import type { Health, Queue } from './Operator.ts';
import { formatCount } from '../format.ts';
import type { Polled } from '../Poll.ts';
import { WORDS } from '../../words/operator.ts';

const W = WORDS.verdict;

export interface VerdictWords {
  tone: 'good' | 'warn' | 'bad' | 'unknown';
  title: string;
  cause: string;
}
/** What else the page knows: names of budgets that are over, and why batches paused themselves. */
export interface Trouble {
  over: readonly string[];
  paused: readonly string[];
}
/** Older than this, a reading says nothing about now. */
export const STALE_MS = 5000;
const NO_TROUBLE: Trouble = { over: [], paused: [] };

/** One sentence on how the service is, and why: the service's own health first, then what the queue and the budgets show. */
export function verdictOf(
  health: Polled<Health>,
  queue: Polled<Queue>,
  now: number,
  trouble: Trouble = NO_TROUBLE,
): VerdictWords {
  // A key without the scope `metrics` is told nothing of the processes: the queue speaks for itself then.
  const main: Polled<unknown> = health.code === 'FORBIDDEN' && health.at === null ? queue : health;
  if (main.at === null) return { tone: 'unknown', title: W.unknown, cause: main.error ?? W.waiting };
  if (now - main.at > STALE_MS) return { tone: 'bad', title: W.stale, cause: main.error ?? W.tooOld };
  if (main.error) return { tone: 'warn', title: W.unanswered, cause: W.lastReading(main.error) };
  return ofHealth(health.value) ?? ofQueue(queue.value) ?? ofTrouble(trouble) ?? allWell(health, queue.value);
}

function ofHealth(value: Health | null): VerdictWords | null {
  if (value === null || value.status === 'healthy') return null;
  const ill = Object.entries(value.services).filter(([, service]) => !isWell(service.status));
  const cause = ill.map(([name, service]) => W.service(name, service.status)).join('; ') || W.saysSo;
  return value.status === 'unhealthy'
    ? { tone: 'bad', title: W.unhealthy, cause }
    : { tone: 'warn', title: W.degraded, cause };
}
function ofQueue(value: Queue | null): VerdictWords | null {
  if (value === null || value.waiting === 0 || value.workers.length > 0) return null;
  return { tone: 'bad', title: W.stuck, cause: W.noWorker(value.waiting) };
}
function ofTrouble({ over, paused }: Trouble): VerdictWords | null {
  if (paused.length > 0)
    return {
      tone: 'warn',
      title: W.paused(paused.length),
      cause: paused[0]!,
    };
  if (over.length === 0) return null;
  return {
    tone: 'warn',
    title: W.over(over.length),
    cause: W.overCause(over.join(', ')),
  };
}
function allWell(health: Polled<Health>, value: Queue | null): VerdictWords {
  const simulated = value?.workers.some(({ provider }) => provider === 'simulated') ? W.simulated : '';
  const title = health.value === null ? W.working : W.healthy;
  return { tone: 'good', title, cause: workWords(value, health.value !== null) + simulated };
}

const isWell = (status: string): boolean => ['healthy', 'ok', 'up', 'ready', 'connected'].includes(status);

function workWords(queue: Queue | null, healthKnown: boolean): string {
  const answers = healthKnown ? W.allAnswer : W.oneAnswers;
  if (!queue) return `${answers}.`;
  const held = queue.delayed > 0 ? W.held(formatCount(queue.delayed)) : '';
  if (queue.active === 0 && queue.waiting === 0) return W.nothingWaits(answers, held);
  return W.atWork(answers, formatCount(queue.active), formatCount(queue.waiting), held);
}
