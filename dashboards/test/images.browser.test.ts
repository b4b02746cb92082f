import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from '../../service/test/support/pictures.ts';
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
    await page.waitForFunction(() =>
      [...document.querySelectorAll('[role=alert]')].some(
        (node) => node.textContent === 'Export of COCO failed. No space left on the device.',
      ),
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
