import { nowBatch, nowReply } from './replies.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
/** Epoch second at which the day begins. */
export const DAY_BEGINS = START / 1000;
const IMAGES_PER_SECOND = 38;

/**
 * A reading of a busy service `second` seconds into a day: a new batch every ten seconds, of which each ends after a minute with failures,
 * so that all that is told changes.
 */
export function busyReading(second: number) {
  const newest = Math.floor(second / 10);
  const batches = Array.from({ length: 8 }, (_, back) => newest - back)
    .filter((number) => number >= 0)
    .map((number) => {
      const done = Math.min(1000, (second - number * 10) * 17);
      const counts = {
        queued: 1000 - done,
        processing: 0,
        completed: done - (done >> 7),
        failed: done >> 7,
        cancelled: 0,
      };
      return nowBatch(number, {
        counts,
        status: done === 1000 ? 'completed' : 'running',
        projectName: `plate ${number}`,
      });
    });
  const finished = Array.from({ length: 60 }, (_, back) => DAY_BEGINS + second - 60 + back)
    .filter((at) => at >= DAY_BEGINS)
    .map((at) => ({ second: at, done: IMAGES_PER_SECOND + (at % 7) }));
  const timestamp = new Date(START + second * 1000).toISOString();
  return nowReply({ timestamp, batches, finished, eventLagMs: second % 97 });
}

/** Makes the clock of a page go `speed` times as fast: an hour of it is over in a part of one. Runs before the page's own scripts. */
export function fastClock(speed: number): void {
  const now = performance.now.bind(performance);
  const later = window.setTimeout.bind(window);
  const often = window.setInterval.bind(window);
  const began = now();
  const wall = Date.now();
  const passed = (): number => (now() - began) * speed;
  performance.now = () => began + passed();
  Date.now = () => wall + passed();
  const sooner =
    (wait: typeof later) =>
    (action: () => void, ms = 0, ...given: []) =>
      wait(action, ms / speed, ...given);
  Object.assign(window, { setTimeout: sooner(later), setInterval: sooner(often as typeof later) });
}
