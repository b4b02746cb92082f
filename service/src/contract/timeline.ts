import { Type, type Static } from 'typebox';
import { FAILURE_CODE_NAMES, Id, IMAGE_STATUSES, Literals, Nullable, Timestamp } from './common.ts';

export const Stage = Type.Object({
  stage: Type.String(),
  startedAt: Timestamp,
  durationMs: Type.Number(),
  batchId: Nullable(Id),
  attempt: Type.Integer(),
  worker: Nullable(Type.String()),
  /** Why this attempt ended here; null when it did not fail. */
  cause: Nullable(Type.String()),
});
/** One time that the image was part of a batch. */
export const Attempt = Type.Object({
  batchId: Id,
  status: Literals(IMAGE_STATUSES),
  generation: Type.Integer(),
  attempts: Type.Integer(),
  crashes: Type.Integer(),
  worker: Nullable(Type.String()),
  queuedAt: Timestamp,
  startedAt: Nullable(Timestamp),
  finishedAt: Nullable(Timestamp),
  errorCode: Nullable(Literals(FAILURE_CODE_NAMES)),
  errorMessage: Nullable(Type.String()),
});
export const Timeline = Type.Object({
  imageId: Id,
  status: Literals(IMAGE_STATUSES),
  createdAt: Timestamp,
  batches: Type.Array(Attempt),
  stages: Type.Array(Stage),
});
export type Timeline = Static<typeof Timeline>;
