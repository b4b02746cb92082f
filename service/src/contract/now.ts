import { Type, type Static } from 'typebox';
import { Batch } from './batches.ts';
import { Nullable, Timestamp } from './common.ts';
import { QueueReply } from './queue.ts';

const n = Type.Number();

export const NowBatch = Type.Object({ ...Batch.properties, projectName: Type.String() });
export type NowBatch = Static<typeof NowBatch>;

/** Of the images that ended in the last seconds, `images` of them: means, but for the 95th percentile of the run. */
export const NowStages = Type.Object({
  images: Type.Integer(),
  /** From being queued to the start of the run. */
  waitMs: n,
  /** From decoding to the encoded outlines. */
  runMs: n,
  runP95Ms: n,
  /** From the end of the run until the result is stored and its event is numbered. */
  publishMs: n,
});

/** What an operator's page asks for each second: one moment, from one request. */
export const NowReply = Type.Object({
  timestamp: Timestamp,
  queue: QueueReply,
  /** Images that workers finished in each whole second of the last minute, oldest first; seconds without any are left out. */
  finished: Type.Array(Type.Object({ second: Type.Integer(), done: Type.Integer() })),
  /** Null where no image ended. */
  stages: Nullable(NowStages),
  /** The longest that an event of the last seconds waited to be numbered, or waits now. */
  eventLagMs: n,
  /** How many batches are open; `batches` has the first of them. */
  openBatches: Type.Integer(),
  /** Open ones, oldest first, then those that ended, of the last day, newest first. */
  batches: Type.Array(NowBatch),
});
export type NowReply = Static<typeof NowReply>;
