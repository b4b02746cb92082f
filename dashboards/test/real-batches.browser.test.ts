import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { Image } from '#contract/images.ts';
import { startProxy, targetOf, through } from '../../loadtest/src/faults/proxy.ts';
import { picture } from '../../service/test/support/pictures.ts';
import { cellFiles, startHeldPages, type HeldPages } from '../../service/test/support/whole-pages.ts';
import { drawn, polygonCounts, toasts } from './gallery-page.ts';

let whole: HeldPages;
beforeAll(async () => void (whole = await startHeldPages()));
afterAll(() => whole?.close());

const imagesOf = async (projectId: string): Promise<Image[]> =>
  (await whole.call<{ items: Image[] }>(`/api/projects/${projectId}/images`)).items;
const countsOf = (images: readonly Image[]) =>
  Object.fromEntries(images.map(({ id, polygonCount }) => [id, polygonCount]));
const batchesOf = async (projectId: string): Promise<Batch[]> =>
  (await whole.call<{ items: Batch[] }>(`/api/projects/${projectId}/batches`)).items.toReversed();

it('says that its line is cut in the middle of a batch, can be used all the while, and is right once it is back', async () => {
  const COUNT = 24;
  const BEFORE = 8;
  const { id } = await whole.project('cut', await cellFiles(COUNT));
  const line = await startProxy(targetOf(whole.url));
  onTestFinished(() => line.close());
  const letGo = await whole.hold('inferred', BEFORE);
  const { page, violations, requests } = await whole.gallery(id, through(whole.url, line));
  await page.setViewport({ width: 1280, height: 1000 });
  await page.locator('[data-action="segment-all"]').click();
  const atBefore = `[role=progressbar][aria-valuenow="${BEFORE}"][aria-valuemax="${COUNT}"]`;
  await page.waitForSelector(atBefore);

  line.refuse(true);
  line.cut();
  await page.waitForSelector('.connection-lost');
  await letGo();
  await expect.poll(async () => (await batchesOf(id))[0]!.status, { timeout: 30_000 }).toBe('completed');
  await page.locator('[data-filter="completed"]').click();
  await page.waitForSelector(`[aria-setsize="${BEFORE}"]`);
  await page.locator('[data-filter="all"]').click();
  await page.waitForSelector(`[aria-setsize="${COUNT}"]`);
  await page.locator('[aria-posinset="2"] .tick').click();
  await page.waitForSelector('[data-selected="1"]');
  expect(await page.$(`.toolbar:has(.connection-lost) ${atBefore}`)).not.toBeNull();

  line.refuse(false);
  await page.waitForSelector('.connection-live');
  await drawn(page, COUNT);
  const images = await imagesOf(id);
  expect(images.every(({ status }) => status === 'completed')).toBe(true);
  expect(await polygonCounts(page)).toEqual(countsOf(images));
  expect(await page.$eval('[data-filter="completed"] b', (node) => node.textContent)).toBe(String(COUNT));
  expect(await page.$('[data-selected="1"]')).not.toBeNull();
  expect(await toasts(page)).toBe(1);
  // it was told what it had missed, and did not read everything anew
  expect(requests.filter((request) => request.endsWith('/index'))).toHaveLength(1);
  expect(violations).toEqual([]);
  await page.close();
});

/** Drags the thumb of the threshold to a share of its way. @returns where it came to rest */
async function dragThreshold(page: Page, from: number, to: number): Promise<number> {
  const slider = (await page.waitForSelector('.threshold input'))!;
  const { x, y, width, height } = (await slider.boundingBox())!;
  await page.mouse.move(x + from * width, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + to * width, y + height / 2, { steps: 6 });
  await page.mouse.up();
  return slider.evaluate((input) => (input as HTMLInputElement).valueAsNumber);
}

it('tries twelve images, and the same anew at each threshold that is let go of, and says which look strange', async () => {
  const cells = await cellFiles(12);
  const noise = await Promise.all([1, 2, 3, 4].map((seed) => picture(seed, { width: 128, height: 128 })));
  // the noise at every fourth place: all of it is among the twelve of sixteen
  const files = noise.flatMap((bytes, at) => [...cells.slice(3 * at, 3 * at + 3), { name: `noise-${at}.png`, bytes }]);
  const { id, images } = await whole.project('tried', files);
  const { page, violations } = await whole.gallery(id);
  await page.setViewport({ width: 1280, height: 1000 });
  const tried = (threshold: number) =>
    page.waitForFunction(
      (at) => document.querySelector('[data-trial="12"]')?.textContent?.includes(at),
      {},
      threshold.toFixed(2),
    );
  const shown = async () => Object.keys(await polygonCounts(page));
  await page.locator('[data-action="try-first"]').click();
  await tried(0.5);
  const twelve = await shown();
  expect(twelve).toHaveLength(12);

  const threshold = await dragThreshold(page, 0.5, 0.9);
  expect(threshold).toBeGreaterThan(0.7);
  await tried(threshold);
  await drawn(page, 12);
  const batches = await batchesOf(id);
  expect(batches.map((batch) => [batch.threshold, batch.total])).toEqual([
    [0.5, 12],
    [threshold, 12],
  ]);
  const after = await imagesOf(id);
  const ofTrial = after.filter(({ batchId }) => batchId === batches[1]!.id);
  expect(ofTrial.map((image) => image.id).toSorted()).toEqual(twelve.toSorted());
  expect(await polygonCounts(page)).toEqual(countsOf(ofTrial));

  await page.locator('.trial-actions button:not([data-action])').click();
  await page.waitForSelector('[aria-setsize="16"]');
  expect(await page.$('[data-trial]')).toBeNull();
  const results = await Promise.all(
    twelve.map((image) => whole.call<{ imageId: string; warnings?: string[] }>(`/api/images/${image}/segmentation`)),
  );
  const strange = results.filter(({ warnings = [] }) => warnings.length > 0).map(({ imageId }) => imageId);
  expect(strange).toEqual(expect.arrayContaining([3, 7, 11, 15].map((at) => images[at]!.id)));
  expect(strange.length).toBeLessThan(12);
  await page.locator(`[data-unlike-notice="${strange.length}"] button`).click();
  await page.waitForSelector(`[data-filter="unlike"][aria-pressed="true"]`);
  await page.waitForSelector(`[aria-setsize="${strange.length}"]`);
  expect((await shown()).toSorted()).toEqual(strange.toSorted());
  expect(violations).toEqual([]);
  await page.close();
});
