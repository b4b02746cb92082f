import type { Schedule } from './schedule.ts';

export interface Station {
  /** Served first come, first served; `done` when it is. */
  serve(ms: number, done: () => void): void;
  /** Mean share of its servers that was busy until now. */
  busy(): number;
}

/** What a scheduler lets run before it looks at who waits (Linux: some milliseconds). */
export const SLICE_MS = 3;

/**
 * Servers with one queue before them: a database by its cores, a process by its thread.
 * @param host whose cores all of them share; null: they have their own
 * @param sliceMs who takes longer goes to the end of the queue after this long: so a core is shared by those who want it
 */
export function createStation(
  schedule: Schedule,
  servers: number,
  host: Station | null = null,
  sliceMs = Infinity,
): Station {
  const waiting: { ms: number; done: () => void }[] = [];
  let head = 0;
  let idle = servers;
  let busyMs = 0;

  function start(ms: number, done: () => void): void {
    const now = Math.min(ms, sliceMs);
    idle--;
    busyMs += now;
    const end = (): void => {
      idle++;
      if (ms > now) waiting.push({ ms: ms - now, done });
      next();
      if (ms <= now) done();
    };
    if (host === null) schedule.after(now, end);
    else host.serve(now, end);
  }
  function next(): void {
    if (head >= waiting.length) return;
    const { ms, done } = waiting[head++]!;
    if (head > 1024 && 2 * head > waiting.length) {
      waiting.splice(0, head);
      head = 0;
    }
    start(ms, done);
  }
  return {
    serve(ms, done) {
      if (idle > 0) start(ms, done);
      else waiting.push({ ms, done });
    },
    busy: () => busyMs / Math.max(Number.EPSILON, servers * schedule.now()),
  };
}
