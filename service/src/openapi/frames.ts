import { Type, type Static } from 'typebox';
import { BatchCounts, Eta } from '#contract/batches.ts';
import { BATCH_STATUSES, FAILURE_CODE_NAMES, IMAGE_STATUSES, Id, Literals, Nullable } from '#contract/common.ts';
import type * as contract from '#contract/events.ts';

/** The frames of `contract/events.ts` as schemas: for the document, which cannot read interfaces. */
const Seq = Type.Integer({ minimum: 0 });
const ImageEvent = Type.Object({
  seq: Seq,
  imageId: Id,
  batchId: Nullable(Id, {
    description:
      'Each batch of an image tells its own end. The status of the image is that of the batch whose id sorts last, whichever event came last',
  }),
  status: Literals(IMAGE_STATUSES),
  polygonCount: Type.Optional(Type.Integer()),
  code: Type.Optional(Literals(FAILURE_CODE_NAMES)),
  traceparent: Type.Optional(
    Type.String({
      description:
        'W3C Trace Context, in final states of an image that is traced: a client that has shown it may send `{"type": "shown", "seq": SEQ}`',
    }),
  ),
});
const BatchState = Type.Object({
  id: Id,
  status: Literals(BATCH_STATUSES),
  pausedReason: Nullable(Type.String()),
  total: Type.Integer(),
  counts: BatchCounts,
  imagesPerSecond: Type.Number(),
  eta: Nullable(Eta),
});
const HelloFrame = Type.Object({ type: Type.Literal('hello'), projectId: Id, epoch: Type.String(), seq: Seq });
const EventsFrame = Type.Object({
  type: Type.Literal('events'),
  epoch: Type.String(),
  from: Seq,
  to: Seq,
  events: Type.Array(ImageEvent),
  batches: Type.Array(BatchState),
});
const Count = Type.Integer();
const SnapshotFrame = Type.Object({
  type: Type.Literal('snapshot'),
  epoch: Type.String(),
  seq: Seq,
  counts: Type.Object({
    uploaded: Count,
    queued: Count,
    processing: Count,
    completed: Count,
    failed: Count,
    cancelled: Count,
  }),
  batches: Type.Array(BatchState),
});
const HeartbeatFrame = Type.Object({ type: Type.Literal('heartbeat') });

export const FRAMES = { ImageEvent, BatchState, HelloFrame, EventsFrame, SnapshotFrame, HeartbeatFrame } as const;
export const SERVER_FRAME = ['HelloFrame', 'EventsFrame', 'SnapshotFrame', 'HeartbeatFrame'] as const;

type Frame = Static<(typeof FRAMES)[(typeof SERVER_FRAME)[number]]>;
/** Types only: the schemas and the interfaces say the same, in both directions. */
export type FramesAreTheContract = [
  contract.ServerFrame extends Frame ? 1 : never,
  Frame extends contract.ServerFrame ? 1 : never,
];
export const framesAreTheContract: FramesAreTheContract = [1, 1];
