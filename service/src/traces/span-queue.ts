import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans of one request to the collector: the standard's `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`. */
const BATCH = 512;
const EVERY_MS = 1_000;
const CLOSE_WITHIN_MS = 2_000;
export type SpanOutcome = 'exported' | 'failed' | 'dropped';

/**
 * Ended spans on their way to the exporter: at most `max` wait, one batch is under way. The SDK's own batch processor does the
 * same but does not say how many it dropped.
 */
export function createSpanQueue(options: {
  exporter: SpanExporter;
  max: number;
  everyMs?: number;
  onOutcome: (outcome: SpanOutcome, count: number) => void;
  /** Why the collector took nothing, or null when it did; once for each change. */
  onCollector?: (problem: string | null) => void;
}): SpanProcessor & { room(): number; length(): number } {
  const { exporter, max, everyMs = EVERY_MS, onOutcome, onCollector = () => {} } = options;
  let waiting: ReadableSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  /** Spans of the request that is under way. */
  let away = 0;
  let closed = false;
  let problem: string | null = null;

  const send = (spans: ReadableSpan[]): Promise<void> =>
    new Promise((resolve) => {
      away = spans.length;
      exporter.export(spans, ({ code, error }) => {
        away = 0;
        const isTaken = code === ExportResultCode.SUCCESS;
        if (!closed) onOutcome(isTaken ? 'exported' : 'failed', spans.length);
        const why = isTaken ? null : error?.message || 'it did not say why';
        if (!closed && why !== problem) onCollector(why);
        problem = why;
        resolve();
      });
    });
  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && !closed) {
      const batch = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      await send(batch);
    }
  }
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => (sending = undefined));
    return sending;
  }
  function soon(): void {
    if (waiting.length >= BATCH) void flush();
    else timer ??= setTimeout(() => void flush(), everyMs).unref();
  }
  return {
    onStart() {},
    onEnd(span) {
      if (closed || waiting.length >= max) return onOutcome('dropped', 1);
      waiting.push(span);
      soon();
    },
    room: () => max - waiting.length,
    length: () => waiting.length,
    forceFlush: flush,
    async shutdown() {
      let late: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => (late = setTimeout(resolve, CLOSE_WITHIN_MS)));
      await Promise.race([flush(), limit]);
      clearTimeout(late);
      closed = true;
      if (away > 0) onOutcome('failed', away);
      if (waiting.length > 0) onOutcome('dropped', waiting.length);
      waiting = [];
      // not waited for: it would wait for an answer that may never come
      void exporter.shutdown().catch(() => {});
    },
  };
}
