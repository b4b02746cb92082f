import { randomBytes } from 'node:crypto';
import type { BulkScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import { capacityOfBulk } from '../capacity/of-bulk.ts';
import { scrapeAll } from '../measure/scrape.ts';
import { measureAccuracyOf, measureEfficiency } from './after.ts';
import { createBench, measured, type Bench } from './bench.ts';
import { collectCounters, collectLedger, collectProcesses } from './collect.ts';
import { makeImages, readImages } from './images.ts';
import { runPhases } from './phases.ts';
import { runDataOf, type Parts } from './run-data.ts';
import { poolText, type RunInput } from './run-input.ts';
import { startAll } from './services.ts';
import { stoppedBy } from './stop.ts';
import { startWatch } from './watch.ts';

/** How long the parts of an ended run may take to say what they know. */
const LAST_WORDS_MS = 5_000;

/** One bulk run: servers, service and browser up, images, phases, collection, everything down. */
export async function runBulk(scenario: BulkScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const { options, folder, progress, stop, settings } = input;
  const named = await readImages(options, progress);
  progress.phase('start');
  const services = await startAll({
    environment: options.environment,
    workers: options.workers,
    settings: { POOL: poolText(options), QUEUE_PREFIX: `sb${randomBytes(4).toString('hex')}`, ...settings },
    log: (line) => progress.line(line),
    stop,
  });
  try {
    progress.done(services.url);
    const set =
      named ?? (await makeImages({ ...options, scenario }, services.environment.tempDir, progress, stop.signal));
    const watch = await startWatch(services);
    const bench = createBench(
      {
        scenario,
        mode: options.client,
        services,
        set,
        folder,
        progress,
        sampler: watch.sampler,
        signal: stop.signal,
        seed: options.seed,
      },
      await scrapeAll(services.processes),
    );
    const parts: Parts = { bench, pool: hideCredentials(poolText(options)), startedAt };
    try {
      await runPhases(bench, scenario.runs);
      await collectAll(parts, () => watch.end(), options.workers);
    } catch (error) {
      parts.stopped = stoppedBy(stop.signal.aborted ? stop.signal.reason : error);
      progress.line(`stopped: ${parts.stopped.message}`);
      await lastWords(parts, () => watch.end());
    }
    return await runDataOf(parts);
  } finally {
    progress.phase('stop');
    await services.close();
    progress.done();
  }
}

type WatchEnd = () => Promise<Pick<Parts, 'noise' | 'psiCpuSome'>>;

async function collectAll(parts: Parts, endWatch: WatchEnd, workers: number): Promise<void> {
  const { bench } = parts;
  await collectCounters(bench);
  parts.process = await collectProcesses(bench);
  parts.collected = await collectLedger(bench);
  Object.assign(parts, await endWatch());
  const isSimulated = parts.pool.startsWith('sim:');
  const capacity =
    bench.first &&
    (await capacityOfBulk({
      sql: bench.services.sql,
      batchId: bench.first.batch.id,
      workers,
      simulated: isSimulated,
      images: { count: bench.set.images.length, bytes: bench.set.bytes },
      stages: parts.collected.stages,
      cpu: bench.cpuOfBatch,
    }));
  if (capacity) parts.capacity = capacity;
  if (!isSimulated) parts.accuracy = await measureAccuracyOf(bench);
  await bench.page?.close();
  bench.socket?.close();
  if (!isSimulated) parts.efficiency = await measureEfficiency(bench, workers);
  await writeSeries(bench);
}

const writeSeries = ({ folder, sampler }: Bench): Promise<void> =>
  folder.ndjson('raw/processes.ndjson', sampler.series());

/** Of a run that ended early: whatever can still be asked, each for itself, since any part may be what is gone. */
async function lastWords(parts: Parts, endWatch: WatchEnd): Promise<void> {
  const { bench } = parts;
  const asks: (() => Promise<unknown>)[] = [
    async () => Object.assign(parts, await endWatch()),
    async () => (parts.process = await collectProcesses(bench)),
    () => collectCounters(bench),
    () => writeSeries(bench),
    async () => {
      if (!bench.first) return;
      parts.collected = await collectLedger(bench);
      // What was still on its way when the run ended is not missing.
      measured(bench, 'delivery_missing', { actual: null, note: 'the run ended before every event had its time' });
    },
  ];
  await Promise.all(
    asks.map((ask) => Promise.race([ask().catch(() => {}), new Promise((done) => setTimeout(done, LAST_WORDS_MS))])),
  );
}
