import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { createSpanQueue } from '../../src/traces/span-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A queue before an exporter that answers when it is told to. */
function setUp(max: number) {
  const exported: number[] = [];
  const counts = { exported: 0, failed: 0, dropped: 0 };
  const answers: ((result: ExportResult) => void)[] = [];
  const collector: (string | null)[] = [];
  let closed = 0;
  const queue = createSpanQueue({
    exporter: {
      export(spans, done) {
        exported.push(spans.length);
        answers.push(done);
      },
      shutdown: async () => void closed++,
    },
    max,
    onOutcome: (outcome, count) => void (counts[outcome] += count),
    onCollector: (problem) => collector.push(problem),
  });
  const end = (spans: number) => {
    for (let index = 0; index < spans; index++) queue.onEnd({} as ReadableSpan);
  };
  const answer = async (code: ExportResultCode, why?: string) => {
    answers.shift()?.({ code, ...(why !== undefined && { error: new Error(why) }) });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { queue, end, answer, exported, counts, collector, closed: () => closed };
}

describe('spans on their way to the collector', () => {
  it('go together after a second, and at once when there are enough for a request', async () => {
    const { end, answer, exported, counts } = setUp(2048);
    end(3);
    expect(exported).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exported).toEqual([3]);
    await answer(ExportResultCode.SUCCESS);
    end(512);
    expect(exported).toEqual([3, 512]);
    await answer(ExportResultCode.SUCCESS);
    expect(counts).toEqual({ exported: 515, failed: 0, dropped: 0 });
  });

  it('wait for one request at a time, are bounded, and are dropped and counted above that', async () => {
    const { queue, end, answer, exported, counts } = setUp(1_000);
    end(5_000);
    expect(exported).toEqual([512]);
    expect(queue.length()).toBe(1_000);
    expect(queue.room()).toBe(0);
    expect(counts.dropped).toBe(5_000 - 512 - 1_000);
    await answer(ExportResultCode.FAILED);
    expect(counts.failed).toBe(512);
    expect(exported).toEqual([512, 512]);
    await answer(ExportResultCode.SUCCESS);
    await answer(ExportResultCode.SUCCESS);
    expect(counts).toEqual({ exported: 1_000, failed: 512, dropped: 3_488 });
  });

  it('say once that nobody takes them, and why, and once that somebody does again', async () => {
    const { end, answer, collector } = setUp(5_000);
    end(512 * 6);
    const { SUCCESS, FAILED } = ExportResultCode;
    await answer(SUCCESS);
    expect(collector).toEqual([]);
    for (const why of ['refused', 'refused', 'too late']) await answer(FAILED, why);
    await answer(SUCCESS);
    await answer(SUCCESS);
    expect(collector).toEqual(['refused', 'too late', null]);
  });

  it('are given two seconds at the end, and counted when nobody took them', async () => {
    const { queue, end, counts, closed } = setUp(100);
    end(100);
    let done = false;
    const closing = queue.shutdown().then(() => (done = true));
    end(7);
    await vi.advanceTimersByTimeAsync(1_900);
    expect(done).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await closing;
    expect(counts).toEqual({ exported: 0, failed: 100, dropped: 7 });
    expect(closed()).toBe(1);
    end(1);
    expect([queue.length(), counts.dropped]).toEqual([0, 8]);
  });
});
