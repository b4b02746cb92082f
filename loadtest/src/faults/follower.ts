import { addressOf } from '#contract/client.ts';
import type { ServerFrame } from '#contract/events.ts';
import { WebSocket } from 'ws';
import { createClientLedger } from './client-ledger.ts';

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;
const HELLO_WITHIN_MS = 5_000;
/** The service sends a heartbeat every 15 s: a line that is silent for longer is dead, whatever TCP says. */
const SILENT_MS = 20_000;

export interface FollowerOptions {
  baseUrl: string;
  key: string;
  projectId: string;
  onFrame?: (frame: ServerFrame, atMs: number) => void;
}

/** Follows a project's events as a client does: whenever the line breaks it comes back, and goes on where it was. */
export function startFollower({ baseUrl, key, projectId, onFrame = () => {} }: FollowerOptions) {
  const ledger = createClientLedger();
  let socket: WebSocket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let waitMs = FIRST_WAIT_MS;
  let away = false;
  let closed = false;
  let connections = 0;
  let dialledAtMs = 0;
  let caughtUpMs: number | null = null;

  function connect(): void {
    const resume = ledger.resume();
    const path = addressOf('GET /api/events', { query: { projectId, ...resume } });
    dialledAtMs = performance.now();
    caughtUpMs = null;
    const opened = new WebSocket(new URL(path, baseUrl.replace(/^http/, 'ws')), {
      headers: { authorization: `Bearer ${key}` },
      perMessageDeflate: false,
      handshakeTimeout: HELLO_WITHIN_MS,
    });
    socket = opened;
    listenWithin(HELLO_WITHIN_MS);
    opened.on('error', () => {});
    opened.on('message', (data: Buffer) => {
      // what still comes of a connection that was left is not read by anyone
      if (socket !== opened) return;
      const frame = JSON.parse(data.toString()) as ServerFrame;
      ledger.add(frame);
      if (frame.type === 'hello') {
        connections++;
        waitMs = FIRST_WAIT_MS;
      }
      if (caughtUpMs === null && ledger.seq() >= ledger.headSeq()) caughtUpMs = performance.now() - dialledAtMs;
      listenWithin(SILENT_MS);
      onFrame(frame, Date.now());
    });
    opened.on('close', () => {
      if (socket !== opened) return;
      socket = undefined;
      clearTimeout(silence);
      if (closed || away) return;
      timer = setTimeout(connect, waitMs);
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
    });
  }
  function listenWithin(ms: number): void {
    clearTimeout(silence);
    silence = setTimeout(() => socket?.terminate(), ms);
  }
  function leave(): void {
    clearTimeout(timer);
    clearTimeout(silence);
    const left = socket;
    socket = undefined;
    left?.terminate();
  }
  connect();
  return {
    ledger,
    connections: (): number => connections,
    /** From dialling to the last event that had been missed, of the latest connection; null before. */
    caughtUpMs: (): number | null => caughtUpMs,
    /** Goes away without a word, and stays away. */
    goAway(): void {
      away = true;
      leave();
    },
    comeBack(): void {
      away = false;
      connect();
    },
    close(): void {
      closed = true;
      leave();
    },
  };
}
export type Follower = ReturnType<typeof startFollower>;
