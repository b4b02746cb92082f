import type { Clock } from '../clock.ts';
import type { FrameScheduler } from './frame-queue.ts';

/** What comes and goes faster than this is not looked at. */
const DWELL_MS = 100;
/** After a rest of this length a change is a look of its own. Longer than a late frame: a slow page that takes each of those for a rest begins work in each, and gets slower. */
const REST_MS = 500;

/**
 * Tells resting from rushing by. `onSettled` gets what is in view: in the next frame where nothing had changed for half a second,
 * as on the first look and after a jump, else once it has rested for 100 ms. While positions come into view quickly nothing is begun for
 * them. `calm` is false then, and after a move by more than a row: what is painted of that waits for `onSettled` too.
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
      const rested = now - changedAt >= REST_MS;
      calm = rows <= 1 && now - changedAt >= DWELL_MS;
      // A page that knows no image yet has had no first look.
      if (positions.length > 0) changedAt = now;
      const change = ++changes;
      cancel?.();
      // On a busy machine a timer may come between two late frames of one long scroll: the next frame knows better.
      const settle = (): number =>
        frames.requestFrame(() => {
          if (change !== changes) return;
          calm = true;
          onSettled(positions);
        });
      cancel = null;
      if (rested) settle();
      else cancel = clock.after(DWELL_MS, settle);
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
