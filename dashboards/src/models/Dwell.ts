import type { Clock } from './clock.ts';
import type { FrameScheduler } from './frame-queue.ts';

/** What comes and goes faster than this is not looked at. */
const DWELL_MS = 100;

/**
 * Tells resting from rushing by. While other positions come into view quickly, or by more than a row, nothing is begun for them
 * and `calm` is false; after 100 ms without a change `onSettled` gets what is in view.
 */
export function createDwell(options: {
  clock: Clock;
  frames: FrameScheduler;
  onSettled: (positions: number[]) => void;
}) {
  const { clock, frames, onSettled } = options;
  let changedAt = -Infinity;
  let changes = 0;
  let calm = true;
  let cancel: (() => void) | null = null;

  return {
    /** `positions`: everything in view now; `rows`: how far it has moved since the last time. */
    show(positions: number[], rows: number): void {
      const now = clock.now();
      calm = rows <= 1 && now - changedAt >= DWELL_MS;
      changedAt = now;
      const change = ++changes;
      cancel?.();
      cancel = clock.after(DWELL_MS, () => {
        // On a busy machine a timer may come between two late frames of one long scroll: the next frame knows better.
        frames.requestFrame(() => {
          if (change !== changes) return;
          calm = true;
          onSettled(positions);
        });
      });
    },
    /** Whether the latest change was a small one after a rest: then what is at hand may be painted at once. */
    get calm() {
      return calm;
    },
    stop(): void {
      changes++;
      cancel?.();
    },
  };
}
