import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { polygonsOfImage, seedOutlines } from '../../loadtest/src/load/outlines.ts';
import { measureViewer } from '../../loadtest/src/load/viewer-measure.ts';
import { measurementsOf } from '../../loadtest/src/load/viewer.ts';
import { VIEWER_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { TEST_KEY } from '../../service/test/support/app.ts';
import { form, picture } from '../../service/test/support/pictures.ts';
import { finishBatch, uploadPictures } from '../../service/test/support/results.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';
import { faultsOf, unreachedOf } from './accessible.ts';
import { entriesOf, savedFile } from './saved-files.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

describe('the gallery on the real service', () => {
  const countOf = async (id: string) => {
    const rows = await seen.service.sql<
      { name: string }[]
    >`select name from images where project_id = ${id} order by name`;
    return rows.map(({ name }) => name);
  };

  it('uploads once what it sends twice because an answer was lost, and names what is refused', async () => {
    const made = await seen.service.call('/api/projects', { method: 'POST', json: { name: 'uploads' } });
    const { id } = (await made.json()) as { id: string };
    const files = await Promise.all(
      ['a.png', 'b.png', 'notes.png'].map(async (name, index) => {
        const file = join(seen.folder, name);
        await writeFile(file, name === 'notes.png' ? 'no picture' : await picture(900 + index));
        return file;
      }),
    );
    const { page, violations } = await seen.open(`/projects/${id}`);
    await page.waitForSelector('.empty h2');
    expect(await faultsOf(page)).toEqual([]);
    const cdp = await page.createCDPSession();
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/images', requestStage: 'Response' }] });
    const keys: (string | undefined)[] = [];
    cdp.on('Fetch.requestPaused', ({ requestId, request }) => {
      keys.push(request.headers['idempotency-key']);
      // The service has stored it; the page never hears of it.
      const lost = keys.length === 1;
      void (lost
        ? cdp.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
        : cdp.send('Fetch.continueResponse', { requestId }));
    });
    const input = await page.waitForSelector('input[type=file][aria-label="Upload images"]');
    await input!.uploadFile(...files);
    await page.waitForSelector('.uploads-waiting');
    await page.waitForSelector('[data-uploads="over"]');
    expect(await page.$eval('.uploads-words', (node) => node.textContent)).toBe('2 files uploaded, 1 refused');
    expect(await page.$eval('.uploads-refused', (node) => node.textContent)).toMatch(/notes\.png: .+UNSUPPORTED_TYPE/);
    expect(keys).toHaveLength(2);
    expect([keys[0]!.length > 10, keys[1] === keys[0]]).toEqual([true, true]);
    expect(await countOf(id)).toEqual(['a.png', 'b.png']);
    await page.waitForSelector('[aria-setsize="2"]');
    expect(violations).toEqual([]);
    await page.close();
  });

  it('finds images by name, shows the names, and comes back from an image to what was shown', async () => {
    const { page } = await seen.open(`/projects/${seen.projectId}`);
    await page.waitForSelector('[aria-setsize="6"]');
    await page.type('input[type=search]', 'age-3');
    await page.waitForSelector(`[data-image-id="${seen.images[3]!.id}"][aria-setsize="1"]`);
    await page.waitForFunction(() => document.querySelector('.cell .words')?.textContent === 'image-3.png');
    await page.evaluate(() => document.querySelector<HTMLElement>('.cell')!.click());
    await page.waitForSelector('.view-stage');
    await page.locator('.view-back').click();
    await page.waitForSelector(`[data-image-id="${seen.images[3]!.id}"][aria-setsize="1"]`);
    expect(await page.$eval('input[type=search]', (node) => (node as HTMLInputElement).value)).toBe('age-3');
    await page.close();
  });
});

describe('the menu of exports on the real service', () => {
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent);

  it('makes files of a batch by keyboard alone, saves them, keeps them listed, and says what is wrong', async () => {
    const made = await seen.service.call('/api/projects', { method: 'POST', json: { name: 'exported' } });
    const { id: projectId } = (await made.json()) as { id: string };
    const all = await uploadPictures(seen.service, projectId, 6, 40);
    const first = await finishBatch(seen.service, projectId, all, [3, 1, 2, 4, null, 1]);
    await finishBatch(seen.service, projectId, all.slice(0, 2), [1, 1]);
    const { page, violations } = await seen.open(`/projects/${projectId}`);
    const folder = join(seen.folder, 'saved');
    const cdp = await page.createCDPSession();
    await cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    await mkdir(folder);
    await page.waitForSelector('[data-image-id]');
    await page.focus('.gallery-export summary');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-export="csv"]');
    await page.keyboard.press('Tab');
    const choice = () =>
      page.$eval('.exports select', ({ value, selectedOptions: [option] }) => [value, option!.textContent]);
    expect((await choice())[1]).toMatch(/ · 2 images · threshold 0\.50$/);
    await page.keyboard.press('ArrowDown');
    expect(await choice()).toEqual([first, expect.stringMatching(/ · 6 images · threshold 0\.50$/)]);
    await page.waitForFunction(() => /Without a result: 1 image/.test(document.querySelector('.exports')!.textContent));
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatch(/^CSVTables for Excel/);
    await page.keyboard.press('Enter');
    const csv = (await savedFile(folder, '.csv')).toString();
    const [images, cells] = csv.split('\r\n\r\n').map((table) => table.trim().split('\r\n'));
    expect([images!.length, cells!.length]).toEqual([7, 12]);
    expect(images!.filter((line) => line.includes(',failed,'))).toHaveLength(1);
    await page.waitForSelector('[data-export-row="csv"][data-state="ready"] a[download]');
    await page.waitForFunction(() =>
      document.querySelector('[role=status]')?.textContent?.startsWith('Export ready: CSV'),
    );

    await page.click('[data-export="labels-zip"]');
    const entries = entriesOf(await savedFile(folder, '.zip'));
    expect([...entries.keys()].toSorted()).toEqual([0, 1, 2, 3, 5].map((index) => `image-${index}.tif`));
    const { width, height, depth, channels } = await sharp(entries.get('image-3.tif')).metadata();
    expect([width, height, depth, channels]).toEqual([64, 48, 'ushort', 1]);
    const { data } = await sharp(entries.get('image-3.tif'))
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    expect(Math.max(...new Uint16Array(data.buffer, data.byteOffset, data.length / 2))).toBe(4);
    await page.waitForSelector('[data-export-row="labels-zip"][data-state="ready"]');

    // What the service could not write is said and made again, while another one is under way.
    const told = [
      { status: 'failed', progress: 0, sizeBytes: null, error: 'No space left on the device.' },
      { status: 'running', progress: 0.45, sizeBytes: null, error: null },
    ];
    const asked: string[] = [];
    cdp.on('Fetch.requestPaused', ({ requestId, request }) => {
      if (!asked.includes(request.url)) asked.push(request.url);
      const body = Buffer.from(JSON.stringify(told[asked.indexOf(request.url)])).toString('base64');
      // One that is paused when all are let go is no longer there.
      cdp.send('Fetch.fulfillRequest', { requestId, responseCode: 200, body }).catch(() => {});
    });
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/api/exports/*' }] });
    await page.click('[data-export="coco"]');
    await page.waitForSelector('[data-export-row="coco"][data-state="failed"]');
    expect(await page.$$eval('[role=alert]', (nodes) => nodes.map((node) => node.textContent))).toContain(
      'Export of COCO failed. No space left on the device.',
    );
    await page.click('[data-export="ndjson"]');
    const running = await page.waitForSelector('[data-export-row="ndjson"][data-state="running"]');
    expect(await running!.evaluate((node) => node.textContent)).toMatch(/^NDJSON: 45 %/);
    expect(await page.$eval('.gallery-export summary', (node) => node.textContent)).toBe('Export 45 %');
    expect(await faultsOf(page)).toEqual([]);
    expect(await unreachedOf(page)).toEqual([]);
    await cdp.send('Fetch.disable');
    await page.click('[data-export-row="coco"] button');
    expect(await focused(page)).toMatch(/^Export/);
    for (const format of ['coco', 'ndjson'])
      await page.waitForSelector(`[data-export-row="${format}"][data-state="ready"]`);
    for (const ending of ['.coco.json', '.ndjson']) await savedFile(folder, ending);

    await page.focus('[data-export="ndjson"]');
    await page.keyboard.press('Escape');
    expect([await focused(page), await page.$('.gallery-export[open]')]).toEqual(['Export', null]);
    const before = await readdir(folder);
    await page.reload();
    await page.waitForSelector('[data-image-id]');
    await page.click('.gallery-export summary');
    await page.waitForFunction(() => document.querySelectorAll('[data-export-row][data-state="ready"]').length === 4);
    await page.click('.toolbar h1');
    await page.waitForSelector('.gallery-export:not([open])');
    expect(await readdir(folder)).toEqual(before);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('says what to do first where there is nothing yet, and what is missing to who may not export', async () => {
    const made = await seen.service.call('/api/projects', { method: 'POST', json: { name: 'nothing yet' } });
    const { id } = (await made.json()) as { id: string };
    const json = { name: 'robot', scopes: ['metrics'] };
    const reply = await seen.service.call('/api/keys', { method: 'POST', json });
    const { token } = (await reply.json()) as { token: string };
    for (const { key, sign, words } of [
      { key: undefined, sign: '[data-nothing]', words: /^Nothing to export yetUpload images, then/ },
      { key: token, sign: '[data-needs-read]', words: /^The key “robot” \(metrics\) may not export/ },
    ]) {
      const { page } = await seen.open(`/projects/${id}`, key);
      await (await page.waitForSelector('.gallery-export summary'))!.click();
      expect(await (await page.waitForSelector(sign))!.evaluate((node) => node.textContent)).toMatch(words);
      expect(await faultsOf(page)).toEqual([]);
      await page.close();
    }
  });
});

describe('the viewer on the real service', () => {
  it('shows outlines, tells of one, leads to the next image by a key, and exports this one', async () => {
    await seen.service.call(`/api/projects/${seen.projectId}`, { method: 'PATCH', json: { pixelSizeUm: 0.5 } });
    const { page, violations } = await seen.open(`/images/${seen.imageId}`);
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
    expect(await page.$eval('[data-hovered]', (node) => node.textContent)).toBe('cell 1 144 µm² · 90 % sure');
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
    await page.waitForFunction(() => 'saved' in window);
    const saved = await page.evaluate(() => (window as unknown as { saved: string }).saved);
    const lines = saved.split('\r\n');
    expect(lines[0]).toBe('imageId,path,status,width,height,cellCount,areaPx,areaUm2');
    expect(lines[1]).toBe(`${seen.imageId},image-0.png,completed,64,48,3,592,148`);
    expect(lines.filter((line) => line.startsWith(seen.imageId))).toHaveLength(4);

    await page.focus('.view-stage');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((id) => location.pathname.endsWith(id), {}, seen.images[1]!.id);
    await page.waitForFunction(() => document.querySelector('.view-bar h1')?.textContent === 'image-1.png');
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
    const plan = { looks: 0, picks: 1, timeoutMs: 1050 };
    const { figures, verdicts } = await measured(plan, `(${spoil.toString()})()`);
    expect([figures.wrongDrawn > 0, figures.wrongPointed, figures.pointed]).toEqual([true, 1, 1]);
    expect(figures.firstPartMs).toBeNull();
    expect(verdicts).toMatchObject({
      viewer_pan_frame_p95_ms: 'fail',
      viewer_zoom_frame_p95_ms: 'fail',
      viewer_heap_retained_bytes: 'fail',
      viewer_wrong_outlines: 'fail',
    });
  });
});
