import { bundleGzipBytes } from '../../drivers/browser/bundle.ts';
import { rendererPssBytes, retainedBytes } from '../../drivers/browser/memory.ts';
import { openObservedPage } from '../../drivers/browser/page.ts';
import { scrapeAll } from '../../measure/scrape.ts';
import { measured, need, type Bench } from '../bench.ts';
import { orStop } from '../stop.ts';
import { startAndFollow } from './follow.ts';
import { awaitSettle } from './settling.ts';

/** Phase 2: open the gallery, start one batch with its own button, follow it to the end. */
export async function batchPhase(bench: Bench): Promise<string> {
  const { services, sampler, signal } = bench;
  const projectId = need(bench.projectId, 'the project');
  const page = await orStop(
    signal,
    openObservedPage({
      browser: services.browser,
      baseUrl: services.url,
      path: bench.pagePath(projectId),
      key: services.key,
      script: bench.pageScript,
      slower: bench.scenario.slowerPage,
    }),
  );
  bench.page = page;
  const firstPaint = await orStop(signal, page.firstPaint());
  measured(bench, 'first_paint_ms', {
    actual: firstPaint,
    ...(firstPaint === null ? { note: 'the browser reported no first contentful paint' } : {}),
  });
  measured(bench, 'bundle_gzip_bytes', await bundleGzipBytes(services.client, page.network.all()));
  await retainedBytes(page);
  bench.pssBefore = await rendererPssBytes(services.browser);

  bench.scrapes['beforeBatch'] = await scrapeAll(services.processes);
  const before = sampler.cpu();
  const followed = await startAndFollow(bench);
  bench.cpuOfBatch = { before, after: sampler.cpu() };
  bench.scrapes['afterBatch'] = await scrapeAll(services.processes);
  bench.first = followed;
  const { batch, finishedAtMs } = followed;
  // From the POST, so that a job which waits for a worker counts.
  const startedAtMs = Date.parse(batch.createdAt);
  const done = batch.counts.completed + batch.counts.failed;
  const perMinute = (done / Math.max(1, finishedAtMs - startedAtMs)) * 60_000;
  measured(bench, 'throughput_images_per_minute', perMinute);

  const settle = await awaitSettle(bench, followed);
  bench.client.batchSettleMs = settle.settleMs;
  if (!settle.settled) bench.notes.push(`the page did not settle on the batch: ${settle.reason}`);
  return `${batch.counts.completed} completed, ${batch.counts.failed} failed, ${(perMinute / 60).toFixed(1)} images/s, settled in ${Math.round(settle.settleMs)} ms`;
}
