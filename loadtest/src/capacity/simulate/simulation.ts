import type { Shape } from '../shapes.ts';

/** Images of one kind, and their share of all. */
export interface ShapeShare {
  shape: Shape;
  share: number;
}

/** What images pass beside the workers. CPU times are of one image, on the one thread that the part has. */
export interface PipelineParts {
  /** Jobs that may be in Redis at once: QUEUE_WINDOW. */
  queueWindow: number;
  /** Images that a worker process holds for each that it can run: WORKER_CONCURRENCY. */
  concurrency: number;
  relayMs: number;
  redisMs: number;
  consumerMs: number;
  apiMs: number;
  /** Its cores, and CPU time of an image in all of its transactions when each carries as many as it can. */
  database: { cores: number; msPerImage: number };
  eventWindowMs: number;
  /** Cores that all of these share; null: each has its own. */
  hostCores: number | null;
  /** Executions take these cores too, as inference on a CPU does; otherwise workers have devices of their own. */
  workersOnHost?: boolean;
}

export interface SimulationInput {
  seed: number;
  images: number;
  /** All there at the start, or as independent clients send them. */
  arrivals: { kind: 'at once' } | { kind: 'random'; perSecond: number };
  shapes: readonly ShapeShare[];
  workers: number;
  /** Worker processes, which share the workers evenly. */
  machines: number;
  maxBatch: number;
  batchDelayMs: number;
  /** Execution of a batch of one shape. @param luck uniform in [0, 1) */
  executionMs: (images: number, shape: Shape, luck: number) => number;
  /** Null: images go from their arrival straight to the batcher, and are done when they were executed. */
  parts: PipelineParts | null;
}

export interface SimulationOutcome {
  images: number;
  /** From the first arrival to the last event at a reader. */
  tookMs: number;
  perSecond: number;
  /** From arrival to the event at a reader, sorted. */
  staysMs: Float64Array;
  /** When results were written, sorted: the ends by the database's clock. */
  writtenMs: Float64Array;
  /** From arrival to the beginning of the execution: mean, and all of them, sorted. */
  meanWaitMs: number;
  waitsMs: Float64Array;
  /** Mean number of images in all of it: by the area under the count, not by Little's law. */
  meanInside: number;
  meanBatch: number;
  /** Most that were there at once. */
  peaks: { outbox: number; redis: number; held: number };
  /** Mean share of each part that was busy. */
  busy: Record<string, number>;
  /** Images that had arrived and not ended, over time, in at most some two hundred points. */
  backlog: [ms: number, images: number][];
}
