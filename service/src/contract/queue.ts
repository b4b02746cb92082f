import { Type, type Static } from 'typebox';
import { Nullable, Timestamp } from './common.ts';

/** One inference process as the operator's page shows it. */
export const WorkerReport = Type.Object({
  id: Type.String(),
  pid: Nullable(Type.Integer()),
  state: Type.String(),
  model: Type.String(),
  provider: Type.String(),
  imagesDone: Type.Integer(),
  lastError: Nullable(Type.String()),
  /** Share of the time since the last report with an image running, 0 to 1. */
  busyRatio: Type.Number(),
  rssBytes: Type.Number(),
  /** Images that one execution may have. */
  slots: Type.Integer(),
  /** Share of these places that had an image since the last report, 0 to 1, over all children of the process; null without an execution. */
  batchFill: Nullable(Type.Number()),
  seenAt: Timestamp,
});
export type WorkerReport = Static<typeof WorkerReport>;

export const QueueReply = Type.Object({
  waiting: Type.Integer(),
  active: Type.Integer(),
  delayed: Type.Integer(),
  failed: Type.Integer(),
  oldestAgeMs: Type.Number(),
  workers: Type.Array(WorkerReport),
});
export type QueueReply = Static<typeof QueueReply>;
