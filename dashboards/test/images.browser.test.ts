import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { form, picture } from '../../service/test/support/pictures.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';
import { faultsOf } from './accessible.ts';

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

describe('the viewer on the real service', () => {
  it('shows outlines, tells of one, leads to the next image by a key, and exports this one', async () => {
    await seen.service.call(`/api/projects/${seen.projectId}`, { method: 'PATCH', json: { pixelSizeUm: 0.5 } });
    const { page, violations } = await seen.open(`/images/${seen.imageId}`);
    await page.waitForSelector('tr button');
    // The square of 26 px, without its hole of 100: in the middle of its upper edge.
    const at = await page.evaluate(() => {
      const box = document.querySelector('.view-stage')!.getBoundingClientRect();
      const scale =
        Number(document.querySelector('.view-zoom button:nth-child(2)')!.textContent!.replace(/\D/g, '')) / 100;
      const left = box.left + (box.width - 64 * scale) / 2;
      const top = box.top + (box.height - 48 * scale) / 2;
      return { x: left + 20 * scale, y: top + 6 * scale };
    });
    await page.mouse.move(at.x, at.y);
    await page.waitForSelector('[data-hovered="1"]');
    expect(await page.$eval('[data-hovered]', (node) => node.textContent)).toBe('cell 1 144 µm² · 90 % sure');
    await page.mouse.click(at.x, at.y);
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
