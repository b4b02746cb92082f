import type { Shape } from './shapes.ts';

/** What a plan is asked. */
export interface Question {
  images: number;
  /** All of them are to have ended this long after the first came. */
  deadlineMs: number;
  /**
   * Null: all images are there at the start. Else they come as independent clients send them, evenly spread over the time to the
   * deadline, and of a hundred of them ninety-nine end this soon after they came.
   */
  p99Ms: number | null;
  /** Null: as they were measured. */
  shape: Shape | null;
  /** MAX_BATCH; null: as it was measured. */
  maxBatch: number | null;
  /** BATCH_DELAY_MS. */
  batchDelayMs: number;
  /** Workers that share a machine and a worker process. */
  perMachine: number;
  seed: number;
}

/** Above this no number of workers is tried. */
export const MOST_WORKERS = 4096;
