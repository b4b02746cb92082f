import { describe, expect, it } from 'vitest';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { withoutFloors } from '../../loadtest/src/judge/frames.ts';
import { measureGallery, measurementsOf } from '../../loadtest/src/load/gallery.ts';
import { openGallery, openHourPages } from '../../loadtest/src/load/hour-pages.ts';
import { measureHour, measurementsOf as hourOf } from '../../loadtest/src/load/page-hour.ts';
import { measureStorm, measurementsOf as stormOf } from '../../loadtest/src/load/page-storm.ts';
import { startDay } from '../../loadtest/src/stand-in/day.ts';
import { GALLERY_BUDGETS, HOUR_BUDGETS, PAGE_STORM_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { busyReading } from '../../loadtest/src/stand-in/busy-day.ts';
import { COUNT, FAILED, galleryBench, segmentAll, toasts, untilRight } from './gallery-page.ts';
import { createMockProject } from '../../loadtest/src/stand-in/project.ts';
import { startMockServer } from '../../loadtest/src/stand-in/server.ts';

const bench = galleryBench();
const { opened, openPage } = bench;

/** Keeps what it was shown, draws what was not found, and is late for every frame. */
function hoard(): void {
  const kept: unknown[] = [];
  addEventListener(
    'scroll',
    () => {
      const end = performance.now() + 45;
      while (performance.now() < end);
    },
    { capture: true, passive: true },
  );
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
    const measurements = script ? withoutFloors(measurementsOf(figures)) : measurementsOf(figures);
    const judged = judgeBudgets(measurements, GALLERY_BUDGETS, { imageCount: 100_000 });
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

  it('finds out a page that keeps what it was shown, shows what is not so and is late, beside a plain page', async () => {
    const { figures, verdicts } = await measured(`(${hoard.toString()})()`);
    expect(verdicts).toMatchObject({
      gallery_dom_nodes: 'fail',
      gallery_heap_retained_bytes: 'fail',
      gallery_frame_p95_ms: 'fail',
      gallery_wrong_cells: 'fail',
    });
    expect(figures.plainP95sMs).toEqual([expect.any(Number)]);
  });
});

/** Keeps something of each request and each frame, and never says that its data is old. */
function keepAll(): void {
  const kept: unknown[] = [];
  const ask = window.fetch.bind(window);
  const { WebSocket: Socket } = window;
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
  const SPEED = 10;
  const measured = async (plan: { seconds: number; timeoutMs: number }, script?: string) => {
    // What a page does not know it does not show, but would hold with the rest.
    const reading = (second: number) => ({ ...busyReading(second), ballast: String(second).repeat(50_000) });
    const day = await startDay({ images: 4000, imagesPerSecond: 40, speed: SPEED, dist: bench.dist, reading });
    opened.push(() => day.close());
    const pages = await openHourPages(bench.launched.browser, day, {
      speed: SPEED,
      resultsWithinSeconds: 60,
      script,
    });
    for (const { page } of pages) opened.unshift(() => page.browserContext().close());
    const { signal } = new AbortController();
    // A slope takes ten looks. Where pages are late the day grows longer, and more of them lie in its beginning.
    const figures = await measureHour(pages, day, { ...plan, looks: 14, silenceSeconds: 10, speed: SPEED, signal });
    const judged = judgeBudgets(hourOf(figures, script ? 0 : 0.1), HOUR_BUDGETS, { imageCount: 4000 });
    return { figures, verdicts: judged.map(({ name, verdict }) => `${name} ${verdict}`) };
  };

  it('finds pages that keep nothing of what they were told, show it, and say when they were told nothing', async () => {
    const { figures, verdicts } = await measured({ seconds: 40, timeoutMs: 15_000 });
    expect(figures.errors).toEqual([]);
    expect(figures.faults).toEqual([]);
    expect(verdicts).toEqual([
      'hour_operator_growth_bytes pass',
      'hour_gallery_growth_bytes pass',
      'hour_wrong_looks pass',
    ]);
    // Of a hundred kilobytes and more each: were they kept, they would be more than is let pass.
    expect(figures.told.readings).toBeGreaterThan(30);
    expect(figures.told.events).toBeGreaterThan(40 * 40 - 100);
    for (const looks of Object.values(figures.looks)) expect(looks.at(-1)!.nodes / looks[1]!.nodes).toBeLessThan(1.2);
  });

  it('finds out pages that hoard, and one that calls old data fresh', async () => {
    const { figures, verdicts } = await measured({ seconds: 20, timeoutMs: 800 }, `(${keepAll.toString()})()`);
    expect(figures.faults.join()).toContain('the operator does not say that it was told nothing');
    expect(verdicts).toEqual([
      'hour_operator_growth_bytes fail',
      'hour_gallery_growth_bytes fail',
      'hour_wrong_looks fail',
    ]);
  });
});

/** Holds the main thread up now and then, and draws what was not found. */
function struggle(): void {
  setInterval(() => {
    const end = performance.now() + 150;
    while (performance.now() < end);
  }, 200);
  new MutationObserver(() => {
    const cell = document.querySelector<HTMLElement>('[data-overlay]');
    if (cell && cell.dataset['polygonCount'] !== '1') cell.dataset['polygonCount'] = '1';
  }).observe(document, { subtree: true, attributes: true });
}

describe('measureStorm', () => {
  const measured = async (given: { images: number; timeoutMs: number }, script?: string) => {
    const plan = { ...given, eventsPerSecond: 10_000, edgeShare: 0.1 };
    const day = await startDay({ ...plan, imagesPerSecond: 10_000, speed: 1, most: plan.images, dist: bench.dist });
    opened.push(() => day.close());
    const page = await openGallery(bench.launched.browser, day, { speed: 1, resultsWithinSeconds: 0, script });
    opened.unshift(() => page.page.browserContext().close());
    const figures = await measureStorm(page, day, { ...plan, signal: new AbortController().signal });
    const judged = judgeBudgets(withoutFloors(stormOf(figures, plan)), PAGE_STORM_BUDGETS, { imageCount: plan.images });
    return { figures, verdicts: judged.map(({ name, verdict }) => `${name} ${verdict}`), day, errors: page.errors };
  };

  it('finds a gallery that shows frames all the while, and in the end all that it was told', async () => {
    const { figures, day, errors } = await measured({ images: 10_000, timeoutMs: 20_000 });
    expect(errors).toEqual([]);
    expect(figures).toMatchObject({ fault: null, settleMs: expect.any(Number) });
    expect(figures.frames.length).toBeGreaterThan(5);
    expect(day.told.events).toBe(10_000);
    expect(day.project.batches).toMatchObject([{ status: 'completed', counts: { completed: 10_000 } }]);
  });

  it('finds out one that is held up and shows what is not so', async () => {
    const { figures, verdicts } = await measured({ images: 10_000, timeoutMs: 2500 }, `(${struggle.toString()})()`);
    expect(verdicts).toEqual([
      'storm_page_frame_p95_ms fail',
      'storm_page_longest_frame_ms fail',
      'storm_page_settle_ms fail',
    ]);
    expect(figures.fault).toContain('other outlines');
    expect(figures.plainFrames.length).toBeGreaterThan(0);
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
