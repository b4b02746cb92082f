// What the pages hold after an hour: `node test/figures/page-hour.mjs [operator|gallery] [SPEED]` (10: an hour takes six minutes)
// A page in a real browser whose clock goes SPEED times as fast, before the tests' stand-in for the service, which tells it an hour of a
// busy day: a reading a second for the operator's page, 40 images a second that end for the gallery. Heap, DOM and array buffers are
// measured after two forced collections each.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { busyReading, fastClock } from '../../dashboards/test/busy-day.ts';
import { createMockProject } from '../../dashboards/test/mock-project.ts';
import { mockResult } from '../../dashboards/test/mock-results.ts';
import { startMockServer } from '../../dashboards/test/mock-server.ts';
import { retainedBytes } from '../../loadtest/src/drivers/browser/memory.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';

const which = process.argv[2] ?? 'operator';
const speed = Number(process.argv[3] ?? 10);
const HOUR_S = 3600;
/** Page minutes at which it is measured: from the tenth on everything has been seen once. */
const LOOKS = [1, 10, 20, 30, 40, 50, 60];
const IMAGES = 10_000;
const IMAGES_PER_SECOND = 40;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const folder = await mkdtemp(join(tmpdir(), 'segbench-hour-'));
const dist = join(folder, 'dist');
await build({ build: { outDir: dist }, logLevel: 'error' });
const launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {}, notesRequests: false });
const project = createMockProject(which === 'gallery' ? IMAGES : 12);
const results = Array.from({ length: 64 }, (_, i) => mockResult(i));
project.images.forEach((image, i) => (image.result = results[i % results.length]));

let began = performance.now();
const second = () => ((performance.now() - began) / 1000) * speed;
let readings = 0;
const server = await startMockServer({
  project,
  run: () => {},
  dist,
  now: () => (readings++, busyReading(Math.floor(second()))),
});

/** All images of one batch after the other, ending at the day's rate; what the page was told goes out of this process's memory. */
async function tellAnHour() {
  let ended = 0;
  let batch = project.newBatch();
  while (second() < HOUR_S) {
    const due = Math.floor(second() * IMAGES_PER_SECOND);
    while (ended < due) {
      const from = ended % IMAGES;
      const count = Math.min(500, due - ended, IMAGES - from);
      project.finish(
        batch,
        Array.from({ length: count }, (_, i) => from + i),
      );
      ended += count;
      if (ended % IMAGES === 0) batch = project.newBatch();
    }
    await sleep(100 / Math.max(1, speed / 10));
  }
  return ended;
}
try {
  const page = await launched.browser.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  const cdp = await page.createCDPSession();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.evaluateOnNewDocument(fastClock, speed);
  await page.goto(server.url + (which === 'gallery' ? `/projects/${project.id}` : '/'));
  await page.waitForSelector(which === 'gallery' ? '[data-image-id]' : '.plot canvas');
  began = performance.now();
  const telling = which === 'gallery' ? tellAnHour() : null;
  const looks = [];
  for (const minute of LOOKS) {
    await sleep(Math.max(0, ((minute * 60 - second()) / speed) * 1000));
    const heapBytes = await retainedBytes({ cdp });
    const nodes = await page.evaluate(() => document.getElementsByTagName('*').length);
    looks.push({ minute, heapBytes, nodes });
    console.error(`minute ${minute}: ${(heapBytes / 1e6).toFixed(2)} MB, ${nodes} nodes`);
  }
  const ended = await telling;
  const after = looks.filter(({ minute }) => minute >= 10).map(({ heapBytes }) => heapBytes);
  const figures = {
    page: which,
    speed,
    looks,
    growthFromMinute10Bytes: after.at(-1) - after[0],
    largestOverSmallest: Number((Math.max(...after) / Math.min(...after)).toFixed(3)),
    ...(which === 'gallery' ? { eventsTold: ended } : { readings }),
    pageErrors: errors,
    renderer: 'software (headless, no GPU)',
    cores: cpus().length,
  };
  console.log(JSON.stringify(figures, null, 2));
} finally {
  await server.close();
  await launched.close();
  await rm(folder, { recursive: true, force: true });
}
