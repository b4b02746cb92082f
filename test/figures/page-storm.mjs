// Frames of the gallery's page while 10,000 images a second end: `node test/figures/page-storm.mjs [EVENTS_A_SECOND] [SECONDS]`
// The page is real, in a real browser; the service is a stand-in, so that nothing but the page is measured. The scenario events-storm asks
// the same of the service, and has no page.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { createMockProject } from '../../loadtest/src/stand-in/project.ts';
import { mockResult } from '../../loadtest/src/stand-in/results.ts';
import { startMockServer } from '../../loadtest/src/stand-in/server.ts';
import { retainedBytes } from '../../loadtest/src/drivers/browser/memory.ts';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { quantile } from '../../loadtest/src/measure/statistics.ts';

const rate = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 20);
/** As the service sends them: at most 500 events a frame. */
const FRAME = 500;
/** Until the page has settled on the load, and at its end. */
const EDGE_S = 2;

const folder = await mkdtemp(join(tmpdir(), 'segbench-storm-'));
const dist = join(folder, 'dist');
await build({ build: { outDir: dist }, logLevel: 'error' });
const launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
const project = createMockProject(rate * seconds);
// A few results for all of them: two hundred thousand would not fit into this process.
const results = Array.from({ length: 64 }, (_, i) => mockResult(i));
project.images.forEach((image, i) => (image.result = results[i % results.length]));
const server = await startMockServer({ project, run: () => {}, dist });
try {
  const observed = await openObservedPage({
    browser: launched.browser,
    baseUrl: server.url,
    path: `/projects/${project.id}`,
    key: 'mock',
    timeoutMs: 60_000,
  });
  const { page } = observed;
  await page.waitForSelector('[data-image-id]');
  const before = await retainedBytes(observed);
  const batch = project.newBatch();
  let sent = 0;
  let late = 0;
  const began = performance.now();
  const frames = page.evaluate(
    ([from, to]) =>
      new Promise((resolve) => {
        const deltas = [];
        const start = performance.now();
        let last = start;
        const tick = (now) => {
          if (now - start > from) deltas.push(now - last);
          last = now;
          if (now - start < to) requestAnimationFrame(tick);
          else resolve(deltas);
        };
        requestAnimationFrame(tick);
      }),
    [EDGE_S * 1000, (seconds - EDGE_S) * 1000],
  );
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) / 1000) * rate));
      late = Math.max(late, due - sent - FRAME);
      for (; sent + FRAME <= due; sent += FRAME)
        project.finish(
          batch,
          Array.from({ length: FRAME }, (_, i) => sent + i),
        );
      if (sent < rate * seconds) return;
      clearInterval(timer);
      resolve(undefined);
    }, 10);
  });
  const deltas = await frames;
  await page.waitForFunction(
    (all) => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') === String(all),
    { timeout: 60_000 },
    rate * seconds,
  );
  const settledMs = performance.now() - began - seconds * 1000;
  const figures = {
    eventsPerSecond: Math.round(sent / ((performance.now() - began - settledMs) / 1000)),
    frames: deltas.length,
    frameP50Ms: quantile(deltas, 0.5),
    frameP95Ms: quantile(deltas, 0.95),
    longestFrameMs: Math.max(...deltas),
    longFrames: deltas.filter((ms) => ms > 100).length,
    settledAfterLastMs: Math.max(0, settledMs),
    eventsSentLateAtMost: Math.max(0, late),
    retainedGrowthBytes: (await retainedBytes(observed)) - before,
    renderer: 'software (headless, no GPU)',
    cores: cpus().length,
  };
  console.log(JSON.stringify(figures, null, 2));
} finally {
  await server.close();
  await launched.close();
  await rm(folder, { recursive: true, force: true });
}
