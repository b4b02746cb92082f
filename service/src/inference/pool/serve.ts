import { failureOf } from '../failure.ts';
import type { SegmentOutput } from '../segment.ts';
import type { InferenceRequest } from './backend.ts';
import type { FromChild, ToChild } from './protocol.ts';

export interface Served {
  segment(request: InferenceRequest, onProgress: () => void): Promise<SegmentOutput>;
  warmup(): Promise<void>;
}

/** Answers the parent's messages in order, one at a time; a run blocks the event loop. Ends with the parent. */
export function serve(load: () => Promise<Served>): void {
  const send = (message: FromChild) => process.send?.(message);
  const waiting: ToChild[] = [];
  let wake = () => {};

  process.on('disconnect', () => process.exit(0));
  // The parent decides when to end, also when a terminal or a supervisor signals the whole group: a child that went first
  // would look as if its image had killed it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  process.on('message', (message: ToChild) => {
    waiting.push(message);
    wake();
  });

  const work = async (served: Served) => {
    for (;;) {
      const next = waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (next.type === 'warmup') await served.warmup().then(() => send({ type: 'warm' }));
      else send(await answer(served, next, send));
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
  send: (message: FromChild) => void,
): Promise<FromChild> {
  try {
    const output = await served.segment(request, () => send({ type: 'progress', id }));
    return { type: 'done', id, output, rssBytes: process.memoryUsage.rss() };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { type: 'failed', id, code, message, rssBytes: process.memoryUsage.rss() };
  }
}
