import { heapBytes } from '../../drivers/browser/memory.ts';
import { plainSweepP95 } from '../../drivers/browser/plain-page.ts';
import { framesOf, isLate } from '../../judge/frames.ts';
import { median, quantile } from '../../measure/statistics.ts';
import { measured, need, type Bench } from '../bench.ts';
import { orStop } from '../stop.ts';
import { measureMemory } from './burst.ts';

/**
 * Phase 6: the finished gallery from end to end and back, five times; what its cells show is the ledger's last column. After a sweep with
 * late frames a plain page is scrolled too: where its frames are late as well, the machine is.
 */
export async function scrollPhase(bench: Bench): Promise<string> {
  const page = need(bench.page, 'the page');
  const { sweeps, sweepMs } = bench.scenario.phases.scroll;
  const cells = new Map<string, string>();
  const p95s: number[] = [];
  const plainP95s: number[] = [];
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const record = await orStop(bench.signal, page.sweep(sweepMs, sweep % 2 === 0));
    for (const [id, status] of record.cells) cells.set(id, status);
    const p95 = quantile(record.intervals, 0.95);
    p95s.push(p95);
    if (isLate('frame_p95_ms', p95))
      plainP95s.push(await orStop(bench.signal, plainSweepP95(page.page.browser(), sweepMs)));
    bench.client.heapPeakBytes = Math.max(await heapBytes(page), bench.client.heapPeakBytes ?? 0);
    bench.progress.update(sweep + 1);
  }
  const images = need(bench.upload, 'the upload').uploaded.length;
  const flownOver = Math.max(0, images - cells.size);
  // A sweep of ten thousand images passes more rows a frame than a screen has.
  if (flownOver > 0)
    for (const [id, status] of await orStop(bench.signal, page.walk())) if (!cells.has(id)) cells.set(id, status);
  bench.cells = cells;
  bench.client.framesP95Ms = median(p95s);
  measured(bench, 'frame_p95_ms', framesOf('frame_p95_ms', { p95sMs: p95s, plainP95sMs: plainP95s }));
  await measureMemory(bench);
  bench.client.domNodesMax = (await page.dump()).domNodesMax;
  const walked = flownOver > 0 ? `, ${flownOver} of them at a walk` : '';
  const plain = plainP95s.length > 0 ? ` (a plain page ${median(plainP95s).toFixed(1)} ms)` : '';
  return `p95 ${median(p95s).toFixed(1)} ms${plain}, ${cells.size} cells seen${walked}`;
}
