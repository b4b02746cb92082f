import { addressOf } from '#contract/client.ts';
import { WebSocket } from 'ws';
import { isTerminal } from '#contract/common.ts';
import type { EventsFrame, ImageEvent, ServerFrame } from '#contract/events.ts';

export interface ArrivedFrame {
  /** Epoch ms, with fractions. */
  atMs: number;
  frame: ServerFrame;
}
export interface ArrivedEvent extends ImageEvent {
  atMs: number;
}

/**
 * Reads frames in order of arrival: events, gaps in the numbering, and terminal events by batch and image. Pure.
 * @param keep false: only gaps and snapshots are counted, for logs of more events than fit
 */
export function createFrameLog({ keep = true } = {}) {
  const frames: ArrivedFrame[] = [];
  const terminal = new Map<string, Map<string, ArrivedEvent[]>>();
  let lastSeq: number | undefined;
  let gaps = 0;
  let snapshots = 0;
  let since: number | undefined;

  function addEvents(frame: EventsFrame, atMs: number): void {
    // A frame that replays or repeats numbers is as wrong as one that skips some.
    if (lastSeq !== undefined && frame.from !== lastSeq + 1) gaps++;
    lastSeq = frame.to;
    frame.events.forEach((event, index) => {
      if (event.seq !== frame.from + index) gaps++;
      if (!keep || !isTerminal(event.status) || event.batchId === null) return;
      const byImage = terminal.get(event.batchId) ?? new Map<string, ArrivedEvent[]>();
      terminal.set(event.batchId, byImage);
      byImage.set(event.imageId, [...(byImage.get(event.imageId) ?? []), { ...event, atMs }]);
    });
  }

  return {
    /** A socket was opened; `fromSeq` is the `since` of its address, when it has one. */
    connected(fromSeq: string | null): void {
      since = fromSeq === null ? undefined : Number(fromSeq);
    },
    add(frame: ServerFrame, atMs: number): void {
      if (keep) frames.push({ frame, atMs });
      // A second connection without a resume that skips numbers is a gap; the first one starts where it says.
      if (frame.type === 'hello') lastSeq ??= since ?? frame.seq;
      else if (frame.type === 'snapshot') {
        snapshots++;
        lastSeq = frame.seq;
      } else if (frame.type === 'events') addEvents(frame, atMs);
    },
    frames: (): readonly ArrivedFrame[] => frames,
    /** Terminal events of a batch, by image, each as often as it came. */
    terminalOf: (batchId: string): ReadonlyMap<string, readonly ArrivedEvent[]> => terminal.get(batchId) ?? new Map(),
    sequenceGaps: () => gaps,
    snapshots: () => snapshots,
    /** Arrival of the last frame that carries an image's event of this batch; undefined when there was none. */
    lastFrameOf(batchId: string): number | undefined {
      return frames.findLast(
        ({ frame }) => frame.type === 'events' && frame.events.some((event) => event.batchId === batchId),
      )?.atMs;
    },
    firstFrameOf(batchId: string): number | undefined {
      return frames.find(
        ({ frame }) => frame.type === 'events' && frame.events.some((event) => event.batchId === batchId),
      )?.atMs;
    },
    /** Frames that carry an image's event of this batch. */
    framesOf: (batchId: string): number =>
      frames.filter(({ frame }) => frame.type === 'events' && frame.events.some((event) => event.batchId === batchId))
        .length,
    /** True once some frame said that the batch has come to its end. */
    isFinished: (batchId: string): boolean =>
      frames.some(
        ({ frame }) =>
          frame.type === 'events' &&
          frame.batches.some(({ id, status }) => id === batchId && (status === 'completed' || status === 'cancelled')),
      ),
  };
}
export type FrameLog = ReturnType<typeof createFrameLog>;

/** When the log's reader was first told of an image's end in a batch. */
export const toldBy =
  (log: FrameLog, batchId: string) =>
  (imageId: string): number | undefined =>
    log.terminalOf(batchId).get(imageId)?.[0]?.atMs;

interface SocketOptions {
  baseUrl: string;
  key: string;
  projectId: string;
  log?: FrameLog;
  onFrame?: (frame: ServerFrame) => void;
}

/**
 * A subscriber of the project's events outside the page, in a process that draws nothing: its stamps say when a frame was
 * there to be read. Resolves after `hello`; refuses after 10 s.
 */
export async function openLedgerSocket(options: SocketOptions) {
  const { baseUrl, key, projectId, log = createFrameLog(), onFrame } = options;
  const url = new URL(addressOf('GET /api/events', { query: { projectId } }), baseUrl.replace(/^http/, 'ws'));
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` }, perMessageDeflate: false });
  let closed: { code: number; reason: string } | undefined;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`event socket: no hello in 10 s from ${url.host}`)), 10_000);
    socket.on('error', reject);
    socket.on('close', (code, reason) => {
      closed = { code, reason: reason.toString() };
      clearTimeout(timer);
      reject(new Error(`event socket closed: ${code} ${reason.toString()}`));
    });
    socket.on('message', (data: Buffer) => {
      const atMs = performance.timeOrigin + performance.now();
      const frame = JSON.parse(data.toString()) as ServerFrame;
      log.add(frame, atMs);
      onFrame?.(frame);
      if (frame.type === 'hello') {
        clearTimeout(timer);
        resolve();
      }
    });
  }).catch((error: unknown) => {
    socket.terminate();
    throw error;
  });
  return { log, closed: () => closed, close: () => socket.close() };
}
export type LedgerSocket = Awaited<ReturnType<typeof openLedgerSocket>>;
