import { isTerminal, type FailureCode, type ImageStatus } from '../contract/common.ts';
import { EVENT_WINDOW_MAX, type ImageEvent } from '../contract/events.ts';

/** A committed change that has no number yet. */
export type PendingEvent = Omit<ImageEvent, 'seq'>;

/** A row of `event_outbox` as read by the sequencer. */
export interface OutboxRow {
  imageId: string;
  batchId: string | null;
  status: ImageStatus;
  polygonCount: number | null;
  code: FailureCode | null;
  /** Of the image's span, where it is traced. */
  traceparent?: string | undefined;
}

export function toPendingEvent(row: OutboxRow): PendingEvent {
  return {
    imageId: row.imageId,
    batchId: row.batchId,
    status: row.status,
    ...(row.polygonCount === null ? {} : { polygonCount: row.polygonCount }),
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.traceparent === undefined ? {} : { traceparent: row.traceparent }),
  };
}

/**
 * Merges the changes of one window: the last write of an image wins, but a terminal state is never dropped or merged away
 * (an image that ends in two batches ends twice). What is kept stays in the order in which it came.
 */
export function mergeWindow(events: readonly PendingEvent[]): PendingEvent[] {
  const last = new Map(events.map((event, index) => [event.imageId, index]));
  return events.filter((event, index) => isTerminal(event.status) || last.get(event.imageId) === index);
}

/** Cuts merged events into frames of at most `max`. */
export function cutFrames<T>(events: readonly T[], max: number = EVENT_WINDOW_MAX): T[][] {
  const frames: T[][] = [];
  for (let start = 0; start < events.length; start += max) frames.push(events.slice(start, start + max));
  return frames;
}
