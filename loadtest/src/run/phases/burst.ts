import { measureClick } from '../../drivers/browser/input.ts';
import { rendererPssBytes, retainedBytes } from '../../drivers/browser/memory.ts';
import { countByRoute, isBulk } from '../../drivers/browser/network.ts';
import type { RecorderDump } from '../../drivers/browser/recorder.ts';
import { measured, need, type Bench } from '../bench.ts';
import { startAndFollow } from './follow.ts';
import { awaitSettle } from './settling.ts';

/** Phase 3: all images again, answered from the result cache; `ui_settle_ms` is judged here. */
export async function burstPhase(bench: Bench): Promise<string> {
  const { scenario } = bench;
  const page = need(bench.page, 'the page');
  const followed = await startAndFollow(bench);
  bench.burst = followed;
  const settle = await awaitSettle(bench, followed);
  const inpMs = await measureClick(page);
  bench.client.inpMs = inpMs;
  bench.client.settleMs = settle.settleMs;
  bench.client.settleFromStartMs = settle.fromStartMs;
  const dump = await page.dump();
  const notes = settle.settled ? [] : [`not settled: ${settle.reason}`];
  const weakened = shortOfBurst(bench, followed.batch.id, scenario.phases.burst.windowMs);
  let settleMs = settle.settleMs;
  if (inpMs > scenario.phases.burst.clickAnswerMs) {
    // A page that does not answer has not settled, however still it looked.
    settleMs = dump.now - page.toPage(followed.finishedAtMs);
    notes.push(`a click was answered after ${Math.round(inpMs)} ms`);
  }
  measured(bench, 'ui_settle_ms', {
    actual: Math.max(settleMs, settle.settleMs),
    ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
    ...(weakened === undefined ? {} : { weakened }),
  });
  measureToasts(bench, dump);
  measureCalls(bench);
  bench.client.eventFrames = page.frames.frames().filter(({ frame }) => frame.type === 'events').length;
  await measureMemory(bench);
  bench.client.longFrames = dump.longFrames.length;
  bench.client.blockingMs = dump.longFrames.reduce((sum, [, , blocking]) => sum + blocking, 0);
  return `settled in ${Math.round(settleMs)} ms, ${bench.client.bulkCalls} bulk calls, ${bench.client.toasts} toasts`;
}

/** Why the events did not come as the burst that the budget speaks of; undefined when they did. */
function shortOfBurst(bench: Bench, batchId: string, windowMs: number): string | undefined {
  const log = bench.socket?.log;
  const first = log?.firstFrameOf(batchId);
  const last = log?.lastFrameOf(batchId);
  if (first === undefined || last === undefined) return 'no frame of the burst was seen';
  return last - first > windowMs
    ? `the burst's events took ${Math.round(last - first)} ms, more than ${windowMs} ms`
    : undefined;
}

/** Nodes ever created, by batch: from its click to the next one. The batch furthest from one toast is the one judged. */
function measureToasts(bench: Bench, dump: RecorderDump): void {
  const page = need(bench.page, 'the page');
  const starts = [bench.first, bench.burst].map((followed) => page.toPage(need(followed, 'the batch').clickedAtMs));
  const values = starts.map((from, index) => {
    const to = starts[index + 1] ?? Infinity;
    return dump.toasts.filter(({ at }) => at >= from && at < to).length;
  });
  bench.client.toasts = values.reduce((sum, value) => sum + value, 0);
  const actual = values.toSorted((a, b) => Math.abs(b - 1) - Math.abs(a - 1))[0] ?? 0;
  measured(bench, 'toasts', { actual, values });
}

function measureCalls(bench: Bench): void {
  const { network } = need(bench.page, 'the page');
  const requests = network.between(need(bench.first, 'the batch').postedAtMs, Infinity);
  const bulk = requests.filter(isBulk);
  bench.client.apiCalls = countByRoute(requests);
  bench.client.bulkCalls = bulk.length;
  bench.client.resultBytesWire = bulk.reduce((sum, { wireBytes }) => sum + (wireBytes ?? 0), 0);
  measured(bench, 'bulk_calls', bulk.length);
}

/** The larger of what the heap retains and what the renderer grew by: bitmaps are in no heap. */
export async function measureMemory(bench: Bench): Promise<void> {
  const page = need(bench.page, 'the page');
  const heap = await retainedBytes(page);
  const pss = await rendererPssBytes(bench.services.browser);
  const growth = Math.max(0, pss - need(bench.pssBefore, 'the memory before the batch'));
  const before = bench.measurements.result_memory_bytes?.values ?? [];
  const values = [...before, Math.max(heap, growth)];
  bench.client.heapRetainedBytes = Math.max(heap, bench.client.heapRetainedBytes ?? 0);
  bench.client.rendererPssBytes = Math.max(pss, bench.client.rendererPssBytes ?? 0);
  measured(bench, 'result_memory_bytes', { actual: Math.max(...values), values });
}
