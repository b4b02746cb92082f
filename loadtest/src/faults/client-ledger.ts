import { isTerminal } from '#contract/common.ts';
import type { ServerFrame } from '#contract/events.ts';

/** What a client knows at the end, from events alone. */
export interface ClientView {
  /** Numbers that were skipped or came twice. */
  gaps: string[];
  /** Epochs seen, snapshots got: each means that the numbering could not go on. */
  epochs: string[];
  snapshots: number;
  /** Status of every image by its last event; of two batches the later one's counts. */
  last: Map<string, { status: string; batchId: string | null }>;
  /** Terminal events by `batch/image`. */
  terminal: Map<string, number>;
  frames: number;
}

/**
 * Keeps what one client was sent, over any number of connections: it goes on with the epoch and the number that it had.
 * A frame that was cut off in the middle never arrived, so a resumed connection must bring exactly what follows. Pure.
 */
export function createClientLedger() {
  const view: ClientView = {
    gaps: [],
    epochs: [],
    snapshots: 0,
    last: new Map(),
    terminal: new Map(),
    frames: 0,
  };
  let seq: number | undefined;
  let headSeq = 0;

  function applyEvent(event: { imageId: string; batchId: string | null; status: string }): void {
    const { imageId, batchId, status } = event;
    const before = view.last.get(imageId);
    // ids of batches sort by time (UUID v7)
    if ((before?.batchId ?? '') <= (batchId ?? '')) view.last.set(imageId, { status, batchId });
    if (batchId === null || !isTerminal(status as Parameters<typeof isTerminal>[0])) return;
    const key = `${batchId}/${imageId}`;
    view.terminal.set(key, (view.terminal.get(key) ?? 0) + 1);
  }

  return {
    view,
    /** Where a new connection goes on; undefined for the first. */
    resume: (): { epoch: string; since: number } | undefined =>
      seq === undefined ? undefined : { epoch: view.epochs.at(-1) ?? '', since: seq },
    seq: (): number => seq ?? 0,
    /** What the stream had reached when the latest connection began. */
    headSeq: (): number => headSeq,
    add(frame: ServerFrame): void {
      view.frames++;
      if (frame.type === 'hello') {
        if (view.epochs.at(-1) !== frame.epoch) view.epochs.push(frame.epoch);
        headSeq = frame.seq;
        seq ??= frame.seq;
      } else if (frame.type === 'snapshot') {
        view.snapshots++;
        seq = frame.seq;
      } else if (frame.type === 'events') {
        if (frame.from !== (seq ?? 0) + 1) view.gaps.push(`after ${seq} came ${frame.from} to ${frame.to}`);
        frame.events.forEach((event, index) => {
          if (event.seq !== frame.from + index) view.gaps.push(`event ${event.seq} stands at ${frame.from + index}`);
          applyEvent(event);
        });
        seq = frame.to;
      }
    },
  };
}
export type ClientLedger = ReturnType<typeof createClientLedger>;
