import { randomBytes } from 'node:crypto';
import type { BenchOptions } from '../cli/options.ts';
import type { RunData } from '../contract.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { scrapeAll } from '../measure/scrape.ts';
import { measureAccuracyOf, measureEfficiency } from './after.ts';
import { createBench, measured } from './bench.ts';
import { collectCounters, collectLedger, collectProcesses } from './collect.ts';
import type { RunFolder } from './folder.ts';
import { makeImages, readImages } from './images.ts';
import { runPhases } from './phases.ts';
import type { Progress } from './progress.ts';
import { blankRunData, runDataOf, type Parts } from './run-data.ts';
import { startAll } from './services.ts';
import { EnvironmentLost, Interrupted, type Stop } from './stop.ts';
import { startWatch } from './watch.ts';

export interface RunInput {
  options: BenchOptions;
  folder: RunFolder;
  progress: Progress;
  stop: Stop;
  /** Settings of the service that this run changes. */
  settings?: Record<string, string> | undefined;
}

/** How long the parts of an ended run may take to say what they know. */
const LAST_WORDS_MS = 5_000;

const poolText = ({ pool }: BenchOptions): string =>
  pool.kind === 'local' ? 'local' : pool.kind === 'sim' ? `sim:${pool.profile}` : `kserve:${pool.urls.join(',')}`;

/**
 * One run of a scenario: servers, service and browser up, images, phases, collection, everything down.
 * A stop in the middle still gives what was measured until then; one before that gives its cause.
 * @throws UsageError, and what is a mistake of the harness itself.
 */
export async function runScenario(input: RunInput): Promise<RunData> {
  const startedAt = new Date();
  try {
    return await runFrom(startedAt, input);
  } catch (error) {
    const { options, stop } = input;
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
    if (!stop.signal.aborted && !(error instanceof EnvironmentError)) throw error;
    const { scenario, client, seed, images } = options;
    const source = images ? 'directory' : 'synthetic';
    const given = {
      scenario: scenario.name,
      client,
      seed,
      source,
      pool: hideCredentials(poolText(options)),
      startedAt,
    } as const;
    const stopped = stoppedBy(cause);
    input.progress.line(`stopped: ${stopped.message}`);
    return await blankRunData({ ...given, stopped });
  }
}

async function runFrom(startedAt: Date, { options, folder, progress, stop, settings }: RunInput): Promise<RunData> {
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
    const set = named ?? (await makeImages(options, services.environment.tempDir, progress, stop.signal));
    const watch = await startWatch(services);
    const bench = createBench(
      {
        scenario: options.scenario,
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
      await runPhases(bench);
      await collectAll(parts, () => watch.end(), options.workers);
    } catch (error) {
      parts.stopped = stoppedBy(stop.signal.aborted ? stop.signal.reason : error);
      progress.line(`stopped: ${parts.stopped.message}`);
      await lastWords(parts, () => watch.end());
    }
    await folder.ndjson('raw/processes.ndjson', watch.sampler.series());
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
  if (!isSimulated) parts.accuracy = await measureAccuracyOf(bench);
  await bench.page?.close();
  bench.socket?.close();
  if (!isSimulated) parts.efficiency = await measureEfficiency(bench, workers);
}

/** Of a run that ended early: whatever can still be asked, each for itself, since any part may be what is gone. */
async function lastWords(parts: Parts, endWatch: WatchEnd): Promise<void> {
  const { bench } = parts;
  const asks: (() => Promise<unknown>)[] = [
    async () => Object.assign(parts, await endWatch()),
    async () => (parts.process = await collectProcesses(bench)),
    () => collectCounters(bench),
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

function stoppedBy(cause: unknown): NonNullable<RunData['stopped']> {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Interrupted) return { reason: 'interrupted', message };
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC')
    return {
      reason: 'error',
      message: `a disk is full (${message}): make room, or set TMPDIR or --out to another one`,
    };
  const isTheirs = cause instanceof EnvironmentLost || cause instanceof EnvironmentError;
  return { reason: 'error', message: isTheirs ? message : `the run failed: ${message}` };
}
