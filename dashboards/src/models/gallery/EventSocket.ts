import { signal } from '@preact/signals';
import type { EventsFrame, ServerFrame, ShownMessage, SnapshotFrame } from '#contract/events.ts';
import type { Clock } from '../clock.ts';

/** The part of a WebSocket that is used here; tests bring their own. */
export interface SocketLike {
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}
export interface Cursor {
  epoch: string;
  seq: number;
}
export type ConnectionState = 'connecting' | 'live' | 'quiet' | 'waiting' | 'stopped';

const BACKOFF_MS = { first: 500, longest: 15_000 };
/** The server beats each 15 s: two missed beats and some slack mean that nobody is there. */
const SILENCE_MS = 40_000;
/** One missed beat: nothing is done about it yet, but the page no longer calls itself live. */
const QUIET_MS = 18_000;

export type EventSocket = ReturnType<typeof createEventSocket>;

/**
 * Reads a project's events without a gap: resumes from `(epoch, seq)`, drops what it has seen, reconnects when a number is
 * missing, and asks the owner to read everything anew (`onReset`) when the numbering has changed or cannot be replayed.
 */
export function createEventSocket(options: {
  open: (cursor: Cursor) => SocketLike;
  clock: Clock;
  random: () => number;
  onEvents: (frame: EventsFrame) => void;
  /** What was missed cannot be told; the owner loads the index and calls `start` with its cursor. */
  onReset: (snapshot: SnapshotFrame | null) => void;
  onOpen?: () => void;
  onLost?: () => void;
}) {
  const { open, clock, random, onEvents, onReset } = options;
  const state = signal<ConnectionState>('stopped');
  /** When the last frame arrived, on the clock. */
  const lastFrameAt = signal(0);
  let cursor: Cursor = { epoch: '', seq: 0 };
  let socket: SocketLike | null = null;
  let attempts = 0;
  let gaps = 0;
  let cancelRetry = () => {};
  let cancelSilence = () => {};

  function drop(): void {
    cancelRetry();
    cancelSilence();
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    socket = null;
  }
  function connect(): void {
    drop();
    state.value = 'connecting';
    socket = open(cursor);
    socket.onmessage = ({ data }) => receive(data);
    socket.onclose = retry;
    watchSilence();
  }
  function retry(): void {
    drop();
    state.value = 'waiting';
    options.onLost?.();
    const ceiling = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** attempts++);
    // Half fixed, half random: clients that were cut off together do not return together.
    cancelRetry = clock.after(ceiling / 2 + (random() * ceiling) / 2, connect);
  }
  function watchSilence(): void {
    cancelSilence();
    cancelSilence = clock.after(QUIET_MS, () => {
      if (state.peek() === 'live') state.value = 'quiet';
      cancelSilence = clock.after(SILENCE_MS - QUIET_MS, retry);
    });
  }
  function receive(data: unknown): void {
    if (typeof data !== 'string') return;
    const frame = JSON.parse(data) as ServerFrame;
    lastFrameAt.value = clock.now();
    watchSilence();
    if (state.peek() === 'quiet') state.value = 'live';
    if (frame.type === 'hello') {
      if (frame.epoch !== cursor.epoch || frame.seq < cursor.seq) return reset(null);
      attempts = 0;
      state.value = 'live';
      options.onOpen?.();
    } else if (frame.type === 'snapshot') reset(frame);
    else if (frame.type === 'events') receiveEvents(frame);
  }
  function receiveEvents(frame: EventsFrame): void {
    if (frame.epoch !== cursor.epoch) return reset(null);
    if (frame.from > cursor.seq + 1) {
      // Once may be a lost frame, and a resume brings it; again at the same place means that it is not to be had.
      if (++gaps > 1) return reset(null);
      return connect();
    }
    gaps = 0;
    const fresh = frame.events.filter((event) => event.seq > cursor.seq);
    cursor = { epoch: frame.epoch, seq: Math.max(cursor.seq, frame.to) };
    if (fresh.length > 0 || frame.batches.length > 0) onEvents({ ...frame, events: fresh });
  }
  function reset(snapshot: SnapshotFrame | null): void {
    gaps = 0;
    drop();
    state.value = 'connecting';
    onReset(snapshot);
  }
  return {
    state,
    lastFrameAt,
    get cursor() {
      return cursor;
    },
    start(from: Cursor): void {
      cursor = from;
      connect();
    },
    /** Says that events up to `seq` are on the screen: the last span of those that are traced. */
    shown(seq: number): void {
      if (state.peek() !== 'live') return;
      const message: ShownMessage = { type: 'shown', seq };
      socket?.send(JSON.stringify(message));
    },
    stop(): void {
      drop();
      state.value = 'stopped';
    },
  };
}
