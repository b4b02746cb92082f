import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { polygonsOfImage, seedOutlines } from '../../loadtest/src/load/outlines.ts';
import { measureViewer } from '../../loadtest/src/load/viewer-measure.ts';
import { measurementsOf } from '../../loadtest/src/load/viewer.ts';
import { VIEWER_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { TEST_KEY } from '../../service/test/support/app.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

/** Rubs out a spot of what is drawn, calls what is pointed at by another name, is late for every frame and part, and hoards. */
function spoil(): void {
  const { fetch: ask } = window;
  const lateFetch: typeof fetch = async (...given) => {
    if (String(given[0]).includes('region=')) await new Promise((resolve) => setTimeout(resolve, 1500));
    return ask(...given);
  };
  Object.assign(window, { kept: new Uint8Array(80e6), fetch: lateFetch });
  const show = Object.getOwnPropertyDescriptor(ImageBitmapRenderingContext.prototype, 'transferFromImageBitmap')!
    .value as (this: ImageBitmapRenderingContext, bitmap: ImageBitmap | null) => void;
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
    if (!bitmap) return show.call(this, bitmap);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    context.clearRect(bitmap.width / 2 - 12, bitmap.height / 2 - 12, 24, 24);
    show.call(this, canvas.transferToImageBitmap());
  };
  new MutationObserver(() => {
    for (const tip of document.querySelectorAll('[data-hovered]:not([data-hovered="0"])'))
      tip.setAttribute('data-hovered', '0');
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-hovered'] });
  const block = (): void => {
    const until = performance.now() + 25;
    while (performance.now() < until);
    requestAnimationFrame(block);
  };
  requestAnimationFrame(block);
}

describe('measureViewer', () => {
  const OUTLINES = 120;
  let imageId = '';
  beforeAll(async () => {
    const target = { url: seen.service.url, key: TEST_KEY };
    const image = { width: 4200, height: 1000, outlines: OUTLINES };
    ({ imageId } = await seedOutlines(seen.service.sql, { target, ...image }));
  });

  const measured = async (given: { looks: number; picks: number; timeoutMs: number }, script?: string) => {
    const target = { url: seen.service.url, key: TEST_KEY };
    const polygons = await polygonsOfImage(target, imageId);
    const page = await openObservedPage({
      browser: seen.browser,
      baseUrl: target.url,
      path: `/images/${imageId}`,
      key: target.key,
      ready: '.view-side tr button',
      script,
    });
    const { signal } = new AbortController();
    const plan = { ...given, polygons, moves: 1, moveMs: 300, quietMs: 150, signal };
    const figures = await measureViewer(page, plan).finally(() => page.close());
    const of = { outlines: OUTLINES, found: polygons.length, timeoutMs: given.timeoutMs };
    const judged = judgeBudgets(measurementsOf(figures, of), VIEWER_BUDGETS, { imageCount: 1 });
    return { figures, errors: page.errors, verdicts: Object.fromEntries(judged.map((one) => [one.name, one.verdict])) };
  };

  it('finds every outline drawn where the service says that it is, told by its own name, and little memory', async () => {
    const { figures, verdicts, errors } = await measured({ looks: 2, picks: 3, timeoutMs: 15_000 });
    expect(errors).toEqual([]);
    expect(figures).toMatchObject({ wrongDrawn: 0, wrongPointed: 0, seen: OUTLINES });
    expect(figures.pointed).toBeGreaterThan(6);
    expect(verdicts).toMatchObject({ viewer_wrong_outlines: 'pass', viewer_heap_retained_bytes: 'pass' });
    for (const figure of [figures.firstPartMs, figures.allPartsMs, figures.parts]) expect(figure).toBeGreaterThan(0);
    for (const { frames } of [figures.pan, figures.zoom, figures.panFull]) expect(frames).toBeGreaterThan(3);
  });

  it('finds out one that draws otherwise, tells otherwise, is late and hoards', async () => {
    const plan = { looks: 1, picks: 1, timeoutMs: 1200 };
    const { figures, verdicts } = await measured(plan, `(${spoil.toString()})()`);
    expect([figures.wrongDrawn > 0, figures.wrongPointed, figures.pointed]).toEqual([true, 2, 2]);
    expect([...new Set(Object.values(verdicts))]).toEqual(['fail']);
  });
});
