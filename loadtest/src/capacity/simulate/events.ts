import type { Schedule } from './schedule.ts';
import type { Station } from './station.ts';

/**
 * Sequencer and hub: what was committed within a window after the first change is numbered together in one transaction, then sent by
 * the API.
 */
export function createEvents(
  schedule: Schedule,
  options: {
    windowMs: number;
    apiMs: number;
    transaction: (rows: number, done: () => void) => void;
    deliver: (image: number) => void;
    /** A part that is told of by its name. */
    station: (name: string, servers: number) => Station;
  },
) {
  const { windowMs, apiMs, transaction, deliver } = options;
  const hub = options.station('API', 1);
  let pending: number[] = [];
  let [running, planned] = [false, false];

  function step(): void {
    planned = false;
    running = true;
    const images = pending;
    pending = [];
    transaction(images.length, () => {
      hub.serve(images.length * apiMs, () => images.forEach(deliver));
      running = false;
      if (pending.length > 0) plan();
    });
  }
  function plan(): void {
    if (planned || running) return;
    planned = true;
    schedule.after(windowMs, step);
  }
  return {
    add(image: number): void {
      pending.push(image);
      plan();
    },
  };
}
