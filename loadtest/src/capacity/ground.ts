import type { BytesName } from './assumptions.ts';
import type { Figure } from './figure.ts';
import type { ServiceModel } from './service-time.ts';
import type { Level } from './usl.ts';

/** What every image passes beside the workers, one thread each or the database's machine. */
export const SHARED_STAGES = ['consumer', 'relay', 'api', 'redis', 'postgres'] as const;
export type SharedStage = (typeof SHARED_STAGES)[number];

/** How much of a stage there is, and what its figure is called. */
export const STAGE_WORDS: Readonly<Record<SharedStage, { what: string; role: string }>> = {
  consumer: { what: 'worker process (claims, results, queue), one thread a machine', role: 'worker' },
  relay: { what: 'relay (outbox to queue, numbering of events), one thread', role: 'relay' },
  api: { what: 'API (events to readers, requests), one thread', role: 'api' },
  redis: { what: 'queue’s Redis, one thread', role: 'Redis (queue)' },
  postgres: { what: 'PostgreSQL, all cores of its machine', role: 'PostgreSQL' },
};

/** A step of a sweep as a plan uses it. */
export interface MeasuredLevel extends Level {
  /** Standard deviation of the logarithm of its rate. */
  spread: number;
  /** Share of its CPU time that harness and browser took, where no core was idle; null where one was, or nobody measured it. */
  harnessShare: number | null;
}

/** What a plan stands on: one result file or one profile, read into the same form. */
export interface Ground {
  file: string;
  kind: 'result' | 'profile';
  /** Where and with what it was measured. */
  what: string;
  simulated: boolean;
  /** Why it answers no question of a purchase; null where it does. */
  illustrative: string | null;
  /** What a reader should know of it. */
  notes: string[];
  service: ServiceModel;
  /** Images of a batch on a worker when the levels were measured. */
  maxBatch: number;
  /** Ascending; empty for a profile. */
  levels: readonly MeasuredLevel[];
  levelsSource: string;
  /** CPU time of each image, ms. */
  demands: Readonly<Record<SharedStage, Figure>>;
  /** Bytes of an image as it was measured; what is missing is assumed. */
  bytes: Partial<Record<BytesName, Figure>>;
  /** Of the machine with the servers. */
  cores: number;
}

/** Fewer images than this, or no time at all, is nothing to fit. */
export class TooLittleError extends Error {
  override name = 'TooLittleError';
}
