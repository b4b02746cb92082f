import type { Clock } from './clock.ts';

/** What comes and goes faster than this is not looked at. */
export const DWELL_MS = 100;

/**
 * Tells resting from rushing by. While other positions come into view more often than each 100 ms, nothing is begun for them
 * and `calm` is false; after 100 ms without a change `onSettled` gets what is in view.
 */
export function createDwell(options: { clock: Clock; onSettled: (positions: number[]) => void }) {
  const { clock, onSettled } = options;
  let changedAt = -Infinity;
  let calm = true;
  let cancel: (() => void) | null = null;

  return {
    /** `positions`: everything in view now. */
    show(positions: number[]): void {
      const now = clock.now();
      calm = now - changedAt >= DWELL_MS;
      changedAt = now;
      cancel?.();
      cancel = clock.after(DWELL_MS, () => {
        cancel = null;
        calm = true;
        onSettled(positions);
      });
    },
    /** Whether the latest change came after a rest: then what is at hand may be painted at once. */
    get calm() {
      return calm;
    },
    stop: (): void => cancel?.(),
  };
}
