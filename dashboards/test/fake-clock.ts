import type { Clock } from '../src/models/clock.ts';
import type { FrameScheduler } from '../src/models/gallery/frame-queue.ts';

/** A clock that stands still until told; timers run in order of their time. */
export function createFakeClock() {
  let now = 0;
  let nextId = 0;
  const timers = new Map<number, { at: number; action: () => void }>();
  const clock: Clock = {
    now: () => now,
    after(delayMs, action) {
      const id = nextId++;
      timers.set(id, { at: now + delayMs, action });
      return () => timers.delete(id);
    },
  };
  /** Lets `ms` pass; promises that timers start are settled in between. */
  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const due = [...timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1].at);
      due[1].action();
    }
    now = end;
  }
  const frames: FrameScheduler = {
    requestFrame: (action) => {
      const id = nextId++;
      timers.set(id, { at: now + 16, action });
      return id;
    },
    cancelFrame: (id) => timers.delete(id),
    after: (delayMs, action) => clock.after(delayMs, action),
  };
  return { clock, frames, advance, pending: () => timers.size };
}
