import { InferenceFailure } from '../failure.ts';
import type { InferenceOutput, InferenceRequest, WorkerStats } from './backend.ts';

export const closedFailure = () => new InferenceFailure('CRASHED', 'the inference pool was closed');

export type ExecutedImage = Omit<InferenceOutput, 'queueMs' | 'batchSize' | 'batchMs'>;

/** What one execution of some images took and needed. */
export interface Measured {
  images: number;
  /** Of one image, after padding. */
  pixels: number;
  ms: number;
  /** Most resident memory of the process so far; null where it is not this machine's. */
  peakBytes: number | null;
}

/** One place where images run, a batch at a time: a child process, or something that stands in for one. */
export interface Executor {
  id: string;
  start(): void;
  ready(): boolean;
  idle(): boolean;
  /** It was started in vain too often, and is not counted on. */
  broken(): boolean;
  /**
   * Only when idle. All requests have one `modelDir`.
   * @param limitMs wall clock without a sign of progress
   * @param signal aborted when nobody waits for any of them any more: what can be stopped may be
   * @returns in the order of the requests, each with its own output or failure
   * @throws InferenceFailure when the batch failed as a whole, whoever is to blame
   */
  run(
    requests: readonly InferenceRequest[],
    limitMs: number,
    signal?: AbortSignal,
  ): Promise<(ExecutedImage | InferenceFailure)[]>;
  /** What its usual shapes took before it was ready; empty where nothing is measured. */
  measured(): readonly Measured[];
  /** Ends what holds memory and starts it anew; takes nothing meanwhile. @param modelDir what it starts with from now on */
  recycle(modelDir?: string): Promise<void>;
  close(): Promise<void>;
  stats(): WorkerStats;
}
