import { failureOf } from '../failure.ts';
import type { SegmentOutput } from '../segment.ts';
import type { InferenceRequest } from './backend.ts';
import type { FromChild, ToChild } from './protocol.ts';

export interface Served {
  segment(request: InferenceRequest, onProgress: () => void): Promise<SegmentOutput>;
  warmup(): Promise<void>;
}

/**
 * Answers the parent's messages in order, one at a time. A run blocks the event loop, so messages are read between two
 * runs: a cancel that arrived meanwhile skips its request. Ends with the parent.
 */
export function serve(load: () => Promise<Served>): void {
  const send = (message: FromChild) => process.send?.(message);
  const waiting: ToChild[] = [];
  const cancelled = new Set<number>();
  let wake = () => {};

  process.on('disconnect', () => process.exit(0));
  // The parent decides when to end, also when a terminal or a supervisor signals the whole group: a child that went first
  // would look as if its image had killed it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('message', (message: ToChild) => {
    if (message.type === 'cancel') cancelled.add(message.id);
    else waiting.push(message);
    wake();
  });

  const work = async (served: Served) => {
    for (;;) {
      // The first turn ends the one the run blocked, the second reads the channel.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      const next = waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (next.type === 'warmup') await served.warmup().then(() => send({ type: 'warm' }));
      else if (next.type === 'run') send(await answer(served, next, cancelled, send));
    }
  };
  load()
    .then((served) => {
      send({ type: 'ready', rssBytes: process.memoryUsage.rss() });
      return work(served);
    })
    .catch((error: unknown) => {
      send({ type: 'broken', message: error instanceof Error ? error.message : String(error) });
      process.disconnect();
    });
}

async function answer(
  served: Served,
  { id, request }: Extract<ToChild, { type: 'run' }>,
  cancelled: Set<number>,
  send: (message: FromChild) => void,
): Promise<FromChild> {
  if (cancelled.delete(id)) return { type: 'skipped', id };
  // Ids grow, and what came before this one is over: late cancels are dropped here.
  for (const old of cancelled) if (old < id) cancelled.delete(old);
  try {
    const output = await served.segment(request, () => send({ type: 'progress', id }));
    return { type: 'done', id, output, rssBytes: process.memoryUsage.rss() };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { type: 'failed', id, code, message, rssBytes: process.memoryUsage.rss() };
  }
}
