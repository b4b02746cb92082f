import { createPace, refillMs } from '../../../../service/src/batches/relay.ts';
import type { Machine } from './machine.ts';
import type { Schedule } from './schedule.ts';
import type { PipelineParts } from './simulation.ts';
import type { Station } from './station.ts';

/**
 * Outbox, relay and queue: moves jobs by the service's own rules (how many, and when again), and hands them to the worker processes
 * that have room, in turn.
 */
export function createRelay(
  schedule: Schedule,
  options: {
    parts: PipelineParts;
    transaction: (rows: number, done: () => void) => void;
    /** A part that is told of by its name. */
    station: (name: string, servers: number) => Station;
    machines: readonly Machine[];
    /** Images written so far. */
    ended: () => number;
  },
) {
  const { parts, transaction, station, machines } = options;
  const thread = station('relay', 1);
  const redis = station('Redis', 1);
  const pace = createPace();
  const { queueWindow: window } = parts;
  // Images come and go in the order of their numbers: each place is a range of them.
  let [outbox, moved, taken] = [0, 0, 0];
  let [mostOutbox, mostRedis] = [0, 0];
  let [filledAt, running, woken, timer, turn] = [0, false, false, 0, 0];

  function feed(): void {
    // The free machine whose turn it is takes one, until none has room or nothing waits.
    for (let refused = 0; refused < machines.length && taken < moved;) {
      const machine = machines[turn++ % machines.length]!;
      if (machine.room() === 0) {
        refused++;
        continue;
      }
      refused = 0;
      machine.take(taken++);
    }
  }

  function step(): void {
    running = true;
    woken = false;
    const sinceMs = schedule.now() - filledAt;
    filledAt = schedule.now();
    const ahead = Math.min(window, pace.ahead());
    const depth = moved - options.ended();
    const free = Math.min(window - depth, ahead - (moved - taken));
    const jobs = Math.max(0, Math.min(free, outbox - moved));
    pace.observe({ moved: jobs, depth }, sinceMs);
    const after = (): void => {
      running = false;
      plan(woken ? 0 : refillMs(jobs, sinceMs, ahead));
    };
    if (jobs === 0) return after();
    thread.serve(jobs * parts.relayMs, () =>
      redis.serve(jobs * parts.redisMs, () => {
        moved += jobs;
        mostRedis = Math.max(mostRedis, moved - taken);
        feed();
        transaction(jobs, after);
      }),
    );
  }
  function plan(ms: number): void {
    const own = ++timer;
    // Nothing waits and nobody comes: the run is over, and its clock shall stop.
    if (outbox === moved) return;
    schedule.after(ms, () => {
      if (own === timer) step();
    });
  }
  return {
    /** An image with a row in the outbox, told to the relay. */
    add(image: number): void {
      outbox = image + 1;
      mostOutbox = Math.max(mostOutbox, outbox - moved);
      if (woken) return;
      woken = true;
      if (!running) plan(0);
    },
    feed,
    peaks: () => ({ outbox: mostOutbox, redis: mostRedis }),
  };
}
