// The pictures of the dashboards: a real Prometheus scrapes a real service with real inference while batches run, a page looks on, and
// some things go wrong; then `grafana/src/draw.ts` draws each dashboard with what Prometheus has kept. The bench history is that of the
// kept results, from the times at which they ended.
//
//   node test/figures/dashboards.mjs [--minutes 5] [--out docs/images]       (Node 24; apt-get install prometheus)
//
// Exit 1 where a panel cannot be drawn, 3 where there is no prometheus. Panels without data are named.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import sharp from 'sharp';
import WebSocket from 'ws';
import { drawPictures } from '../../grafana/src/draw.ts';
import { heightOf, PAGE_WIDTH } from '../../grafana/src/draw/page.ts';
import { WEBP } from '../../grafana/src/draw/picture.ts';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { uploadFiles } from '../../loadtest/src/drivers/upload.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { descendants } from '../../loadtest/src/measure/proc.ts';
import { KEY, startGround } from './ground.mjs';
import { historyOf, readKept } from './kept-runs.mjs';
import { startPrometheus } from './prometheus-kit.mjs';

const IMAGES = 60;
const LIMITS = { minSide: 192, maxSide: 384, medianSide: 256, maxCells: 60, minCells: 8 };
/** Nothing happens at first, so that counters are seen at 0. */
const QUIET_MS = 20_000;
const SCRAPE_S = 5;
/** Of the grid. */
const TOP_ROWS = 22;
const PARAMETERS = [0.5, 0.45, 0.55, 0.4, 0.6];

const say = (line) => console.error(line);

/** Takes what it is sent, but for the first two attempts; and never wants to hear of the third message again. */
async function startReceiver() {
  const seen = [];
  const server = createServer((request, reply) => {
    request.resume();
    const id = String(request.headers['webhook-id']);
    if (!seen.includes(id)) seen.push(id);
    attempts++;
    reply.writeHead(attempts <= 2 ? 503 : seen.indexOf(id) === 2 ? 410 : 204).end();
  });
  let attempts = 0;
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/segbench`,
    close: () => new Promise((done) => server.close(done)),
  };
}
/** As the bench leaves its runs: a folder each. */
async function layOut(results, folder) {
  for (const { scenario, startedAt, ...rest } of results) {
    const name = `${startedAt.slice(0, 19).replaceAll(':', '-')}Z-${scenario}`;
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'result.json'), JSON.stringify({ scenario, startedAt, ...rest }));
  }
}

const send = (client, method, path, body) =>
  client.json(path, { method, ...(body === undefined ? {} : { body }), timeoutMs: 120_000 });
const start = ({ client, projectId }, more) =>
  send(client, 'POST', `/api/projects/${projectId}/batches`, { all: true, force: true, ...more });
async function ended({ client }, id) {
  for (const giveUpAt = Date.now() + 120_000; Date.now() < giveUpAt; await sleep(500)) {
    const batch = await send(client, 'GET', `/api/batches/${id}`);
    if (batch.finishedAt !== null) return batch;
  }
  throw new Error(`the batch ${id} did not end within 120 s`);
}

/** What people and programs ask for beside batches, and some of it wrongly. */
async function browse({ client, projectId, images }, batchId, round) {
  const query = `query ($id: ID!) { project(id: $id) { name images(pagination: { limit: 20 }) { total items { name status } } } }`;
  const asked = (path, init) => client.request(path, init);
  const json = { 'content-type': 'application/json' };
  for (let again = 0; again < 6; again++) {
    await asked(`/api/projects/${projectId}/images?limit=50&offset=${(again % 3) * 10}`);
    for (const { id } of images.slice(0, 6)) {
      await asked(`/api/images/${id}`);
      await asked(`/api/images/${id}/segmentation`, { headers: { 'accept-encoding': 'gzip' } });
    }
    const body = JSON.stringify({ query, variables: { id: projectId } });
    await asked('/graphql', { method: 'POST', headers: json, body });
  }
  const results = { ...json, 'accept-encoding': 'gzip', accept: 'application/json' };
  await asked('/api/segmentation/batch/results', {
    method: 'POST',
    headers: results,
    body: JSON.stringify({ batchId }),
  });
  await asked(`/api/images/00000000-0000-4000-8000-00000000000${round % 10}`);
  await asked('/api/projects', { headers: { authorization: 'Bearer not-a-key' } });
  await asked(`/api/projects/${projectId}/batches`, { method: 'POST', headers: json, body: '{"all": 1}' });
}

/** More at once than a small API process takes on, and more sockets. */
async function crowd(api, projectId) {
  const many = createHttpClient({ baseUrl: api.url, key: KEY, connections: 60 });
  const path = `/api/projects/${projectId}/images?limit=50`;
  await Promise.allSettled(Array.from({ length: 120 }, () => many.request(path)));
  many.close();
  // the places of those connections are free again
  await sleep(2000);
  const url = `${api.url.replace('http', 'ws')}/api/events?projectId=${projectId}`;
  const sockets = Array.from({ length: 4 }, () => new WebSocket(url, { headers: { authorization: `Bearer ${KEY}` } }));
  for (const socket of sockets) socket.on('error', () => {});
  await sleep(2 * SCRAPE_S * 1000);
  for (const socket of sockets) socket.terminate();
}

/** One after the other, each once, between rounds of batches. */
const EVENTS = [
  {
    what: 'the file of an image is lost, and its batch retried',
    async run(bench) {
      const { dataDir, images } = bench;
      const { sha256 } = images.at(-1);
      const file = join(dataDir, 'blobs', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
      await cp(file, join(dataDir, 'kept'));
      await rm(file);
      const { id } = await start(bench, { threshold: 0.52 });
      const { counts } = await ended(bench, id);
      say(`${counts.failed} failed`);
      await cp(join(dataDir, 'kept'), file);
      const again = await send(bench.client, 'POST', `/api/batches/${id}/retry`, { only: 'failed' });
      await ended(bench, again.id);
    },
  },
  {
    what: 'more requests and sockets than an API process takes',
    run: ({ small, projectId }) => crowd(small, projectId),
  },
  {
    what: 'an inference child is killed',
    async run(bench) {
      const { id } = await start(bench, { threshold: 0.53 });
      await sleep(1000);
      const [child] = descendants(bench.worker.pid);
      process.kill(child, 'SIGKILL');
      await ended(bench, id);
    },
  },
  {
    what: 'a batch is paused and goes on, another is cancelled',
    async run(bench) {
      const { client } = bench;
      const first = await start(bench, { threshold: 0.56 });
      await send(client, 'POST', `/api/batches/${first.id}/pause`);
      await sleep(12_000);
      await send(client, 'POST', `/api/batches/${first.id}/resume`);
      const second = await start(bench, { threshold: 0.57 });
      await sleep(3000);
      await send(client, 'POST', `/api/batches/${second.id}/cancel`);
      await ended(bench, first.id);
    },
  },
];

async function work(bench, untilMs) {
  for (let round = 0; Date.now() < untilMs; round++) {
    const { id } = await start(bench, { threshold: PARAMETERS[round % PARAMETERS.length] });
    await ended(bench, id);
    await browse(bench, id, round);
    const event = EVENTS[round - 1];
    if (event !== undefined) {
      say(event.what);
      await event.run(bench);
    }
    await sleep(6000);
  }
}

/** What a reader sees first: the values of now and two rows of budgets. */
async function cutTop(out) {
  const top = { left: 0, top: 0, width: PAGE_WIDTH, height: heightOf(TOP_ROWS) };
  const image = sharp(join(out, 'dashboard-overview.webp')).extract(top);
  await image.webp(WEBP).toFile(join(out, 'dashboard-top.webp'));
}

async function main({ minutes, out }) {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-dashboards-'));
  const kept = await readKept();
  const history = historyOf(kept);
  const dist = join(folder, 'dist');
  await build({ build: { outDir: dist }, logLevel: 'error' });
  await layOut(kept, join(folder, 'results'));
  const receiver = await startReceiver();
  const ground = await startGround({
    LOG_LEVEL: 'error',
    METRICS_PORT: '0',
    WORKERS: '2',
    DASHBOARDS_DIR: dist,
    RESULTS_DIR: join(folder, 'results'),
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
  });
  const roles = [];
  const role = async (name, more) => {
    const started = await ground.role(name, more);
    roles.push(started);
    return started;
  };
  const closing = [];
  try {
    const small = await role('api', { MAX_REQUESTS: '8', SOCKETS: '2', CONNECTIONS: '40' });
    const relay = await role('relay');
    const worker = await role('worker');
    const prometheus = await startPrometheus(1, { scrape: `${SCRAPE_S}s`, history: history.text });
    closing.push(() => prometheus.stop());
    const fromMs = Date.now();
    await prometheus.watch({
      api: [ground.api.metricsUrl, small.metricsUrl],
      relay: [relay.metricsUrl],
      worker: [worker.metricsUrl],
    });
    const client = createHttpClient({ baseUrl: ground.api.url, key: KEY, connections: 8 });
    closing.push(() => client.close());
    const set = await generateImages({
      count: IMAGES,
      seed: 3,
      directory: join(folder, 'set'),
      labels: 0,
      limits: LIMITS,
    });
    await sleep(QUIET_MS);
    const { id: projectId } = await send(client, 'POST', '/api/projects', { name: 'plate 7' });
    const { uploaded } = await uploadFiles({ client, projectId, files: set.images });
    const launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
    closing.push(() => launched.close());
    const page = await launched.browser.newPage();
    await page.goto(`${ground.api.url}/#key=${KEY}`, { waitUntil: 'load' });
    await page.waitForSelector('.plot canvas');
    await page.goto(`${ground.api.url}/projects/${projectId}`, { waitUntil: 'load' });
    const images = uploaded.map(({ image }) => image);
    await work({ client, projectId, images, dataDir: ground.dataDir, small, worker }, fromMs + minutes * 60_000);
    // so that it is seen at work
    await start({ client, projectId }, { threshold: 0.61 });
    await start({ client, projectId }, { threshold: 0.62 });
    await sleep(3 * SCRAPE_S * 1000);
    const toMs = Date.now();
    const drawn = await drawPictures({
      prometheusUrl: prometheus.url,
      out,
      scrapeMs: SCRAPE_S * 1000,
      rangeOf: ({ uid }) =>
        uid === 'segbench-bench' ? { fromMs: history.fromMs, toMs: history.toMs } : { fromMs, toMs },
      say,
    });
    if (!drawn) process.exitCode = 1;
    await cutTop(out);
  } finally {
    for (const close of closing.toReversed()) await close();
    await Promise.allSettled(roles.map((each) => each.stop()));
    await ground.stop();
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, out: { type: 'string' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1 && minutes <= 60)) {
  console.error(`--minutes "${values.minutes}": expected a number from 1 to 60`);
  process.exit(2);
}
if (onPath('prometheus') === undefined) {
  console.error('no prometheus on PATH: apt-get install prometheus');
  process.exit(3);
}
await main({ minutes, out: resolve(values.out ?? join(import.meta.dirname, '../../docs/images')) });
