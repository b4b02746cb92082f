// Frames of the viewer while an image of 8,000 × 8,000 with 5,000 outlines is moved and zoomed, and what its full resolution costs:
// `node test/figures/viewer.mjs [SIDE] [OUTLINES]`. A real API process draws the pictures; the outlines are written into the database.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import sharp from 'sharp';
import { build } from 'vite';
import { retainedBytes } from '../../loadtest/src/drivers/browser/memory.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { quantile } from '../../loadtest/src/measure/statistics.ts';
import { encodePolygons } from '../../service/src/contract/polygons-format.ts';
import { KEY, startGround } from './ground.mjs';

const side = Number(process.argv[2] ?? 8000);
const outlines = Number(process.argv[3] ?? 5000);
const MOVE_MS = 5000;

/** Cells of 40 corners on a raster over all of the image. */
function cells() {
  const perRow = Math.ceil(Math.sqrt(outlines));
  const step = side / perRow;
  return Array.from({ length: outlines }, (_, i) => {
    const [x, y] = [((i % perRow) + 0.5) * step, (Math.floor(i / perRow) + 0.5) * step];
    const points = Array.from({ length: 40 }, (__, k) => {
      const radius = step * (0.34 + ((i * 7 + k * 3) % 4) / 60);
      const angle = (k / 40) * 2 * Math.PI;
      return [Math.round(x + radius * Math.cos(angle)), Math.round(y + radius * Math.sin(angle))];
    }).flat();
    const box = [x - step / 2, y - step / 2, step, step].map(Math.round);
    return { id: i + 1, type: 'external', parentId: null, points, area: 450, bbox: box, confidence: 0.9 };
  });
}
/** Gray noise, in a file that an upload may bring. */
async function picture() {
  const noise = { type: 'gaussian', mean: 90, sigma: 12 };
  const { data, info } = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: '#000', noise } })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
    .resize(side, side, { kernel: 'cubic' })
    .jpeg({ quality: 80 })
    .toBuffer();
}
async function upload({ url }) {
  const auth = { authorization: `Bearer ${KEY}` };
  const json = { ...auth, 'content-type': 'application/json' };
  const made = await fetch(`${url}/api/projects`, { method: 'POST', headers: json, body: '{"name":"viewer"}' });
  const { id } = await made.json();
  const body = new FormData();
  const bytes = await picture();
  body.append('files', new Blob([bytes]), 'large.jpg');
  const reply = await fetch(`${url}/api/projects/${id}/images`, { method: 'POST', headers: auth, body });
  if (!reply.ok) throw new Error(await reply.text());
  return { image: (await reply.json()).images[0], bytes: bytes.length };
}
async function writeResult(sql, { id, sha256 }) {
  const result = randomUUID();
  const polygons = Buffer.from(encodePolygons(cells()));
  await sql`insert into results ${sql({ id: result, sha256: Buffer.from(sha256, 'hex'), model: 'nuclei', model_version: '1', parameters: 't', threshold: 0.5, image_width: side, image_height: side, polygon_count: outlines, processing_ms: 1, stages: {}, polygons })}`;
  await sql`update images set status = 'completed', result_id = ${result}, polygon_count = ${outlines} where id = ${id}`;
}
/** Largest resident size so far of each process that the API has started, in MB. */
async function childPeaks(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const status = (child) => readFile(`/proc/${child}/status`, 'utf8').catch(() => '');
  const all = await Promise.all(text.trim().split(/\s+/).filter(Boolean).map(status));
  return all.map((each) => Math.round(Number(/VmHWM:\s+(\d+)/.exec(each)?.[1] ?? 0) / 1024));
}

const ground = await startGround();
const dist = `${ground.dataDir}/dist`;
await build({ build: { outDir: dist }, logLevel: 'error' });
const api = await ground.role('api', { DASHBOARDS_DIR: dist });
const launched = await launchBrowser({ tempDir: ground.dataDir, env: {}, log: () => {} });
try {
  const { image, bytes } = await upload(api);
  await writeResult(ground.sql, image);
  const page = await launched.browser.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  const asked = [];
  page.on('requestfinished', (request) => asked.push(new URL(request.url())));
  const parts = () => asked.filter(({ searchParams }) => searchParams.has('region')).length;
  // A page that asks for nothing by itself: a request that is cut by the next one's address is never told to have ended.
  await page.goto(`${api.url}/keys#key=${KEY}`, { waitUntil: 'networkidle0' });
  const opened = performance.now();
  await page.goto(`${api.url}/images/${image.id}`);
  await page.waitForSelector('.view-side tr button');
  const outlinesMs = performance.now() - opened;
  await page.waitForNetworkIdle({ idleTime: 1000 });

  /** Intervals of frames while `act` goes on. */
  async function frames(act) {
    const deltas = page.evaluate(
      (ms) =>
        new Promise((resolve) => {
          const found = [];
          const start = performance.now();
          let last = start;
          const tick = (now) => {
            found.push(now - last);
            last = now;
            if (now - start < ms) requestAnimationFrame(tick);
            else resolve(found.slice(1));
          };
          requestAnimationFrame(tick);
        }),
      MOVE_MS,
    );
    const until = performance.now() + MOVE_MS;
    for (let step = 0; performance.now() < until; step++) {
      await act(step);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    const found = await deltas;
    const round = (ms) => Number(ms.toFixed(1));
    return {
      frames: found.length,
      p50Ms: round(quantile(found, 0.5)),
      p95Ms: round(quantile(found, 0.95)),
      longestMs: round(Math.max(...found)),
    };
  }
  const middle = [500, 400];
  const drag = (step) => page.mouse.move(middle[0] + 180 * Math.sin(step / 20), middle[1] + 120 * Math.cos(step / 14));
  async function pan() {
    await page.mouse.move(...middle);
    await page.mouse.down();
    const found = await frames(drag);
    await page.mouse.up();
    return found;
  }
  const zoom = (step) => page.mouse.wheel({ deltaY: Math.floor(step / 60) % 2 === 0 ? -20 : 20 });

  const panAll = await (async () => {
    // Not seen whole, or there is nothing to pan: nearly all outlines are in view.
    await page.focus('.view-stage');
    await page.keyboard.press('+');
    await page.waitForNetworkIdle({ idleTime: 500 });
    return pan();
  })();
  const zoomAll = await frames(zoom);
  await page.focus('.view-stage');
  await page.keyboard.press('0');
  await page.waitForNetworkIdle({ idleTime: 500 });
  const before = parts();
  const began = performance.now();
  for (let press = 0; press < 8; press++) await page.keyboard.press('+');
  await page.waitForSelector('[data-parts="coming"]');
  while (parts() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  const firstPartMs = performance.now() - began;
  await page.waitForSelector('[data-parts="here"]', { timeout: 120_000 });
  const allPartsMs = performance.now() - began;
  const shownParts = parts() - before;
  const panParts = await pan();
  const retained = await retainedBytes({ cdp: await page.createCDPSession() });
  const figures = {
    image: `${side} × ${side}, ${(bytes / 1e6).toFixed(1)} MB`,
    outlines,
    outlinesListedMs: Math.round(outlinesMs),
    panAll,
    zoomAll,
    fullResolution: {
      firstPartMs: Math.round(firstPartMs),
      allInViewMs: Math.round(allPartsMs),
      parts: shownParts,
      laterPartsWhilePanning: parts() - before - shownParts,
      pan: panParts,
    },
    drawingProcessesPeakMB: await childPeaks(api.pid),
    pageRetainedMB: Number((retained / 1e6).toFixed(1)),
    renderer: 'software (headless, no GPU)',
    cores: cpus().length,
  };
  console.log(JSON.stringify(figures, null, 2));
} finally {
  await launched.close();
  await api.stop();
  await ground.stop();
}
