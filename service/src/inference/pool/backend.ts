import type { Batcher } from '../batcher/batcher.ts';
import type { BatchItem } from '../batcher/bucket.ts';

export { InferenceFailure } from '../failure.ts';

/** One image to segment. */
export interface InferenceRequest {
  id: string;
  /** Absolute path. */
  file: string;
  sha256: string;
  /** Sides in pixels as the upload found them: which images may share a batch. Another page may differ, and then runs alone. */
  width: number;
  height: number;
  /** Folder of model.onnx and card.json; a worker loads it when it is first asked for. */
  modelDir: string;
  /** Higher goes first. */
  priority: number;
  threshold: number;
  channel: number | null;
  page: number;
  detectHoles: boolean;
}
/** Milliseconds of each stage, in the process that ran it. */
export interface InferenceStages {
  decodeMs: number;
  normaliseMs: number;
  inferMs: number;
  polygonsMs: number;
  encodeMs: number;
}
export interface InferenceOutput {
  imageWidth: number;
  imageHeight: number;
  /** External polygons, that is cells; holes are not counted. */
  polygonCount: number;
  /** Bytes of `encodePolygons`. */
  polygons: Uint8Array;
  /** Codes, see `warningsOf` in `statistics.ts`. */
  warnings: string[];
  /** By the clock. */
  stages: InferenceStages;
  /** CPU time of the child process, all its threads. */
  cpuStages: InferenceStages;
  /** From the start of decoding to the encoded result, without any queue. */
  executionMs: number;
  /** Wait for a worker, before the execution. */
  queueMs: number;
  /** Images that were executed together, this one among them. */
  batchSize: number;
  /** Wall clock of that execution, all of its images and the way to the worker and back. */
  batchMs: number;
  worker: string;
}

export type BatchStats = ReturnType<Batcher<BatchItem>['stats']>;

export const WORKER_STATES = ['starting', 'idle', 'busy', 'stopped'] as const;
export interface WorkerStats {
  id: string;
  pid: number | null;
  state: (typeof WORKER_STATES)[number];
  /** Total time with a request running. */
  busyMs: number;
  /** Share of the worker's life, 0 to 1. */
  busyRatio: number;
  imagesDone: number;
  restarts: number;
  rssBytes: number;
  lastError: string | null;
}
/** What a batch costs: `fixed + each · images · pixels`, fitted to what was measured at the start. */
export interface Cost {
  fixed: number;
  each: number;
}
export interface PoolStats {
  /** Requests not yet given to a worker. */
  queued: number;
  running: number;
  completed: number;
  failed: number;
  restarts: number;
  /** Executions since the start, and why they went when they went; what was not let in, and what waited too long. */
  batches: BatchStats;
  /** Milliseconds of an execution; null before it was measured. */
  time: Cost | null;
  /** Bytes of one worker; null where memory is not this machine's. */
  memory: Cost | null;
  workers: WorkerStats[];
}
export interface PoolHealth {
  status: 'healthy' | 'degraded' | 'unhealthy';
  ready: number;
  workers: number;
  message: string | null;
}
export interface InferOptions {
  /**
   * Wall clock of the execution, at most the pool's own limit; past it the process is killed. It starts anew when the image
   * is decoded and after each tile, so that it finds what hangs and not what is large.
   */
  deadlineMs: number;
  /** Aborting rejects at once with the signal's reason; a started execution ends unseen, that of a server is cut off. */
  signal?: AbortSignal;
  /** Called when a worker gets it; again where its batch is tried apart. */
  onBegin?: () => void;
}

/**
 * What runs images. `infer` rejects with InferenceFailure only (or the signal's reason); how requests wait, and for how long, is
 * the batcher's matter.
 */
export interface InferenceBackend {
  /**
   * Starts everything; each worker runs empty images of the usual shapes before it is ready, so that the first real one is not
   * slow, and their cost is known. Rejects when a worker cannot load the model or its provider.
   */
  load(): Promise<void>;
  /**
   * Brings all workers to another version of the model, one after the other, while the others go on. Rejects when it does not load,
   * with NotYet where that is no fault of its files.
   */
  reload(modelDir: string): Promise<void>;
  infer(request: InferenceRequest, options: InferOptions): Promise<InferenceOutput>;
  health(): PoolHealth;
  stats(): PoolStats;
  /** Takes nothing new and resolves when the last request is answered. */
  drain(): Promise<void>;
  /** Ends all workers at once; what is left is rejected as CRASHED, retryable. */
  close(): Promise<void>;
}
