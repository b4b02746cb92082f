import type { EventsFrame, ShownMessage } from '../contract/events.ts';
import type { Traces } from '../traces/traces.ts';
import type { LoggedFrame } from './log.ts';

/** Traced images of one reader that are on their way to its eyes, at most; what is over is not recorded. */
const WAITING_MAX = 1_000;

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
  let waiting: (TracedEvent & { sentMs: number })[] = [];
  return {
    sent(frame: LoggedFrame): void {
      const traced = tracedIn(frame);
      if (traced.length === 0) return;
      const sentMs = now();
      const room = WAITING_MAX - waiting.length;
      waiting.push(...traced.slice(0, room).map((event) => ({ ...event, sentMs })));
    },
    /** What a client says; anything but `shown` is passed over. */
    said(data: unknown): void {
      const message = readMessage(data);
      if (message === null) return;
      const endMs = now();
      for (const { seq, imageId, traceparent, sentMs } of waiting)
        if (seq <= message.seq)
          traces.past({
            role: 'api',
            name: 'show in the browser',
            startMs: sentMs,
            endMs,
            parent: traceparent,
            attributes: { 'segbench.image.id': imageId },
          });
      waiting = waiting.filter(({ seq }) => seq > message.seq);
    },
  };
}
export type Shown = ReturnType<typeof createShown>;
