import type { EventsFrame, ServerFrame, SnapshotFrame } from '../contract/events.ts';
import type { LoggedFrame } from './log.ts';
import { frameAfter, splitFrame } from './numbering.ts';
import type { Shown } from './shown.ts';

/** What the hub needs of a `ws` socket. */
export interface HubSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  on(event: 'close' | 'pong' | 'error', listener: () => void): unknown;
}
export interface HubClient {
  /** The last frame that was handed to this reader. */
  frameNo: number;
  /** False once the socket is closing: nothing is sent any more. */
  open(): boolean;
  bufferedBytes(): number;
  send(frame: ServerFrame): void;
  deliver(frame: LoggedFrame): void;
  /** Begins anew after frame `frameNo`: numbers that the reader had before count no more. */
  restart(snapshot: SnapshotFrame, frameNo: number): void;
  close(code: number, reason: string): void;
  /** Sends a ping; false when the last one is still unanswered. */
  probe(): boolean;
}

/**
 * One reader. It never buffers by itself: what a socket does not take stays in the event log.
 * @param unbatched one event a frame (`window=0`)
 * @param since events up to this number are known to the reader; the first replayed frame may overlap
 */
export function createClient(
  socket: HubSocket,
  options: { unbatched: boolean; since: number | null; shown?: Pick<Shown, 'sent'> | null },
): HubClient {
  let closing = false;
  let answered = true;
  let since = options.since;
  socket.on('close', () => (closing = true));
  socket.on('error', () => (closing = true));
  socket.on('pong', () => (answered = true));

  const open = () => !closing && socket.readyState === socket.OPEN;
  const client: HubClient = {
    frameNo: 0,
    open,
    bufferedBytes: () => socket.bufferedAmount,
    send(frame) {
      if (open()) socket.send(JSON.stringify(frame));
    },
    deliver(logged) {
      client.frameNo = logged.frameNo;
      options.shown?.sent(logged);
      const overlaps = since !== null && logged.from <= since;
      if (!options.unbatched && !overlaps) {
        if (open()) socket.send(logged.text);
      } else {
        const frame = JSON.parse(logged.text) as EventsFrame;
        const rest = overlaps ? frameAfter(frame, since!) : frame;
        for (const part of rest === null ? [] : options.unbatched ? splitFrame(rest) : [rest]) client.send(part);
      }
      if (since !== null && logged.to >= since) since = null;
    },
    restart(snapshot, frameNo) {
      since = null;
      client.send(snapshot);
      client.frameNo = frameNo;
    },
    close(code, reason) {
      if (open()) socket.close(code, reason);
      closing = true;
    },
    probe() {
      if (!open()) return true;
      if (!answered) return false;
      answered = false;
      socket.ping();
      return true;
    },
  };
  return client;
}
