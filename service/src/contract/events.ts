import type { BatchCounts, Eta } from './batches.ts';
import type { BatchStatus, FailureCode, ImageStatus } from './common.ts';

/** One image's latest status inside a window; `seq` numbers what is sent, per project, without gaps. */
export interface ImageEvent {
  seq: number;
  imageId: string;
  /** Of two batches of one image the later one's id (UUID v7) sorts later: its status is the image's, whichever event came last. */
  batchId: string | null;
  status: ImageStatus;
  polygonCount?: number;
  code?: FailureCode;
  /** W3C Trace Context of the image's span, in final states of an image that is traced: who shows it may say so (`ShownMessage`). */
  traceparent?: string;
}
export interface BatchState {
  id: string;
  status: BatchStatus;
  /** Why a paused batch paused itself; null when a person did, or when it is not paused. */
  pausedReason: string | null;
  total: number;
  counts: BatchCounts;
  imagesPerSecond: number;
  eta: Eta | null;
}
export interface HelloFrame {
  type: 'hello';
  projectId: string;
  epoch: string;
  seq: number;
}
/** `to - from + 1 === events.length`; a frame without events (batch states only) has `to === from - 1`. */
export interface EventsFrame {
  type: 'events';
  epoch: string;
  from: number;
  to: number;
  events: ImageEvent[];
  batches: BatchState[];
}
/** `since` cannot be replayed: start again from here, and read `/index`. */
export interface SnapshotFrame {
  type: 'snapshot';
  epoch: string;
  seq: number;
  counts: Record<ImageStatus, number>;
  batches: BatchState[];
}
export interface HeartbeatFrame {
  type: 'heartbeat';
}
/** All that a client may say, and need not: events up to `seq` are on its screen. */
export interface ShownMessage {
  type: 'shown';
  seq: number;
}
export type ServerFrame = HelloFrame | EventsFrame | SnapshotFrame | HeartbeatFrame;

export const EVENT_WINDOW_MS = 100;
export const EVENT_WINDOW_MAX = 500;
export const HEARTBEAT_MS = 15_000;
/** WebSocket close codes used by the hub (RFC 6455 section 7.4.1). */
export const CLOSE_GOING_AWAY = 1001;
/** The key or the session that opened the socket has ended. */
export const CLOSE_POLICY = 1008;
export const CLOSE_MESSAGE_TOO_BIG = 1009;
export const CLOSE_TRY_AGAIN_LATER = 1013;
/** The project was deleted; of the range for private use, named after the HTTP status that a new attempt gets. */
export const CLOSE_NOT_FOUND = 4404;
