// What the service costs besides the work itself: CPU an image of each process during a batch with real inference and one reader of
// its events, the share that the bare loop needs for the same images in the same run, and the longest blocks of the event loops.
// CPU time (user and system), so that other load on the machine counts for little. Exit 1 where a limit below is crossed.
//
//   node test/figures/overhead.mjs [IMAGES=1000] [BATCHES=1] [WORKERS=2] [--keep]            (Node 24, Linux)
//
// The first batch is judged; further ones infer all images anew and show the spread. A last batch, whose CPU does not count, has the
// event loops watched (BLOCKS=0 leaves it out). OVERHEAD_NODE_OPTIONS reaches the roles (`--cpu-prof --cpu-prof-dir=…`).
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { openLedgerSocket } from '../../loadtest/src/drivers/ledger-socket.ts';
import { uploadFiles } from '../../loadtest/src/drivers/upload.ts';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { runBareLoop } from '../../loadtest/src/measure/bare.ts';
import { createProcessSampler } from '../../loadtest/src/measure/processes.ts';
import { KEY, startGround } from './ground.mjs';
import { figure } from './tell.mjs';

const LIMITS = { cpuRatio: 0.85, overheadMs: 5, apiBlockMs: 20 };
const MODEL = join(import.meta.dirname, '../../service/models/nuclei/1');
const SERVICE = ['api', 'relay', 'worker', 'inference'];
/** What the bare loop does as well. */
const STAGES = ['decode', 'normalise', 'infer', 'polygons', 'encode'];
const TIMED_OUT_MS = 540_000;

async function stagesOf(sql, batchId, images) {
  const rows =
    await sql`select stage, sum(cpu_ms)::float8 as ms from image_stages where batch_id = ${batchId} group by stage`;
  const found = new Map(rows.map(({ stage, ms }) => [stage, ms ?? 0]));
  return Object.fromEntries(STAGES.map((stage) => [stage, (found.get(stage) ?? 0) / images]));
}

/** Longest late tick of a role between two moments: by the clock, and as far as the main thread itself was busy in it. */
async function blocksOf(folder, role, fromMs, toMs) {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${role}-`));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const ticks = texts
    .flatMap((text) => text.trim().split('\n').filter(Boolean))
    .map((line) => JSON.parse(line))
    .filter(({ atMs }) => atMs > fromMs && atMs < toMs);
  const busyMs = ({ lateMs, cpuMs }) => Math.min(lateMs, cpuMs);
  const longest = ticks.toSorted((a, b) => busyMs(b) - busyMs(a)).slice(0, 3);
  return {
    lateMs: Math.max(0, ...ticks.map(({ lateMs }) => lateMs)),
    busyMs: Math.max(0, ...ticks.map(busyMs)),
    longest: longest.map(
      (tick) =>
        `${busyMs(tick).toFixed(1)} ms (collection ${tick.gcMs.toFixed(1)} ms) ${((tick.atMs - fromMs) / 1000).toFixed(1)} s in`,
    ),
  };
}

async function runBatch({ ground, client, sampler, socket, projectId }, images, force) {
  const before = sampler.cpu();
  const reply = await client.request(`/api/projects/${projectId}/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ all: true, force }),
  });
  if (reply.status !== 202) throw new Error(`no batch: ${reply.status} ${reply.body}`);
  const { id } = JSON.parse(reply.body);
  const giveUpAt = Date.now() + TIMED_OUT_MS;
  while (!socket.log.isFinished(id)) {
    if (Date.now() > giveUpAt) throw new Error(`the batch did not end within ${TIMED_OUT_MS / 1000} s`);
    await sleep(50);
  }
  const after = sampler.cpu();
  const told = socket.log.terminalOf(id).size;
  if (told !== images) throw new Error(`${told} of ${images} images were told to have ended`);
  const use = (role) => ((after.byRole[role] - before.byRole[role]) * 1000) / images;
  const cpu = Object.fromEntries([...SERVICE, 'postgres', 'redis'].map((role) => [role, use(role)]));
  const stages = await stagesOf(ground.sql, id, images);
  return { cpu, stages, fromMs: before.atMs, toMs: after.atMs };
}

/** A batch with the event loops of the roles watched. @returns for each role what it was late by and blocked for, at most, in ms */
async function watchLoops(bench, roles, images) {
  for (const { pid } of roles) process.kill(pid, 'SIGUSR2');
  await sleep(1000);
  const { fromMs, toMs } = await runBatch(bench, images, true);
  await sleep(1000); // the last ticks are on their way to the disk
  return Promise.all(roles.map(async ({ role }) => ({ role, ...(await blocksOf(bench.folder, role, fromMs, toMs)) })));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** What a batch cost: ms of CPU an image, but for the last two. */
function costOf({ cpu, stages, fromMs, toMs }, bare) {
  const work = sum(Object.values(stages));
  const service = sum(SERVICE.map((role) => cpu[role]));
  return {
    ...Object.fromEntries(SERVICE.map((role) => [role, cpu[role]])),
    ...Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [`of inference: ${stage}`, ms])),
    'of inference: other': cpu.inference - work,
    'all of the service': service,
    overhead: service - work,
    'bare loop': bare.cpuMsPerImage,
    PostgreSQL: cpu.postgres,
    Redis: cpu.redis,
    'CPU ratio': bare.cpuMsPerImage / service,
    'whole batch, s': (toMs - fromMs) / 1000,
  };
}
function figureOf({ images, workers, batches, bare, loops }) {
  const costs = batches.map((batch) => costOf(batch, bare));
  const [first] = costs;
  const api = loops.find(({ role }) => role === 'api');
  const limit = (holds, text) => ({ holds, text });
  return {
    table: {
      title: 'CPU of the service besides the work itself',
      note: [
        `${images} images, ${workers} children; ms of CPU an image where nothing else is said.`,
        ...loops.map(
          ({ role, lateMs, busyMs, longest }) =>
            `Event loop of ${role}: late by ${lateMs.toFixed(1)} ms, blocked for ${busyMs.toFixed(1)} ms at most: ${longest.join(', ')}.`,
        ),
      ].join(' '),
      columns: ['', ...costs.map((_, at) => `batch ${at + 1}`)].map((name) => ({ name })),
      rows: Object.keys(first).map((name) => [name, ...costs.map((cost) => cost[name].toFixed(2))]),
    },
    limits: [
      limit(
        first['CPU ratio'] >= LIMITS.cpuRatio,
        `CPU ratio ${first['CPU ratio'].toFixed(3)}, at least ${LIMITS.cpuRatio}`,
      ),
      limit(
        first.overhead <= LIMITS.overheadMs,
        `overhead ${first.overhead.toFixed(2)} ms an image, at most ${LIMITS.overheadMs}`,
      ),
      ...(api
        ? [
            limit(
              api.busyMs <= LIMITS.apiBlockMs,
              `the API's event loop was blocked for ${api.busyMs.toFixed(1)} ms, at most ${LIMITS.apiBlockMs}`,
            ),
          ]
        : []),
    ],
  };
}

async function measure(images, count, workers) {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-overhead-'));
  const [loopLog, pictures] = [join(folder, 'loops'), join(folder, 'set')];
  await mkdir(loopLog);
  const set = await generateImages({ count: images, seed: 1, directory: pictures, labels: 0 });
  const monitor = `--import=${join(import.meta.dirname, 'loop-monitor.mjs')}`;
  const ground = await startGround({
    LOG_LEVEL: 'warn',
    LOOP_LOG: loopLog,
    NODE_OPTIONS: [monitor, process.env.OVERHEAD_NODE_OPTIONS ?? ''].join(' ').trim(),
  });
  const roles = [];
  const sampler = createProcessSampler();
  let socket;
  try {
    roles.push(await ground.role('relay'));
    roles.push(await ground.role('worker', { WORKERS: String(workers) }));
    for (const { role, pid } of [ground.api, ...roles])
      sampler.watch({ role, pid, ...(role === 'worker' ? { childRole: () => 'inference' } : {}) });
    for (const { what, pid } of ground.servers)
      sampler.watch({ role: what.startsWith('PostgreSQL') ? 'postgres' : 'redis', pid });
    const client = createHttpClient({ baseUrl: ground.api.url, key: KEY, connections: 8 });
    const project = await client.request('/api/projects', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"figures"}',
    });
    const { id: projectId } = JSON.parse(project.body);
    await uploadFiles({ client, projectId, files: set.images });
    socket = await openLedgerSocket({ baseUrl: ground.api.url, key: KEY, projectId });
    await sleep(1000);
    const bench = { ground, client, sampler, socket, projectId, folder: loopLog };
    const batches = [];
    for (let i = 0; i < count; i++) batches.push(await runBatch(bench, images, i > 0));
    const bare = await runBareLoop({
      files: set.images.map(({ path }) => path),
      modelDir: MODEL,
      processes: workers,
      directory: folder,
      env: {},
    });
    const loops = process.env.BLOCKS === '0' ? [] : await watchLoops(bench, [ground.api, ...roles], images);
    client.close();
    return { images, workers, batches, bare, loops };
  } finally {
    socket?.close();
    await Promise.allSettled(roles.map((role) => role.stop()));
    await ground.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const { words, tell } = figure();
const [images = 1000, count = 1, workers = 2] = words.map(Number);
if (![images, count, workers].every((value) => Number.isInteger(value) && value > 0)) {
  console.error('usage: overhead.mjs [IMAGES] [BATCHES] [WORKERS], whole numbers from 1');
  process.exit(2);
}
await tell(async () => figureOf(await measure(images, count, workers)));
