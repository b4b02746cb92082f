import type { Health, Queue } from './Operator.ts';
import type { Polled } from './Poll.ts';

export interface VerdictWords {
  tone: 'good' | 'warn' | 'bad' | 'unknown';
  title: string;
  cause: string;
}
/** Older than this, a reading says nothing about now. */
export const STALE_MS = 5000;

/** One sentence on how the service is, and why: the service's own health first, then what the queue shows. */
export function verdictOf(health: Polled<Health>, queue: Polled<Queue>, now: number): VerdictWords {
  if (health.at === null)
    return { tone: 'unknown', title: 'Not known yet', cause: health.error ?? 'Waiting for the first reading.' };
  if (now - health.at > STALE_MS)
    return { tone: 'bad', title: 'No news', cause: health.error ?? 'The last reading is too old to tell.' };
  if (health.error)
    return { tone: 'warn', title: 'No answer', cause: `${health.error} The numbers are those of the last reading.` };
  const { status, services } = health.value!;
  const ill = Object.entries(services).filter(([, service]) => !isWell(service.status));
  const words = ill.map(([name, service]) => `${name} is ${service.status}`).join('; ');
  if (status === 'unhealthy') return { tone: 'bad', title: 'Unhealthy', cause: words || 'The service says so.' };
  if (status === 'degraded') return { tone: 'warn', title: 'Degraded', cause: words || 'The service says so.' };
  const { value } = queue;
  if (value && value.waiting > 0 && value.workers.length === 0)
    return { tone: 'bad', title: 'Stuck', cause: `${value.waiting} images wait and no worker has reported itself.` };
  const simulated = value?.workers.some(({ provider }) => provider === 'simulated') ? ' Inference is simulated.' : '';
  return { tone: 'good', title: 'Healthy', cause: workWords(value) + simulated };
}

const isWell = (status: string): boolean => ['healthy', 'ok', 'up', 'ready', 'connected'].includes(status);

function workWords(queue: Queue | null): string {
  if (!queue) return 'All services answer.';
  const held = queue.delayed > 0 ? `, ${queue.delayed} held back in paused batches` : '';
  if (queue.active === 0 && queue.waiting === 0) return `All services answer; nothing waits${held}.`;
  return `All services answer; ${queue.active} in work, ${queue.waiting} waiting${held}.`;
}
