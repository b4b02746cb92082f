import { createHttpClient } from '../../drivers/http-client.ts';
import { downloadRanges, seedLargeFile } from '../../drivers/downloads.ts';
import { measured, need, type Bench } from '../bench.ts';

const MIB = 1024 * 1024;

/** Phase 5: many clients read one large file by ranges; the API's resident memory must not follow the file's size. */
export async function downloadsPhase(bench: Bench): Promise<string> {
  const { services, scenario, sampler, progress, signal } = bench;
  const { clients, fileBytes, maxRangeBytes } = scenario.phases.downloads;
  const file = await seedLargeFile({
    sql: services.sql,
    dataDir: services.dataDir,
    batchId: need(bench.first, 'the batch').batch.id,
    mebibytes: Math.round(fileBytes / MIB),
    seed: bench.seed,
  });
  const client = createHttpClient({ baseUrl: services.url, key: services.key, connections: clients });
  try {
    sampler.sample();
    const from = Date.now();
    const start = sampler.latest('api');
    const { bytes, durationMs } = await downloadRanges({
      client,
      file,
      clients,
      maxRangeBytes,
      signal,
      onProgress: (done) => progress.update(Math.floor(done / MIB)),
    });
    sampler.sample();
    measured(bench, 'download_rss_growth_bytes', sampler.growthSince('api', start, from));
    return `${Math.round(bytes / MIB)} MiB in ${(durationMs / 1000).toFixed(1)} s, verified`;
  } finally {
    client.close();
    await file.remove();
  }
}
