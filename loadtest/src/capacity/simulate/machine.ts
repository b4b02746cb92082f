import { createBatcher } from '../../../../service/src/inference/batcher/batcher.ts';
import type { BatchItem } from '../../../../service/src/inference/batcher/bucket.ts';
import { POOL_DEFAULTS } from '../../../../service/src/inference/pool/pool.ts';
import { createAhead } from '../../../../service/src/roles/ahead.ts';
import type { Random } from '../../images/random.ts';
import type { Shape } from '../shapes.ts';
import { createVirtualMicroBatch } from './micro-batch.ts';
import type { Schedule } from './schedule.ts';
import type { ShapeShare, SimulationInput } from './simulation.ts';
import type { Station } from './station.ts';

/** As in `service/src/roles/worker.ts` and `service/src/batches/write.ts`. */
const CLAIM = { maxItems: 32, waitMs: 5 };
const WRITE = { maxItems: 32, waitMs: 250, shortMs: 5 };

interface Item extends BatchItem {
  image: number;
  shape: Shape;
}

export interface MachineOptions {
  input: Pick<SimulationInput, 'shapes' | 'maxBatch' | 'batchDelayMs' | 'executionMs' | 'parts'>;
  workers: number;
  random: Random;
  transaction: (rows: number, done: () => void) => void;
  /** A part that is told of by its name. */
  station: (name: string, servers: number) => Station;
  name: string;
  /** Its execution begins. */
  started: (image: number) => void;
  /** Its result is written. */
  finished: (image: number) => void;
  /** It can take more from the queue. */
  hasRoom: () => void;
}

/**
 * A worker process: takes from the queue what it may hold, claims in small groups, lets the service's own batcher decide what runs
 * together, and writes results in groups.
 */
export function createMachine(schedule: Schedule, options: MachineOptions) {
  const { input, workers, random, transaction, started, finished } = options;
  const { maxBatch, parts } = input;
  const slots = workers * maxBatch;
  const ahead = createAhead({ slots, most: parts?.concurrency ?? 1 });
  const thread = parts === null ? null : options.station(options.name, 1);
  const cpus = parts?.workersOnHost === true ? options.station(`inference of ${options.name}`, workers) : null;
  const execute = (ms: number, done: () => void): void =>
    cpus === null ? schedule.after(ms, done) : cpus.serve(ms, done);
  const shapeOf = chooser(input.shapes, random);
  const batcher = createBatcher<Item>({
    ...POOL_DEFAULTS,
    maxBatch,
    maxDelayMs: input.batchDelayMs,
    maxQueue: Number.MAX_SAFE_INTEGER,
    predictMs: () => 0,
  });
  let [held, most, unrun, idle, executions, busyMs, wakesAt] = [0, 0, 0, workers, 0, 0, Infinity];

  const claims = createVirtualMicroBatch<number>(schedule, {
    maxItems: CLAIM.maxItems,
    maxWaitMs: () => CLAIM.waitMs,
    run: (images, done) =>
      transaction(images.length, () => {
        for (const image of images) wait(image);
        dispatch();
        done();
      }),
  });
  // new images come when old ones are written: by then each slot has run one, and shall have the next
  const hasWork = (): boolean => unrun > 2 * slots;
  const writer = createVirtualMicroBatch<number>(schedule, {
    maxItems: WRITE.maxItems,
    maxWaitMs: () => (hasWork() ? WRITE.waitMs : WRITE.shortMs),
    run: (images, done) =>
      transaction(images.length, () => {
        held -= images.length;
        for (const image of images) finished(image);
        done();
        options.hasRoom();
      }),
  });

  function wait(image: number): void {
    const shape = shapeOf();
    const sides = { width: shape.side, height: shape.side };
    unrun++;
    batcher.offer({ id: String(image), ...sides, priority: 0, deadline: Infinity, image, shape }, schedule.now());
  }
  /** When what waits for company is looked at again. */
  function wake(at: number): void {
    if (at >= wakesAt) return;
    wakesAt = at;
    schedule.after(at - schedule.now(), () => {
      if (wakesAt === at) wakesAt = Infinity;
      dispatch();
    });
  }
  /** As the service's pool does: an idle worker takes what is due. */
  function dispatch(): void {
    while (idle > 0 && batcher.size() > 0) {
      const batch = batcher.take(schedule.now());
      if (batch === null) return wake(batcher.nextDue(schedule.now()));
      const { items } = batch;
      idle--;
      executions++;
      for (const { image } of items) started(image);
      const ms = input.executionMs(items.length, items[0]!.shape, random());
      busyMs += ms;
      execute(ms, () => {
        idle++;
        unrun -= items.length;
        ahead.observe(ms);
        for (const { image } of items) {
          if (parts === null) finished(image);
          else writer.add(image);
        }
        dispatch();
        if (parts !== null) options.hasRoom();
      });
    }
  }
  return {
    /** Straight to the batcher. */
    offer(image: number): void {
      wait(image);
      dispatch();
    },
    /** How many more jobs it would take from the queue now. */
    room: (): number => Math.max(0, ahead.limit() - held),
    /** A job of the queue. */
    take(image: number): void {
      held++;
      most = Math.max(most, held);
      thread!.serve(parts!.consumerMs, () => claims.add(image));
    },
    held: () => held,
    peak: () => most,
    executions: () => executions,
    busyMs: () => busyMs,
  };
}
export type Machine = ReturnType<typeof createMachine>;

/** Draws shapes by their shares. */
function chooser(shapes: readonly ShapeShare[], random: Random): () => Shape {
  const only = shapes[0]!.shape;
  if (shapes.length === 1) return () => only;
  const total = shapes.reduce((sum, { share }) => sum + share, 0);
  return () => {
    let luck = random() * total;
    for (const { shape, share } of shapes) if ((luck -= share) < 0) return shape;
    return only;
  };
}
