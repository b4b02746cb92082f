import { failureOf, type InferenceFailure } from '../failure.ts';
import type { SegmentOptions, SegmentOutput } from '../segment.ts';
import type { InferenceRequest } from './backend.ts';
import type { Measured } from './executor.ts';
import type { FromChild, ToChild } from './protocol.ts';

/** What a child can do once it is loaded. */
export interface Served {
  /** All of one model. @throws what fails the batch as a whole */
  segment(
    requests: readonly InferenceRequest[],
    options: Required<SegmentOptions>,
  ): Promise<(SegmentOutput | InferenceFailure)[]>;
  /** Runs the usual shapes, empty, and says what they took. */
  warmup(): Promise<Measured[]>;
}

/** Answers the parent, which sends a batch when the one before is answered; a run blocks the event loop. Ends with the parent. */
export function serve(load: () => Promise<Served>): void {
  const send = (message: FromChild) => process.send?.(message);

  process.on('disconnect', () => process.exit(0));
  // The parent decides when to end, also when a terminal or a supervisor signals the whole group: a child that went first
  // would look as if its image had killed it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  load()
    .then(async (served) => {
      const measured = await served.warmup();
      let running = { id: 0, control: new AbortController() };
      process.on('message', (message: ToChild) => {
        // Leases are for `child-leases.ts`.
        if (message.type === 'run') {
          running = { id: message.id, control: new AbortController() };
          void answer(served, message, send, running.control.signal).then(send);
        } else if (message.type === 'give-up' && message.id === running.id)
          running.control.abort(new Error('given up'));
      });
      send({ type: 'ready', measured, rssBytes: process.memoryUsage.rss() });
    })
    .catch((error: unknown) => {
      send({ type: 'broken', message: error instanceof Error ? error.message : String(error) });
      process.disconnect();
    });
}

async function answer(
  served: Served,
  { id, requests, quietMs, limitMs }: Extract<ToChild, { type: 'run' }>,
  send: (message: FromChild) => void,
  signal: AbortSignal,
): Promise<FromChild> {
  let saidAt = performance.now();
  const onProgress = () => {
    const now = performance.now();
    if (now - saidAt < quietMs) return;
    saidAt = now;
    send({ type: 'progress', id });
  };
  try {
    const results = await served.segment(requests, { onProgress, limitMs, signal });
    // An Error would lose its fields on the way.
    const plain = results.map((result) => ('code' in result ? { code: result.code, message: result.message } : result));
    return { type: 'done', id, results: plain, rssBytes: process.memoryUsage.rss() };
  } catch (error) {
    const { code, message } = failureOf(error);
    return { type: 'failed', id, code, message, rssBytes: process.memoryUsage.rss() };
  }
}
