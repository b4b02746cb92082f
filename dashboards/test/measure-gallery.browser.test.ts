import { describe, expect, it } from 'vitest';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { measureGallery, measurementsOf } from '../../loadtest/src/load/gallery.ts';
import { openHourPages } from '../../loadtest/src/load/hour-pages.ts';
import { measureHour, measurementsOf as hourOf } from '../../loadtest/src/load/page-hour.ts';
import { startDay } from '../../loadtest/src/stand-in/day.ts';
import { GALLERY_BUDGETS, HOUR_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { busyReading, fastClock } from '../../loadtest/src/stand-in/busy-day.ts';
import { COUNT, FAILED, galleryBench, segmentAll, toasts, untilRight } from './gallery-page.ts';
import { createMockProject } from '../../loadtest/src/stand-in/project.ts';
import { startMockServer } from '../../loadtest/src/stand-in/server.ts';

const bench = galleryBench();
const { opened, openPage } = bench;

/** Keeps what it was shown, and draws what was not found. */
function hoard(): void {
  const kept: unknown[] = [];
  Object.assign(window, { kept });
  setInterval(() => {
    const cell = document.querySelector<HTMLElement>('[data-overlay]');
    if (!cell || kept.length > 0) return;
    kept.push(new Uint8Array(80e6));
    for (let n = 0; n < 600; n++) document.body.append(document.createElement('i'));
  }, 50);
  setInterval(() => {
    const cell = document.querySelector<HTMLElement>('[data-overlay]');
    if (cell) cell.dataset['polygonCount'] = '1';
  }, 400);
}

describe('measureGallery', () => {
  const SHOWN = 600;
  const measured = async (script?: string) => {
    const project = createMockProject(SHOWN);
    project.finish(
      project.newBatch(),
      project.images.map((_, place) => place),
    );
    const server = await startMockServer({ project, run: () => {}, dist: bench.dist });
    opened.push(() => server.close());
    const page = await openObservedPage({
      browser: bench.launched.browser,
      baseUrl: server.url,
      path: `/projects/${project.id}`,
      key: 'any',
      script,
    });
    opened.unshift(() => page.close());
    const cells = new Map(project.images.map(({ id, result }) => [id, result!.polygonCount]));
    const { signal } = new AbortController();
    const plan = { images: SHOWN, cells, sweeps: 2, sweepMs: 500, visits: 1, quietMs: 200, timeoutMs: 8000, signal };
    const figures = await measureGallery(page, {
      ...plan,
      ...(script ? { sweeps: 1, visits: 0, timeoutMs: 1200 } : {}),
    });
    const judged = judgeBudgets(measurementsOf(figures), GALLERY_BUDGETS, { imageCount: 100_000 });
    const verdicts = Object.fromEntries(judged.map(({ name, verdict }) => [name, verdict]));
    return { figures, verdicts, errors: page.errors };
  };

  it('finds few nodes, little memory and right cells in a gallery that was scrolled from end to end and ordered', async () => {
    const { figures, verdicts, errors } = await measured();
    expect(errors).toEqual([]);
    expect(verdicts).toMatchObject({
      gallery_dom_nodes: 'pass',
      gallery_heap_retained_bytes: 'pass',
      gallery_wrong_cells: 'pass',
    });
    for (const figure of [figures.firstPaintMs, figures.settleMs, figures.jumpMs, figures.orderMs])
      expect(figure).toBeGreaterThanOrEqual(0);
  });

  it('finds out a page that keeps what it was shown and shows what is not so', async () => {
    const { verdicts } = await measured(`(${hoard.toString()})()`);
    expect(verdicts).toMatchObject({
      gallery_dom_nodes: 'fail',
      gallery_heap_retained_bytes: 'fail',
      gallery_wrong_cells: 'fail',
    });
  });
});

interface HeapUsage {
  usedSize: number;
  backingStorageSize: number;
}

describe('the operator’s page', () => {
  it('holds none of the readings that it has shown, in a real browser', async () => {
    let second = 0;
    // What a page does not know it does not show, but would hold with the rest.
    const now = () => ({ ...busyReading(second++), ballast: String(second).repeat(20_000) });
    const server = await startMockServer({ project: createMockProject(1), run: () => {}, dist: bench.dist, now });
    opened.push(() => server.close());
    const page = await bench.launched.browser.newPage();
    opened.unshift(() => page.close());
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.evaluateOnNewDocument(fastClock, 60);
    await page.goto(server.url);
    const cdp = await page.createCDPSession();
    await cdp.send('Performance.enable');
    const held = async (readings: number) => {
      while (second < readings) await new Promise((resolve) => setTimeout(resolve, 20));
      for (let round = 0; round < 2; round++) await cdp.send('HeapProfiler.collectGarbage');
      // What the debugger notes of each request lies in the heap of the DOM: that is counted by its nodes.
      const { usedSize, backingStorageSize } = (await cdp.send('Runtime.getHeapUsage')) as unknown as HeapUsage;
      const { metrics } = await cdp.send('Performance.getMetrics');
      const nodes = metrics.find(({ name }) => name === 'Nodes')!.value;
      return { bytes: usedSize + backingStorageSize, nodes };
    };
    const before = await held(60);
    const after = await held(180);
    // Of 120 readings with 60 kB each.
    expect(after.bytes - before.bytes).toBeLessThan(2e6);
    expect(after.nodes).toBeLessThan(before.nodes * 1.2);
    expect(errors).toEqual([]);
  });
});

/** Keeps something of each request and each frame, and never says that its data is old. */
function keepAll(): void {
  const kept: unknown[] = [];
  const { fetch: ask, WebSocket: Socket } = window;
  const HoardingSocket = class extends Socket {
    constructor(address: string | URL) {
      super(address);
      this.addEventListener('message', () => kept.push(new Uint8Array(50e3)));
    }
  };
  const hoardingFetch: typeof fetch = (...given) => {
    kept.push(new Uint8Array(100e3));
    return ask(...given);
  };
  Object.assign(window, { kept, fetch: hoardingFetch, WebSocket: HoardingSocket });
  new MutationObserver(() => {
    for (const age of document.querySelectorAll('[data-age="stale"]')) age.setAttribute('data-age', 'fresh');
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-age'] });
}

describe('measureHour', () => {
  const SPEED = 20;
  const measured = async (plan: { seconds: number; timeoutMs: number }, script?: string) => {
    const day = await startDay({ images: 600, imagesPerSecond: 40, speed: SPEED, dist: bench.dist });
    opened.push(() => day.close());
    const pages = await openHourPages(bench.launched.browser, day, SPEED, script);
    for (const { page } of pages) opened.unshift(() => page.browserContext().close());
    const { signal } = new AbortController();
    const figures = await measureHour(pages, day, { ...plan, looks: 14, silenceSeconds: 10, speed: SPEED, signal });
    const judged = judgeBudgets(hourOf(figures, 0.25), HOUR_BUDGETS, { imageCount: 600 });
    return { figures, verdicts: judged.map(({ name, verdict }) => `${name} ${verdict}`) };
  };

  it('finds pages that keep nothing of what they were told, show it, and say when they were told nothing', async () => {
    const { figures, verdicts } = await measured({ seconds: 80, timeoutMs: 15_000 });
    expect(figures.errors).toEqual([]);
    expect(figures.faults).toEqual([]);
    expect(verdicts).toEqual([
      'hour_operator_growth_bytes pass',
      'hour_gallery_growth_bytes pass',
      'hour_wrong_looks pass',
    ]);
    expect(figures.told.readings).toBeGreaterThan(40);
    expect(figures.told.events).toBeGreaterThan(80 * 40 - 100);
  });

  it('finds out pages that hoard, and one that calls old data fresh', async () => {
    const { figures, verdicts } = await measured({ seconds: 60, timeoutMs: 1000 }, `(${keepAll.toString()})()`);
    expect(figures.faults.join()).toContain('the operator does not say that it was told nothing');
    expect(verdicts).toEqual([
      'hour_operator_growth_bytes fail',
      'hour_gallery_growth_bytes fail',
      'hour_wrong_looks fail',
    ]);
  });
});

describe('negative control', () => {
  it('makes a request and a toast for every image, and still gets to its end', async () => {
    const { project, server, page } = await openPage('/naive');
    await segmentAll(page);
    const cells = await untilRight(page, project);
    expect(cells).toMatchObject({ all: COUNT, wrong: 0 });
    expect(await toasts(page)).toBe(COUNT);
    const single = server.requests.filter((route) => route === 'GET /api/images/:id/segmentation');
    expect(single).toHaveLength(COUNT - FAILED);
  });
});
