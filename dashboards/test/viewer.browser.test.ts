import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { withoutFloors } from '../../loadtest/src/judge/frames.ts';
import { polygonsOfImage, seedOutlines } from '../../loadtest/src/load/outlines.ts';
import { measureViewer } from '../../loadtest/src/load/viewer-measure.ts';
import { measurementsOf } from '../../loadtest/src/load/viewer.ts';
import { VIEWER_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { TEST_KEY } from '../../service/test/support/app.ts';
import { form } from '../../service/test/support/pictures.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

describe('the viewer on the real service', () => {
  it('shows outlines, tells of one, leads to the next image by a key, and exports this one', async () => {
    await seen.service.call(`/api/projects/${seen.projectId}`, { method: 'PATCH', json: { pixelSizeUm: 0.5 } });
    const { page, violations } = await seen.open('/');
    const cdp = await page.createCDPSession();
    const held: string[] = [];
    cdp.on('Fetch.requestPaused', ({ requestId }) => void held.push(requestId));
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: `*/api/projects/${seen.projectId}` }] });
    await page.goto(`${seen.service.url}/images/${seen.imageId}`);
    await page.waitForSelector('tr button');
    // The square of 26 px, without its hole of 100: in the middle of its upper edge.
    const edge = () =>
      page.evaluate(() => {
        const box = document.querySelector('.view-stage')!.getBoundingClientRect();
        const scale =
          Number(document.querySelector('.view-zoom button:nth-child(2)')!.textContent!.replace(/\D/g, '')) / 100;
        const left = box.left + (box.width - 64 * scale) / 2;
        const top = box.top + (box.height - 48 * scale) / 2;
        return { x: left + 20 * scale, y: top + 6 * scale };
      });
    // The stage may still be finding its place when the pointer comes.
    const pointed = async () => {
      const { x, y } = await edge();
      await page.mouse.move(x - 1, y);
      await page.mouse.move(x, y);
      return (await page.$('[data-hovered="1"]')) !== null;
    };
    await expect.poll(pointed, { timeout: 20_000 }).toBe(true);
    expect(await page.$eval('[data-hovered]', (node) => node.textContent)).toBe('cell 1 … · 90 % sure');
    const { x, y } = await edge();
    await page.mouse.click(x, y);
    await page.waitForSelector('tr.selected');
    expect(await page.$eval('tr.selected button', (node) => node.textContent?.trim())).toBe('cell 1');

    await page.evaluate(() => {
      const original = URL.createObjectURL.bind(URL);
      URL.createObjectURL = (blob: Blob) => {
        void blob.text().then((text) => Object.assign(window, { saved: text }));
        return original(blob);
      };
    });
    await page.locator('.view-export summary').click();
    await page.locator('[data-export="csv"]').click();
    // The file has areas in µm², so it waits for the project as well.
    await expect.poll(() => held.length).toBe(2);
    expect(await page.evaluate(() => 'saved' in window)).toBe(false);
    await Promise.all(held.map((requestId) => cdp.send('Fetch.continueRequest', { requestId })));
    await cdp.send('Fetch.disable');
    await page.waitForFunction(() => 'saved' in window);
    expect(await page.$eval('tr.selected .numeric', (node) => node.textContent)).toBe('144 µm²');
    const saved = await page.evaluate(() => (window as unknown as { saved: string }).saved);
    const lines = saved.split('\r\n');
    expect(lines[0]).toBe('imageId,path,status,width,height,cellCount,areaPx,areaUm2');
    expect(lines[1]).toBe(`${seen.imageId},image-0.png,completed,64,48,3,592,148`);
    expect(lines.filter((line) => line.startsWith(seen.imageId))).toHaveLength(4);

    // Which images are beside this one is asked for once its project is known.
    await page.waitForSelector('.view-around .faint');
    await page.focus('.view-stage');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((id) => location.pathname.endsWith(id), {}, seen.images[1]!.id);
    await page.waitForFunction(() => document.querySelector('.view-bar h1')?.textContent === 'image-1.png');
    await page.waitForFunction(
      () => document.querySelector('[role=status]')?.textContent === 'image-1.png, 2 of 6: done',
    );
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction((id) => location.pathname.endsWith(id), {}, seen.imageId);
    expect(violations).toEqual([]);
    await page.close();
  });
});

describe('the viewer of an image beyond 4,096 pixels', () => {
  it('shows every pixel once it is zoomed, of which its levels show a mean, and loads what is in view alone', async () => {
    const size = { width: 9000, height: 60, channels: 1 as const };
    const columns = Buffer.from(Uint8Array.from({ length: size.width * size.height }, (_, at) => (at % 2) * 255));
    const bytes = await sharp(columns, { raw: size }).toColourspace('b-w').png().toBuffer();
    const made = await seen.service.call('/api/projects', { method: 'POST', json: { name: 'wide' } });
    const { id } = (await made.json()) as { id: string };
    const body = form([{ name: 'columns.png', bytes }]);
    const uploaded = await seen.service.call(`/api/projects/${id}/images`, { method: 'POST', body });
    const [image] = ((await uploaded.json()) as { images: { id: string }[] }).images;
    const { page, violations } = await seen.open('/');
    const parts: string[] = [];
    page.on('request', (request) => {
      const region = new URL(request.url()).searchParams.get('region');
      if (region !== null) parts.push(region);
    });
    await page.goto(`${seen.service.url}/images/${image!.id}`);
    await page.waitForSelector('.view-side');
    expect(await page.$eval('.view-facts', (node) => node.textContent)).toContain('9,000 × 60 px, ');
    /** Least and most of a row of what is drawn, about the middle of the stage. */
    const range = () =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.view-layer canvas')!;
        const { data } = canvas.getContext('2d')!.getImageData(canvas.width / 2, canvas.height / 2, 60, 1);
        const grays = Array.from(data).filter((_, at) => at % 4 === 0);
        return [Math.min(...grays), Math.max(...grays)];
      });
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.view-layer canvas')!;
      return (
        canvas.width > 1 && canvas.getContext('2d')!.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[3]
      );
    });
    const [dark, bright] = await range();
    expect(bright! - dark!).toBeLessThan(100);
    expect(parts).toEqual([]);
    await page.focus('.view-stage');
    // From all of it on 900 px to more than a screen pixel for each of its own.
    for (let press = 0; press < 10; press++) await page.keyboard.press('+');
    while (parts.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await page.waitForSelector('[data-parts="here"]');
    await page.waitForFunction(() => document.querySelector('.view-error') === null);
    const sharpest = await range();
    expect(sharpest[1]! - sharpest[0]!).toBeGreaterThan(180);
    // Nine parts are the whole of it.
    expect(new Set(parts.filter((part) => part.endsWith(',1024,60'))).size).toBeLessThan(6);
    expect(violations).toEqual([]);
    await page.close();
  });
});

/** Rubs out a spot of what is drawn, calls what is pointed at by another name, is late for every frame and part, and hoards. */
function spoil(): void {
  const ask = window.fetch.bind(window);
  const lateFetch: typeof fetch = async (...given) => {
    if (typeof given[0] === 'string' && given[0].includes('region='))
      await new Promise((resolve) => setTimeout(resolve, 1500));
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
    const until = performance.now() + 20;
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
    const figures = await measureViewer(page, plan);
    await page.close();
    const of = { outlines: OUTLINES, found: polygons.length, timeoutMs: given.timeoutMs };
    const judged = judgeBudgets(withoutFloors(measurementsOf(figures, of)), VIEWER_BUDGETS, { imageCount: 1 });
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
    const plan = { looks: 0, picks: 1, timeoutMs: 1050 };
    const { figures, verdicts } = await measured(plan, `(${spoil.toString()})()`);
    expect([figures.wrongDrawn > 0, figures.wrongPointed, figures.pointed]).toEqual([true, 1, 1]);
    expect(figures.firstPartMs).toBeNull();
    for (const { plainP95sMs } of [figures.pan, figures.zoom, figures.panFull])
      expect(plainP95sMs).toEqual([expect.any(Number)]);
    expect(verdicts).toMatchObject({
      viewer_pan_frame_p95_ms: 'fail',
      viewer_zoom_frame_p95_ms: 'fail',
      viewer_heap_retained_bytes: 'fail',
      viewer_wrong_outlines: 'fail',
    });
  });
});
