import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resultJson } from '../../service/test/support/runs.ts';
import { runIdOf } from '../../service/src/runs/store.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';
import { savedFile } from './saved-files.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

it('shows the images of one status by its chip, and all again', async () => {
  const { page, violations } = await seen.open(`/projects/${seen.projectId}`);
  await page.waitForSelector('[aria-setsize="6"]');
  const shown = () =>
    page.$$eval('[data-image-id]', (cells) => cells.map((cell) => cell.getAttribute('data-image-id')));
  const ids = seen.images.map(({ id }) => id);
  expect(await page.$('[data-filter="all"][aria-pressed="true"]')).not.toBeNull();
  for (const status of ['uploaded', 'queued', 'processing', 'cancelled'])
    expect(await page.$(`[data-filter="${status}"]:disabled`)).not.toBeNull();
  await page.locator('[data-filter="failed"]').click();
  await page.waitForSelector('[data-filter="failed"][aria-pressed="true"]');
  expect(await shown()).toEqual([ids[4]]);
  await page.locator('[data-filter="completed"]').click();
  await page.waitForSelector('[data-filter="completed"][aria-pressed="true"]');
  expect(await shown()).toEqual(ids.filter((id) => id !== ids[4]));
  // pressed a second time, it lets go
  await page.locator('[data-filter="completed"]').click();
  await page.waitForSelector('[data-filter="all"][aria-pressed="true"]');
  expect(await shown()).toEqual(ids);
  expect(violations).toEqual([]);
  await page.close();
});

describe('the viewer', () => {
  const OVERLAY = '.view-layer canvas:nth-child(2)';
  /** Pixels of the overlay that are not clear. */
  const drawnPixels = (page: Page) =>
    page.$eval(OVERLAY, (node) => {
      const canvas = node as HTMLCanvasElement;
      const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let drawn = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at]! > 0) drawn++;
      return drawn;
    });

  it('draws outlines fainter, or empty, when told to', async () => {
    const { page, violations } = await seen.open(`/images/${seen.imageId}`);
    await page.waitForSelector('.view-outlines tr button');
    await expect.poll(() => drawnPixels(page), { timeout: 20_000 }).toBeGreaterThan(0);
    const filled = await drawnPixels(page);
    await page.locator('.view-display input[type=checkbox]').click();
    await expect.poll(() => drawnPixels(page), { timeout: 20_000 }).toBeLessThan(filled / 3);
    expect(await drawnPixels(page)).toBeGreaterThan(filled / 100);
    await page.locator('.view-display input[type=checkbox]').click();
    await expect.poll(() => drawnPixels(page), { timeout: 20_000 }).toBe(filled);

    const opacity = () => page.$eval(OVERLAY, (node) => Number(getComputedStyle(node).opacity));
    expect(await opacity()).toBe(1);
    await page.focus('.view-display input[type=range]');
    for (let press = 0; press < 12; press++) await page.keyboard.press('ArrowLeft');
    await expect.poll(opacity).toBeCloseTo(0.4);
    await page.keyboard.press('Home');
    await expect.poll(opacity).toBe(0);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('saves an image’s outlines as GeoJSON and COCO, and its mask', async () => {
    const { page, violations } = await seen.open(`/images/${seen.imageId}`);
    const folder = join(seen.folder, 'of-one-image');
    await mkdir(folder);
    const cdp = await page.createCDPSession();
    await cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
    await page.waitForSelector('.view-outlines tr button');
    const save = async (entry: string, ending: string): Promise<Buffer> => {
      await page.locator('.view-export:not([open]) summary').click();
      await page.locator(`.view-export[open] ${entry}`).click();
      return savedFile(folder, ending);
    };
    const { type, features } = JSON.parse((await save('[data-export="geojson"]', '.geojson')).toString()) as {
      type: string;
      features: { geometry: { type: string; coordinates: number[][][] }; properties: { path: string } }[];
    };
    expect([type, features.length, features[0]!.properties.path]).toEqual(['FeatureCollection', 3, 'image-0.png']);
    const { geometry } = features[0]!;
    expect(geometry.type).toBe('Polygon');
    expect(geometry.coordinates.map((ring) => ring.flat())).toEqual([
      [4, 4, 30, 4, 30, 30, 4, 30, 4, 4],
      [10, 10, 10, 20, 20, 20, 20, 10, 10, 10],
    ]);

    const coco = JSON.parse((await save('[data-export="coco"]', '.coco.json')).toString()) as {
      images: object[];
      annotations: { image_id: number; bbox: number[] }[];
    };
    expect(coco.images).toEqual([{ id: 1, file_name: 'image-0.png', width: 64, height: 48 }]);
    expect(coco.annotations.map(({ image_id, bbox }) => [image_id, ...bbox])).toEqual([
      [1, 4, 4, 26, 26],
      [1, 38, 40, 4, 4],
      [1, 39, 40, 4, 4],
    ]);

    const mask = await save('a[download$=".mask.png"]', '.mask.png');
    const { data, info } = await sharp(mask).raw().toBuffer({ resolveWithObject: true });
    const alphaAt = (x: number, y: number) => data[(y * info.width + x) * info.channels + 3];
    expect([info.width, info.height, info.channels]).toEqual([64, 48, 4]);
    expect([alphaAt(6, 6), alphaAt(25, 25), alphaAt(1, 1), alphaAt(15, 15)].map(Boolean)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(violations).toEqual([]);
    await page.close();
  });
});

it('draws the times of a stage of two runs over each other, the slower one to the right', async () => {
  const name = '2026-03-03T00-00-00Z-bulk-1000';
  const slower = resultJson({ name }) as { stages: { infer: { histogram: [number, number][] } } };
  slower.stages.infer.histogram = slower.stages.infer.histogram.map(([bin, count]) => [bin + 8, count]);
  await mkdir(join(seen.folder, 'bench-results', name));
  await writeFile(join(seen.folder, 'bench-results', name, 'result.json'), JSON.stringify(slower));
  const { page, violations } = await seen.open('/runs');
  for (const id of [seen.runIds[1]!, runIdOf(name)]) await page.locator(`[data-run="${id}"] input`).click();
  await page.locator('a.compare-link').click();
  await page.waitForSelector('figure[data-stage]');
  // the others have no times by bins
  expect(await page.$$eval('figure[data-stage]', (all) => all.map((each) => each.dataset['stage']))).toEqual(['infer']);
  /** Where on its way from left to right a run's drawing stands above its floor. */
  const spans = await page.$$eval('[data-stage="infer"] path', (paths) =>
    paths.map((node) => {
      const path = node as SVGPathElement;
      const { width, height } = path.ownerSVGElement!.viewBox.baseVal;
      const filled = Array.from({ length: width }, (_, x) => x).filter((x) =>
        path.isPointInFill(new DOMPoint(x + 0.5, height - 1)),
      );
      return [filled[0], filled.at(-1)];
    }),
  );
  const [[baseFrom = NaN, baseTo = NaN] = [], [nowFrom = NaN, nowTo = NaN] = []] = spans;
  expect(nowFrom).toBeGreaterThan(baseFrom);
  expect(nowTo).toBeGreaterThan(baseTo);
  expect(violations).toEqual([]);
  await page.close();
});
