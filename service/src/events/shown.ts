import type { EventsFrame, ShownMessage } from '../contract/events.ts';
import type { Traces } from '../traces/traces.ts';
import type { LoggedFrame } from './log.ts';

/** Traced images of one reader that are on their way to its eyes, and the frames they came in, at most; older ones are not recorded. */
const IMAGES_MAX = 1_000;
const FRAMES_MAX = 100;

interface TracedEvent {
  seq: number;
  imageId: string;
  traceparent: string;
}
const parsed = new WeakMap<LoggedFrame, TracedEvent[]>();

/** One frame goes to many readers: it is read once. */
function tracedIn(frame: LoggedFrame): TracedEvent[] {
  const known = parsed.get(frame);
  if (known) return known;
  const events = frame.text.includes('"traceparent"') ? (JSON.parse(frame.text) as EventsFrame).events : [];
  const traced = events.flatMap(({ seq, imageId, traceparent }) =>
    traceparent === undefined ? [] : [{ seq, imageId, traceparent }],
  );
  parsed.set(frame, traced);
  return traced;
}
function readMessage(data: unknown): ShownMessage | null {
  try {
    const message = JSON.parse(String(data)) as Partial<ShownMessage> | null;
    return message?.type === 'shown' && Number.isSafeInteger(message.seq) ? (message as ShownMessage) : null;
  } catch {
    return null;
  }
}

/**
 * The last span of an image's way: from a frame being given to a socket to the page's word that it has shown it. Both are read
 * from this process's clock; the page's own is not asked.
 */
export function createShown(traces: Pick<Traces, 'past'>, now: () => number = Date.now) {
  // of a frame that goes to thousands of readers, each keeps no more than this
  const waiting: { traced: readonly TracedEvent[]; sentMs: number }[] = [];
  let images = 0;
  let sentTo = 0;
  let shownTo = 0;
  const forget = (): void => void (images -= waiting.shift()!.traced.length);
  return {
    sent(frame: LoggedFrame): void {
      sentTo = Math.max(sentTo, frame.to);
      const traced = tracedIn(frame);
      if (traced.length === 0) return;
      waiting.push({ traced, sentMs: now() });
      images += traced.length;
      while (images > IMAGES_MAX || waiting.length > FRAMES_MAX) forget();
    },
    /** What a client says; anything but `shown` is passed over. */
    said(data: unknown): void {
      const message = readMessage(data);
      if (message === null || message.seq <= shownTo) return;
      const endMs = now();
      for (const { traced, sentMs } of waiting)
        for (const { seq, imageId, traceparent } of traced)
          if (seq > shownTo && seq <= message.seq)
            traces.past({
              role: 'api',
              name: 'show in the browser',
              startMs: sentMs,
              endMs,
              parent: traceparent,
              attributes: { 'segbench.image.id': imageId },
            });
      while (waiting.length > 0 && waiting[0]!.traced.at(-1)!.seq <= message.seq) forget();
      // who claims to have seen what was not sent yet is not believed for it
      shownTo = Math.min(message.seq, sentTo);
    },
  };
}
export type Shown = ReturnType<typeof createShown>;
