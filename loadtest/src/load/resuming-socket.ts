import { WebSocket } from 'ws';
import { addressOf } from '#contract/client.ts';
import type { ServerFrame } from '#contract/events.ts';
import { createFrameLog, type FrameLog } from '../drivers/ledger-socket.ts';

const AGAIN_MS = 50;

interface Position {
  epoch: string;
  since: number;
}

/** A reader as the contract describes one: whenever its socket ends it comes back with `epoch` and `since`. */
export function openResumingSocket(given: {
  url: string;
  key: string;
  projectId: string;
  /** What it has seen already. */
  at?: Position;
  log?: FrameLog;
  onFrame?: (frame: ServerFrame, atMs: number) => void;
}) {
  const { url, key, projectId, log = createFrameLog(), onFrame } = given;
  const codes: number[] = [];
  let at = given.at ?? null;
  let socket: WebSocket;
  let closing = false;
  let refused = 0;

  function open(): void {
    const query = { projectId, ...(at ? { epoch: at.epoch, since: at.since } : {}) };
    const address = new URL(addressOf('GET /api/events', { query }), url.replace(/^http/, 'ws'));
    socket = new WebSocket(address, { headers: { authorization: `Bearer ${key}` }, perMessageDeflate: false });
    let opened = false;
    socket.on('open', () => {
      opened = true;
      log.connected(at ? String(at.since) : null);
    });
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as ServerFrame;
      const atMs = performance.timeOrigin + performance.now();
      log.add(frame, atMs);
      onFrame?.(frame, atMs);
      if (frame.type === 'hello' || frame.type === 'snapshot') at ??= { epoch: frame.epoch, since: frame.seq };
      if (frame.type === 'snapshot') at = { epoch: frame.epoch, since: frame.seq };
      if (frame.type === 'events') at = { epoch: frame.epoch, since: frame.to };
    });
    socket.on('error', () => {});
    socket.on('close', (code) => {
      if (closing) return;
      if (opened) codes.push(code);
      else refused++;
      setTimeout(open, AGAIN_MS);
    });
  }
  open();
  return {
    log,
    /** How sockets that were open ended. */
    codes: (): readonly number[] => codes,
    refused: () => refused,
    position: () => at,
    /** As when the line breaks. */
    cut: () => socket.terminate(),
    close(): void {
      closing = true;
      socket.close();
    },
  };
}
