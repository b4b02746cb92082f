import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { claimItems, findLost, renewLeases, type Claim } from '../batches/claim.ts';
import { handBack } from '../batches/hand-back.ts';
import { startLoop } from '../batches/loop.ts';
import { createMicroBatcher } from '../batches/micro-batch.ts';
import type { ItemKey, Outcome } from '../batches/outcome.ts';
import { createProcessor } from '../batches/process-image.ts';
import { CONSUMER_JOBS, CONSUMER_REDIS, PRODUCER_REDIS } from '../batches/queue.ts';
import { DEFAULT_MODEL } from '../batches/store.ts';
import { createReporter, dropReports, putReports, REPORT_EVERY_MS } from '../batches/worker-report.ts';
import { createWriter } from '../batches/write.ts';
import { showBuild } from '../build-info.ts';
import type { Config } from '../config.ts';
import { crashPointsOf, reaching } from '../crash-points.ts';
import { SEGMENT_QUEUE, type SegmentJob } from '../contract/jobs.ts';
import { createDatabase, idleInTransactionMs } from '../database/client.ts';
import { InferenceFailure } from '../inference/failure.ts';
import { loadModelCard, type Model } from '../inference/model.ts';
import type { InferenceBackend, InferenceRequest, InferOptions } from '../inference/pool/backend.ts';
import { createBackend } from '../inference/pool/create.ts';
import { createPoolMetrics } from '../inference/pool/metrics.ts';
import { hideCredentials } from '../inference/kserve/urls.ts';
import { providerIn, simulatedBy, versionIn } from '../inference/sim/label.ts';
import { startMetricsServer } from '../metrics-server.ts';
import { CONNECTIONS_HELP, createMetrics } from '../metrics.ts';
import { plantInBackend } from '../plants.ts';
import { createStorage } from '../storage.ts';
import { createAhead } from './ahead.ts';
import { guardFiles } from './files-guard.ts';
import { watchModel } from './model-watch.ts';
import { createLog, sayChanges, textOf, type RoleHandle } from './role.ts';

/** Claims, results, leases and the look for what was cancelled, each one at a time. Every connection prepares its statements anew. */
const CONNECTIONS = 4;
/** Claims are collected this long: one transaction for what BullMQ hands over at once. */
const CLAIM_WAIT_MS = 5;
const CLAIM_MAX = 32;
const DRAIN_MS = 9_000;
/** What was cancelled and has not begun is given up after this long at most. */
const LOST_CHECK_MS = 1_000;

/** Folder of the model that a batch asks for. @throws InferenceFailure where this worker must not run it */
function modelDirOf({ modelsDir, pool }: Config, name: string, version: string): string {
  const real = version.split('-sim-', 1)[0]!;
  if (version === versionIn(pool, real)) return path.join(modelsDir, name, real);
  const what = simulatedBy(pool) === null ? 'runs models' : `simulates ${simulatedBy(pool)}`;
  throw new InferenceFailure('MODEL_ERROR', `the batch asks for ${name} ${version}, this worker ${what}`);
}

/**
 * The worker role: one consumer of the queue that feeds all inference children of this machine, claims in small batches and writes
 * results in batches.
 * @param given a backend made by a test, instead of the configured one
 */
export async function startWorker(config: Config, given?: InferenceBackend): Promise<RoleHandle> {
  const log = createLog(config);
  const metrics = createMetrics('worker');
  showBuild(metrics);
  const worker = `w${process.pid}-${randomBytes(3).toString('hex')}`;
  const max = Math.min(CONNECTIONS, config.databasePool);
  metrics.gauge('segbench_db_connections_limit', CONNECTIONS_HELP, () => max);
  const sql = createDatabase(config.databaseUrl, {
    max,
    metrics,
    name: 'segbench-worker',
    idleInTransactionMs: idleInTransactionMs(config),
  });
  // a role that cannot reach its database is not ready
  await sql`SELECT 1`;
  const model = await loadModelCard(config.modelsDir, DEFAULT_MODEL);
  const storage = createStorage(config.dataDir);
  const files = guardFiles(sql, storage, () => processor.abandon(processor.held()));
  const real = async () => {
    const made = await createBackend(config, model.dir, log);
    if (simulatedBy(config.pool) !== null) return made; // it reads no file
    await files.check();
    return files.guard(made);
  };
  const backend = plantInBackend(given ?? (await real()), config.plant, sql);
  await backend.load().catch((error: unknown) => {
    const { pool, provider } = config;
    const setting = pool === 'local' ? `PROVIDER is "${provider}"` : `POOL is "${hideCredentials(pool)}"`;
    throw new Error(`${setting}: ${textOf(error)}`, { cause: error });
  });

  const slots = config.workers * config.maxBatch;
  const ahead = createAhead({ slots, most: config.workerConcurrency });
  let unrun = 0;
  const poolMetrics = createPoolMetrics(metrics, () => backend.stats());
  const claims = createMicroBatcher<ItemKey, Claim | null>({
    maxItems: CLAIM_MAX,
    maxWaitMs: CLAIM_WAIT_MS,
    run(keys) {
      metrics.workerTransactions.inc({ kind: 'claim' });
      return claimItems(sql, keys, { worker, leaseMs: config.leaseMs, holds: (key) => processor.holds(key) });
    },
  });
  // new images come when old ones are written: by then each slot has run one, and shall have the next
  const hasWork = () => unrun > 2 * slots;
  const onWrite = () => metrics.workerTransactions.inc({ kind: 'write' });
  const writer = createWriter(sql, { failurePauseRatio: config.failurePauseRatio, hasWork, onWrite });
  const points = crashPointsOf(config);
  const processor = createProcessor({
    claim: reaching(
      points,
      'claimed',
      (key: ItemKey) => claims.add(key),
      (claim) => (claim === null ? 0 : 1),
    ),
    write: reaching(points, 'committed', (outcome: Outcome) => writer.add({ ...outcome, readyAt: Date.now() }), Number),
    backend: {
      infer: reaching(points, 'inferred', (request: InferenceRequest, options: InferOptions) => {
        unrun++;
        return backend.infer(request, options).finally(() => unrun--);
      }),
    },
    fileOf: (sha256) => storage.path(sha256),
    modelDirOf: (name, version) => modelDirOf(config, name, version),
    worker,
    timeoutMs: config.inferenceTimeoutMs,
    onInference(output) {
      metrics.inferenceExecution.observe(output.executionMs / 1000);
      poolMetrics.inferred(output);
      ahead.observe(output.batchMs);
      consumer.concurrency = ahead.limit();
    },
    onStages: (stages) =>
      stages.forEach(({ stage, durationMs }) => metrics.stageDuration.observe({ stage }, durationMs / 1000)),
    onFailure({ code, message }) {
      poolMetrics.failed(code);
      log('warn', `an image failed: ${code}: ${message}`);
    },
  });

  // "Running" says nothing: a consumer whose Redis failed over may wait for ever and never fail
  let activeAt = Date.now();
  metrics.gauge(
    'segbench_worker_active_timestamp_seconds',
    'When this worker last took a job from the queue or renewed the lease of one, Unix time.',
    () => activeAt / 1000,
  );
  metrics.gauge('segbench_worker_images_held', 'Images that this worker has claimed.', () => processor.held().length);
  const leases = startLoop({
    everyMs: Math.max(50, config.leaseMs / 3),
    async step() {
      const held = processor.held();
      await renewLeases(sql, held, config.leaseMs);
      if (held.length > 0) activeAt = Date.now();
    },
    onError: (error) => log('warn', `leases could not be renewed: ${textOf(error)}`),
  });
  const lost = startLoop({
    everyMs: LOST_CHECK_MS,
    step: async () => processor.abandon(await findLost(sql, processor.held())),
    onError: (error) => log('warn', `it is not known what was cancelled: ${textOf(error)}`),
  });
  const cache = new Redis(config.cacheRedisUrl, { ...PRODUCER_REDIS, commandTimeout: 500, lazyConnect: true });
  cache.on('error', () => {});
  const provider = providerIn(config.pool, config.provider);
  const running = { model: '' };
  const runs = ({ name, version }: Model) => {
    running.model = `${name} ${versionIn(config.pool, version)}`;
    poolMetrics.runs({ pool: config.pool.split(':', 1)[0]!, provider, model: name, version });
  };
  runs(model);
  const { modelsDir, modelCheckMs: everyMs } = config;
  const watch = watchModel({ modelsDir, model, everyMs, backend, onChange: runs, log });
  const reporter = createReporter({ worker, provider, slots: config.maxBatch, model: () => running.model });
  const report = () => putReports(cache, config.queuePrefix, worker, reporter(backend.stats()));
  // who hears that the worker is ready sees it in the queue; without the cache nobody sees it, and it works on
  await cache
    .connect()
    .then(report)
    .catch(() => {});
  const reports = startLoop({ everyMs: REPORT_EVERY_MS, step: report, onError: () => {} });

  const redis = new Redis(config.queueRedisUrl, CONSUMER_REDIS);
  sayChanges(redis, "the queue's Redis", log);
  const take = (job: Job<SegmentJob>) => {
    activeAt = Date.now();
    return processor.process(job.data);
  };
  const consumer = new Worker<SegmentJob>(SEGMENT_QUEUE, take, {
    connection: redis,
    prefix: config.queuePrefix,
    concurrency: ahead.limit(),
    ...CONSUMER_JOBS,
  });
  consumer.on('error', (error) => log('info', `consumer: ${error.message}`));
  consumer.on('failed', (job, error) =>
    log('warn', `job ${job?.id ?? '?'} ended without an outcome: ${error.message}`),
  );
  const server = await startMetricsServer(metrics, config.metricsPort, {
    host: config.metricsHost,
    health: () => backend.health().status !== 'unhealthy',
  });

  return {
    metricsUrl: `${server.url}/metrics`,
    lost: files.lost,
    async close() {
      // at once what has not begun, at the end what is not done in time; were this to fail, it goes out when its lease ends
      const giveBack = (kept: readonly ItemKey[]) =>
        handBack(sql, worker, kept).then(
          (count) => count > 0 && log('info', `${count} images were handed back`),
          (error: unknown) => log('warn', `images could not be handed back: ${textOf(error)}`),
        );
      processor.wind();
      const ended = [
        consumer.close().then(() => writer.flush()),
        turn().then(() => giveBack(processor.held())), // by then only what runs is held
      ];
      let late: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => (late = setTimeout(resolve, DRAIN_MS)));
      await Promise.race([Promise.all(ended), limit]);
      clearTimeout(late);
      await giveBack([]);
      await Promise.all([leases.stop(), lost.stop(), reports.stop(), watch.stop()]);
      await dropReports(cache, config.queuePrefix, worker).catch(() => {});
      await backend.close();
      cache.disconnect();
      redis.disconnect();
      await sql.end({ timeout: 2 });
      await server.close();
    },
  };
}
