import { browse, browseCalls, measureCompression } from '../../drivers/browse.ts';
import { sumOf } from '../../measure/prometheus.ts';
import { growthBetween, scrapeAll } from '../../measure/scrape.ts';
import { imageIdsOf, measured, need, type Bench } from '../bench.ts';

/** Results in one reply whose compression is measured: enough for megabytes of JSON, few enough not to be the peak of memory. */
const COMPRESSION_IMAGES = 100;

/** Phase 4: list pages, details and pictures by the scenario's fixed mix, workers idle. */
export async function browsePhase(bench: Bench): Promise<string> {
  const { services, scenario, progress, signal } = bench;
  const ids = imageIdsOf(bench);
  const before = await scrapeAll(services.processes);
  const outcome = await browse({
    client: services.client,
    calls: browseCalls(need(bench.projectId, 'the project'), ids, scenario.phases.browse),
    clients: scenario.phases.browse.concurrency,
    signal,
    onProgress: (done) => progress.update(done),
  });
  const counted = growthBetween(before, await scrapeAll(services.processes));
  const lookups = (outcomeLabel?: string) =>
    sumOf(counted, 'segbench_cache_requests_total', ({ outcome: label }) => !outcomeLabel || label === outcomeLabel);
  await bench.folder.json('raw/browse.json', { latencies: outcome.latencies.summary(), errors: outcome.errors });
  if (outcome.errors.length > 0) {
    const [{ path, status }] = outcome.errors as [{ path: string; status: number }];
    throw new Error(
      `browse: ${outcome.errors.length} of ${outcome.requests} requests failed, first ${path}: ${status}`,
    );
  }
  const p95 = outcome.latencies.quantile('list', 0.95);
  const hdr = outcome.latencies.encoded('list');
  measured(bench, 'image_list_p95_ms', {
    actual: p95,
    ...(hdr === undefined ? { note: 'the mix holds no list page' } : { percentile: { q: 0.95, hdr } }),
  });
  const total = lookups();
  measured(
    bench,
    'cache_hit_ratio',
    total > 0 ? lookups('hit') / total : { actual: null, note: 'no look-up was counted' },
  );
  const compression = await measureCompression(services.client, ids.slice(0, COMPRESSION_IMAGES), signal);
  await bench.folder.json('raw/compression.json', compression);
  measured(bench, 'compression_ratio', compression.ratio);
  return `${outcome.requests} requests, list p95 ${p95?.toFixed(1)} ms, ${total} cache look-ups`;
}
