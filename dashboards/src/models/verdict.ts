import type { Health, Queue } from './Operator.ts';
import type { Polled } from './Poll.ts';

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
  if (main.at === null)
    return { tone: 'unknown', title: 'Not known yet', cause: main.error ?? 'Waiting for the first reading.' };
  if (now - main.at > STALE_MS)
    return { tone: 'bad', title: 'No news', cause: main.error ?? 'The last reading is too old to tell.' };
  if (main.error)
    return { tone: 'warn', title: 'No answer', cause: `${main.error} The numbers are those of the last reading.` };
  return ofHealth(health.value) ?? ofQueue(queue.value) ?? ofTrouble(trouble) ?? allWell(health, queue.value);
}

function ofHealth(value: Health | null): VerdictWords | null {
  if (value === null || value.status === 'healthy') return null;
  const ill = Object.entries(value.services).filter(([, service]) => !isWell(service.status));
  const cause = ill.map(([name, service]) => `${name} is ${service.status}`).join('; ') || 'The service says so.';
  return value.status === 'unhealthy'
    ? { tone: 'bad', title: 'Unhealthy', cause }
    : { tone: 'warn', title: 'Degraded', cause };
}
function ofQueue(value: Queue | null): VerdictWords | null {
  if (value === null || value.waiting === 0 || value.workers.length > 0) return null;
  return { tone: 'bad', title: 'Stuck', cause: `${value.waiting} images wait and no worker has reported itself.` };
}
function ofTrouble({ over, paused }: Trouble): VerdictWords | null {
  if (paused.length > 0)
    return {
      tone: 'warn',
      title: paused.length === 1 ? 'A batch paused itself' : `${paused.length} batches paused themselves`,
      cause: paused[0]!,
    };
  if (over.length === 0) return null;
  return {
    tone: 'warn',
    title: over.length === 1 ? 'Over a budget' : `Over ${over.length} budgets`,
    cause: `${over.join(', ')}: all services answer, and what they do takes more than it may.`,
  };
}
function allWell(health: Polled<Health>, value: Queue | null): VerdictWords {
  const simulated = value?.workers.some(({ provider }) => provider === 'simulated') ? ' Inference is simulated.' : '';
  const title = health.value === null ? 'Working' : 'Healthy';
  return { tone: 'good', title, cause: workWords(value, health.value !== null) + simulated };
}

const isWell = (status: string): boolean => ['healthy', 'ok', 'up', 'ready', 'connected'].includes(status);

function workWords(queue: Queue | null, healthKnown: boolean): string {
  const answers = healthKnown ? 'All services answer' : 'The service answers';
  if (!queue) return `${answers}.`;
  const held = queue.delayed > 0 ? `, ${queue.delayed} held back in paused batches` : '';
  if (queue.active === 0 && queue.waiting === 0) return `${answers}; nothing waits${held}.`;
  return `${answers}; ${queue.active} in work, ${queue.waiting} waiting${held}.`;
}
