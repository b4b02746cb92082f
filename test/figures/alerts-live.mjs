// A real Prometheus with the project's rules scrapes a real service (simulated devices) while faults are planted, one after the other:
// each must fire the alert that names it within two minutes, and no other, and be over when the fault is. Exit 1 where one is wrong,
// 3 where there is no prometheus.
//
//   node test/figures/alerts-live.mjs [FAULT…]         (Node 24; apt-get install prometheus; about 10 minutes)
//
// Waits of minutes (no progress for five, a job of ten minutes, failures of ten minutes) are divided by ten here; those of a minute
// or less are as in operation.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { uploadFiles } from '../../loadtest/src/drivers/upload.ts';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { SEGMENT_QUEUE } from '../../service/src/contract/jobs.ts';
import { KEY, startGround } from './ground.mjs';
import { startPrometheus } from './prometheus-kit.mjs';

const HURRY = 10;
const IMAGES = 60;
const FIRE_MS = 120_000;
const RECOVER_MS = 180_000;
/** After the right alert, another one would follow within this. */
const ALONE_MS = 15_000;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PROFILES = join(import.meta.dirname, '../../service/models/profiles');
const PROFILE = 'rtx-a5000-unet.json';

async function main(chosen) {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-alerts-'));
  const pools = await writePools(folder);
  const disk = await smallDisk(join(folder, 'disk'));
  const ground = await startGround({
    LOG_LEVEL: 'error',
    WORKERS: '2',
    POOL: pools.healthy,
    METRICS_PORT: '0',
    ...(disk.mounted && { DATA_DIR: disk.folder }),
  });
  const roles = {};
  const prometheus = await startPrometheus(HURRY);
  let client;
  try {
    roles.api = ground.api;
    roles.relay = await ground.role('relay');
    roles.worker = await ground.role('worker');
    client = createHttpClient({ baseUrl: ground.api.url, key: KEY, connections: 8 });
    const bench = { ground, roles, prometheus, client, pools, disk };
    await watch(bench);
    bench.projectId = await upload(client, folder);
    await runBatch(bench);
    await showExemplars(bench);
    await quiet(bench, ALONE_MS);
    console.log('a healthy service: nothing fires');
    for (const fault of FAULTS.filter(({ name }) => chosen.length === 0 || chosen.includes(name)))
      await show(bench, fault);
  } finally {
    client?.close();
    await prometheus.stop();
    await Promise.allSettled([roles.worker, roles.relay].map((role) => role?.stop()));
    await ground.stop();
    disk.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A disk that can be filled without harm to others; only root may have one. */
async function smallDisk(at) {
  await mkdir(at);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', at]);
  const mounted = status === 0;
  return { folder: at, mounted, remove: () => mounted && spawnSync('umount', [at]) };
}
/** The same simulated device, healthy and failing: they have one name, so that workers of both take the same batches. */
async function writePools(folder) {
  const profile = JSON.parse(await readFile(join(PROFILES, PROFILE), 'utf8'));
  const pools = {};
  for (const [name, failureRatio] of Object.entries({ healthy: 0, failing: 1 })) {
    await mkdir(join(folder, name));
    await cp(join(PROFILES, PROFILE), join(folder, name, PROFILE));
    await writeFile(join(folder, name, PROFILE), JSON.stringify({ ...profile, failureRatio }));
    pools[name] = `sim:${join(folder, name, PROFILE)}`;
  }
  return pools;
}
const watch = ({ prometheus, roles }) =>
  prometheus.watch({
    api: [roles.api.metricsUrl],
    relay: [roles.relay.metricsUrl],
    worker: roles.worker ? [roles.worker.metricsUrl] : [],
  });
async function upload(client, folder) {
  const set = await generateImages({ count: IMAGES, seed: 1, directory: join(folder, 'set'), labels: 0 });
  const headers = { 'content-type': 'application/json' };
  const project = await client.request('/api/projects', { method: 'POST', headers, body: '{"name":"alerts"}' });
  const { id } = JSON.parse(project.body);
  await uploadFiles({ client, projectId: id, files: set.images });
  return id;
}
async function startBatch({ client, projectId }) {
  const headers = { 'content-type': 'application/json', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  const body = JSON.stringify({ all: true, force: true });
  const reply = await client.request(`/api/projects/${projectId}/batches`, { method: 'POST', headers, body });
  if (reply.status !== 202) throw new Error(`no batch: ${reply.status} ${reply.body}`);
  return JSON.parse(reply.body).id;
}
async function ended({ client }, id) {
  for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; await sleep(250)) {
    const { finishedAt } = JSON.parse((await client.request(`/api/batches/${id}`, {})).body);
    if (finishedAt !== null) return;
  }
  throw new Error('a batch did not end within 60 s');
}
const runBatch = async (bench) => ended(bench, await startBatch(bench));

/** Prometheus was answered in OpenMetrics, took all of it, and has the trace of the request that started the batch. */
async function showExemplars({ prometheus }) {
  await sleep(3000);
  const down = await prometheus.query('up == 0');
  if (down.length > 0) throw new Error(`not scraped: ${JSON.stringify(down)}`);
  const query = 'segbench_http_request_duration_seconds_bucket';
  const now = Date.now() / 1000;
  const found = await prometheus.get(`/api/v1/query_exemplars?query=${query}&start=${now - 120}&end=${now}`);
  const traces = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
  if (!traces.includes(TRACE)) throw new Error(`no exemplar has the trace: ${JSON.stringify(traces)}`);
  const series = await prometheus.query('count by (job) ({job=~"segbench-.*"})');
  const counts = series.map(({ metric, value }) => `${metric.job} ${value[1]}`).toSorted();
  console.log(`scraped as OpenMetrics, the exemplar has its trace; series: ${counts.join(', ')}`);
}

async function waitUntil(check, ms) {
  const began = Date.now();
  while (!(await check())) {
    if (Date.now() - began > ms) return null;
    await sleep(500);
  }
  return Date.now() - began;
}
/** @throws Error when anything but these fires within the time */
async function quiet({ prometheus }, ms, allowed = []) {
  for (const until = Date.now() + ms; Date.now() < until; await sleep(500)) {
    const others = (await prometheus.firing()).filter((name) => !allowed.includes(name));
    if (others.length > 0) throw new Error(`fires as well: ${others.join(', ')}`);
  }
}

const redisOf = ({ ground }) => new Redis(ground.env.QUEUE_REDIS_URL, { maxRetriesPerRequest: 1 });
async function replaceWorker(bench, pool) {
  const { roles, ground } = bench;
  const before = roles.worker;
  roles.worker = undefined;
  await watch(bench);
  await before.stop();
  roles.worker = await ground.role('worker', { POOL: pool });
  await watch(bench);
}
async function withQueue(bench, work) {
  const connection = new Redis(bench.ground.env.QUEUE_REDIS_URL, { maxRetriesPerRequest: null });
  const queue = new Queue(SEGMENT_QUEUE, { connection, prefix: 'sb' });
  await work(queue);
  await queue.close();
  connection.disconnect();
}

async function startWorker(bench) {
  bench.roles.worker = await bench.ground.role('worker', { POOL: bench.pools.healthy });
  await watch(bench);
}

/** `plant` breaks something, `mend` puts it right again. */
const FAULTS = [
  {
    name: 'memory',
    what: 'the queue’s Redis has a tenth of its memory left',
    alerts: ['SegbenchQueueMemory'],
    async plant(bench) {
      const redis = redisOf(bench);
      const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))[1]);
      await redis.config('SET', 'maxmemory', Math.round(used / 0.9));
      redis.disconnect();
    },
    async mend(bench) {
      const redis = redisOf(bench);
      await redis.config('SET', 'maxmemory', 0);
      redis.disconnect();
    },
  },
  {
    name: 'disk',
    what: 'the disk of DATA_DIR is full but for a twentieth',
    alerts: ['SegbenchDisk'],
    needs: ({ disk }) => (disk.mounted ? null : 'no disk of its own could be mounted: that takes root'),
    plant: ({ disk }) => writeFile(join(disk.folder, 'fill'), Buffer.alloc(243 * 2 ** 20)),
    mend: ({ disk }) => rm(join(disk.folder, 'fill')),
  },
  {
    name: 'failing',
    what: 'a device that fails every image',
    alerts: ['SegbenchFailureRatio'],
    async plant(bench) {
      await replaceWorker(bench, bench.pools.failing);
      await startBatch(bench);
    },
    mend: (bench) => replaceWorker(bench, bench.pools.healthy),
  },
  {
    name: 'stuck',
    what: 'somebody paused the queue in Redis while images wait',
    alerts: ['SegbenchNoProgress', 'SegbenchOldestJob'],
    async plant(bench) {
      await withQueue(bench, (queue) => queue.pause());
      bench.batch = await startBatch(bench);
    },
    async mend(bench) {
      await withQueue(bench, (queue) => queue.resume());
      await ended(bench, bench.batch);
    },
  },
  {
    name: 'killed',
    what: 'kill -9 of the worker and its children',
    alerts: ['SegbenchWorkerSilent'],
    async plant({ roles }) {
      process.kill(-roles.worker.pid, 'SIGKILL');
    },
    mend: startWorker,
  },
  {
    name: 'gone',
    what: 'the last worker is gone from the list of targets as well',
    alerts: ['SegbenchWorkerSilent'],
    async plant(bench) {
      const { worker } = bench.roles;
      bench.roles.worker = undefined;
      await watch(bench);
      await worker.stop();
    },
    mend: startWorker,
  },
  {
    name: 'relay',
    what: 'kill -9 of the relay',
    alerts: ['SegbenchProcessDown'],
    async plant({ roles }) {
      process.kill(-roles.relay.pid, 'SIGKILL');
    },
    async mend(bench) {
      bench.roles.relay = await bench.ground.role('relay');
      await watch(bench);
    },
  },
];

async function show(bench, { what, alerts, needs, plant, mend }) {
  const { prometheus } = bench;
  const missing = needs?.(bench);
  if (missing) return console.log(`${what}: not run (${missing})`);
  const expected = alerts.toSorted().join();
  await plant(bench);
  let seen = [];
  const firedMs = await waitUntil(async () => {
    seen = await prometheus.firing();
    const others = seen.filter((name) => !alerts.includes(name));
    if (others.length > 0) throw new Error(`${what}: fires as well: ${others.join(', ')}`);
    return seen.join() === expected;
  }, FIRE_MS);
  if (firedMs === null)
    throw new Error(`${what}: after ${FIRE_MS / 1000} s fires [${seen.join(', ')}], expected ${expected}`);
  await quiet(bench, ALONE_MS, alerts);
  await mend(bench);
  const mendedMs = await waitUntil(async () => (await prometheus.firing()).length === 0, RECOVER_MS);
  if (mendedMs === null) throw new Error(`${what}: ${expected} still fires ${RECOVER_MS / 1000} s after the fault`);
  const seconds = (ms) => `${(ms / 1000).toFixed(0)} s`;
  console.log(
    `${what}: ${alerts.join(' and ')} after ${seconds(firedMs)}, nothing else; over after ${seconds(mendedMs)}`,
  );
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !FAULTS.some((fault) => fault.name === name));
if (unknown.length > 0) {
  console.error(`usage: alerts-live.mjs [FAULT…], faults: ${FAULTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (onPath('prometheus') === undefined) {
  console.error('no prometheus on PATH: apt-get install prometheus');
  process.exit(3);
}
try {
  await main(chosen);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
