import type { BatchState, EventsFrame } from '../contract/events.ts';
import { cutFrames, mergeWindow, type PendingEvent } from './window.ts';

/** Where a project's numbering stands: `seq` is the number of the last event that was sent. */
export interface StreamPosition {
  epoch: string;
  seq: number;
}

/**
 * Turns one window of a project into numbered frames. The batches' states travel in the last frame: counts never run ahead of
 * the events that make them true. A window of batch states only gives one frame with `to === from - 1`.
 * @returns frames in order, and the position after them
 */
export function numberFrames(
  position: StreamPosition,
  pending: readonly PendingEvent[],
  batches: readonly BatchState[],
): { frames: EventsFrame[]; seq: number } {
  const groups = cutFrames(mergeWindow(pending));
  if (groups.length === 0 && batches.length > 0) groups.push([]);
  let { seq } = position;
  const frames = groups.map((group, index): EventsFrame => {
    const from = seq + 1;
    const events = group.map((event) => ({ seq: ++seq, ...event }));
    const isLast = index === groups.length - 1;
    return { type: 'events', epoch: position.epoch, from, to: seq, events, batches: isLast ? [...batches] : [] };
  });
  return { frames, seq };
}

/** The part of a frame after `since`, for a reader that stopped in its middle; null when nothing is left of it. */
export function frameAfter(frame: EventsFrame, since: number): EventsFrame | null {
  if (frame.from > since) return frame;
  const events = frame.events.filter((event) => event.seq > since);
  if (events.length === 0 && frame.batches.length === 0) return null;
  return { ...frame, from: since + 1, to: Math.max(frame.to, since), events };
}

/** One event a frame, for the negative control (`window=0`); the batches' states stay with the last event. */
export function splitFrame(frame: EventsFrame): EventsFrame[] {
  if (frame.events.length <= 1) return [frame];
  return frame.events.map((event, index) => ({
    ...frame,
    from: event.seq,
    to: event.seq,
    events: [event],
    batches: index === frame.events.length - 1 ? frame.batches : [],
  }));
}
