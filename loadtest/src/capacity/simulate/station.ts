import type { Schedule } from './schedule.ts';

export interface Station {
  /** Served first come, first served; `done` when it is. */
  serve(ms: number, done: () => void): void;
  /** Mean share of its servers that was busy until now. */
  busy(): number;
}

/**
 * Servers with one queue before them: a database by its cores, a process by its thread.
 * @param host whose cores all of them share, first come, first served; null: they have their own
 */
export function createStation(schedule: Schedule, servers: number, host: Station | null = null): Station {
  const waiting: { ms: number; done: () => void }[] = [];
  let head = 0;
  let idle = servers;
  let busyMs = 0;

  function start(ms: number, done: () => void): void {
    idle--;
    busyMs += ms;
    const end = (): void => {
      idle++;
      next();
      done();
    };
    if (host === null) schedule.after(ms, end);
    else host.serve(ms, end);
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
