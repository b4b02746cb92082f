import { Type, type Static } from 'typebox';
import { Forecast } from './forecasts.ts';
import { BATCH_STATUSES, FAILURE_CODE_NAMES, Id, Literals, Nullable, Timestamp, closed } from './common.ts';

export const BatchCounts = Type.Object({
  queued: Type.Integer(),
  processing: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer(),
  cancelled: Type.Integer(),
});
export type BatchCounts = Static<typeof BatchCounts>;

/** Seconds left; `low` and `high` bound the estimate from the observed spread of the rate. */
export const Eta = Type.Object({ seconds: Type.Number(), low: Type.Number(), high: Type.Number() });
export type Eta = Static<typeof Eta>;

export const Batch = Type.Object({
  id: Id,
  projectId: Id,
  status: Literals(BATCH_STATUSES),
  /** Why a paused batch paused itself; null when a person did, or when it is not paused. */
  pausedReason: Nullable(Type.String()),
  model: Type.String(),
  modelVersion: Type.String(),
  threshold: Type.Number(),
  priority: Type.Integer(),
  total: Type.Integer(),
  counts: BatchCounts,
  /** Of the completed: answered by stored results of equal bytes, model and parameters, without an inference. */
  reused: Type.Integer(),
  imagesPerSecond: Type.Number(),
  eta: Nullable(Eta),
  retryOf: Nullable(Id),
  /** What was said before it began; null where nothing was known, and for a retry. */
  forecast: Nullable(Forecast),
  createdAt: Timestamp,
  startedAt: Nullable(Timestamp),
  finishedAt: Nullable(Timestamp),
});
export type Batch = Static<typeof Batch>;

export const BatchBody = Type.Object(
  {
    imageIds: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 10_000 })),
    all: Type.Optional(Type.Literal(true)),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    threshold: Type.Optional(Type.Number({ minimum: 0.1, maximum: 0.9 })),
    channel: Type.Optional(Type.Integer({ minimum: 0, maximum: 63 })),
    page: Type.Optional(Type.Integer({ minimum: 0, maximum: 9_999 })),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
    force: Type.Optional(Type.Boolean()),
    detectHoles: Type.Optional(Type.Boolean()),
    /** Told of the batch's end; its origin must be one of the server's `WEBHOOK_ORIGINS`. */
    webhook: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_000,
        description: 'Address that is told of the end of the batch; its origin must be allowed (`WEBHOOK_ORIGINS`)',
      }),
    ),
  },
  closed,
);
export type BatchBody = Static<typeof BatchBody>;

export const RetryBody = Type.Object(
  { only: Type.Literal('failed'), code: Type.Optional(Literals(FAILURE_CODE_NAMES)) },
  closed,
);

export const FailureGroup = Type.Object({
  code: Literals(FAILURE_CODE_NAMES),
  retryable: Type.Boolean(),
  count: Type.Integer(),
  first: Timestamp,
  last: Timestamp,
  sampleImageIds: Type.Array(Id),
  sampleMessage: Type.String(),
  /** The newest retry that has what failed first of these; null where nobody tried them again. */
  retryId: Nullable(Id),
});
export const Failures = Type.Object({ batchId: Id, total: Type.Integer(), groups: Type.Array(FailureGroup) });
export type Failures = Static<typeof Failures>;
