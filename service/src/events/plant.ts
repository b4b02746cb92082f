import { isTerminal } from '../contract/common.ts';
import type { PendingEvent } from './window.ts';

/**
 * Violations planted on purpose (`PLANT`, tests only), so that the delivery budgets can be seen to fail: `drop-event` loses one
 * terminal event, `duplicate-event` sends one twice. Each happens once, before numbers are given: the sequence has no gap.
 * @returns null when nothing is planted
 */
export function createTamper(plant: ReadonlySet<string>): ((events: PendingEvent[]) => PendingEvent[]) | null {
  const todo = new Set(['drop-event', 'duplicate-event'].filter((name) => plant.has(name)));
  if (todo.size === 0) return null;
  return (events) => {
    const at = events.findIndex((event) => isTerminal(event.status));
    if (at < 0) return events;
    if (todo.delete('drop-event')) return events.toSpliced(at, 1);
    return todo.delete('duplicate-event') ? events.toSpliced(at, 0, events[at]!) : events;
  };
}
