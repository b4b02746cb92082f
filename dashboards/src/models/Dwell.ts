import type { Clock } from './clock.ts';

const DWELL_MS = 100;

/**
 * Which visible positions have stayed visible for 100 ms; those that rush by while scrolling cost nothing.
 * `onSettled` gets all positions that have stayed so far, whenever there are more of them.
 */
export function createDwell(options: { clock: Clock; onSettled: (positions: number[]) => void }) {
  const { clock, onSettled } = options;
  const since = new Map<number, number>();
  let cancel: (() => void) | null = null;

  function check(): void {
    cancel = null;
    const now = clock.now();
    const settled: number[] = [];
    let waiting = false;
    for (const [position, start] of since) {
      if (now - start >= DWELL_MS) settled.push(position);
      else waiting = true;
    }
    if (settled.length > 0) onSettled(settled);
    if (waiting) cancel = clock.after(DWELL_MS / 2, check);
  }
  return {
    /** `positions`: everything visible now. */
    show(positions: number[]): void {
      const now = clock.now();
      const visible = new Set(positions);
      for (const position of since.keys()) if (!visible.has(position)) since.delete(position);
      for (const position of positions) if (!since.has(position)) since.set(position, now);
      cancel ??= clock.after(DWELL_MS, check);
    },
    stop: (): void => cancel?.(),
  };
}
