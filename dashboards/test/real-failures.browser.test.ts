import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { Image } from '#contract/images.ts';
import { createStorage } from '../../service/src/storage.ts';
import { picture } from '../../service/test/support/pictures.ts';
import { startHeldPages, type HeldPages } from '../../service/test/support/whole-pages.ts';
import { drawn, polygonCounts, toasts } from './gallery-page.ts';

let whole: HeldPages;
beforeAll(async () => void (whole = await startHeldPages()));
afterAll(() => whole?.close());

const projectOf = async (name: string, count: number, seed: number) =>
  whole.project(
    name,
    await Promise.all(
      Array.from({ length: count }, async (_, at) => ({ name: `${name}-${at}.png`, bytes: await picture(seed + at) })),
    ),
  );
const stored = ({ sha256 }: Image): string => createStorage(join(whole.folder, 'files')).path(sha256);
const aside = ({ sha256 }: Image): string => join(whole.folder, 'aside', sha256);
/** Takes the bytes of images away, as a disk does that is not mounted. */
async function lose(images: readonly Image[]): Promise<void> {
  await mkdir(dirname(aside(images[0]!)), { recursive: true });
  for (const image of images) await rename(stored(image), aside(image));
}
const giveBack = async (images: readonly Image[]): Promise<void> => {
  for (const image of images) await rename(aside(image), stored(image));
};
const idsOf = (images: readonly Image[]): string[] => images.map(({ id }) => id).toSorted();
const batchOf = (id: string) => whole.call<Batch>(`/api/batches/${id}`);
async function ended(id: string): Promise<void> {
  await expect.poll(async () => (await batchOf(id)).status, { timeout: 30_000 }).toBe('completed');
}
/** Who ran what again, oldest first. */
async function retries(): Promise<string[][]> {
  const { items } = await whole.call<{ items: { action: string; targetId: string; keyName: string }[] }>('/api/audit');
  const found = items.filter(({ action }) => action === 'POST /api/batches/:id/retry');
  return found.toReversed().map(({ targetId, keyName }) => [targetId, keyName]);
}

/** Presses the retry of the newest row of a code, and says yes. @returns the batch that it made */
async function retryOn(page: Page, code: string): Promise<string> {
  const known = () => page.$$eval('[data-retry]', (nodes) => nodes.map((node) => node.getAttribute('data-retry')!));
  const before = await known();
  const row = `[data-code="${code}"] .failure:first-child`;
  await page.locator(`${row} [data-action="retry"]`).click();
  await page.locator(`${row} [data-action="retry-yes"]`).click();
  await page.waitForSelector(`${row} [data-retry]`);
  return (await known()).find((id) => !before.includes(id))!;
}
/** Both places that show a batch's progress: the failures' own row, and that of the batches. */
const shows = (page: Page, id: string, done: number) =>
  page.waitForFunction(
    (batch, value) => {
      const bars = [
        ...document.querySelectorAll<HTMLProgressElement>(
          `:is([data-retry="${batch}"], [data-batch="${batch}"]) progress`,
        ),
      ];
      return bars.length === 2 && bars.every((bar) => bar.value === value);
    },
    {},
    id,
    done,
  );

it('shows what failed by code with samples, and runs it again until it is healed, in the name of who asked', async () => {
  const scopes = ['read', 'write', 'metrics'];
  const { token } = await whole.call<{ token: string }>('/api/keys', { json: { name: 'night shift', scopes } });
  const { id, images } = await projectOf('lost', 6, 100);
  const [lost, damaged] = [images.slice(0, 3), images[3]!];
  await lose(lost);
  await writeFile(stored(damaged), 'no picture');
  const first = await whole.call<Batch>(`/api/projects/${id}/batches`, { json: { all: true } });
  await ended(first.id);

  const { page, violations } = await whole.open('/', token);
  const samplesOf = (code: string) =>
    page.$$eval(`[data-code="${code}"] .samples a`, (links) => links.map((link) => link.href.split('/').at(-1)!));
  await page.waitForSelector('[data-code="UNKNOWN"] [data-action="retry"]');
  expect(await page.$eval('[data-code="UNKNOWN"] [data-action="retry"]', (node) => node.textContent)).toContain('3');
  expect((await samplesOf('UNKNOWN')).toSorted()).toEqual(idsOf(lost));
  expect(await samplesOf('INVALID_IMAGE')).toEqual([damaged.id]);
  expect(await page.$('[data-code="INVALID_IMAGE"] .not-retryable')).not.toBeNull();
  expect(await page.$('[data-code="INVALID_IMAGE"] [data-action="retry"]')).toBeNull();

  // held in the middle, so that it is seen going
  const letGo = await whole.hold('claimed', 0);
  const again = await retryOn(page, 'UNKNOWN');
  await shows(page, again, 0);
  await letGo();
  await shows(page, again, 3);
  await ended(again);
  expect(await batchOf(again)).toMatchObject({ retryOf: first.id, status: 'completed', counts: { failed: 3 } });

  // what failed again is a row of its own
  await page.waitForSelector('[data-code="UNKNOWN"] .failure:nth-child(2) [data-retry]');
  await giveBack(lost);
  const healed = await retryOn(page, 'UNKNOWN');
  await shows(page, healed, 3);
  await ended(healed);
  expect(await batchOf(healed)).toMatchObject({
    retryOf: again,
    status: 'completed',
    counts: { completed: 3, failed: 0 },
  });
  expect(await page.$$eval('[data-code="UNKNOWN"] .failure', (rows) => rows.length)).toBe(2);
  expect(await page.$('[data-code="UNKNOWN"] [data-action="retry"]')).toBeNull();
  expect(await retries()).toEqual([
    [again, 'night shift'],
    [healed, 'night shift'],
  ]);
  expect(violations).toEqual([]);
  await page.close();
});

it('runs what failed again once, whoever presses the toast’s retry and how often', async () => {
  const { id, images } = await projectOf('twice', 4, 300);
  const [acting, watching] = [await whole.gallery(id), await whole.gallery(id)];
  await lose(images.slice(0, 2));
  await acting.page.bringToFront();
  await acting.page.locator('[data-action="segment-all"]').click();
  const retry = '[data-action="retry-failed"]';
  for (const { page } of [acting, watching]) {
    await page.bringToFront();
    await page.waitForSelector(retry);
  }
  await giveBack(images.slice(0, 2));
  // held, so that it is under way
  const letGo = await whole.hold('claimed', 0);
  await acting.page.bringToFront();
  await acting.page.click(retry, { count: 2 });
  await acting.page.waitForSelector(`${retry}:disabled`);
  await acting.page.click(retry);
  await watching.page.bringToFront();
  await watching.page.click(retry);
  await watching.page.waitForSelector(`${retry}:disabled`);
  const batches = () => whole.call<{ items: Batch[]; total: number }>(`/api/projects/${id}/batches`);
  for (const { page } of [acting, watching])
    await expect.poll(() => page.$$eval('[data-toast]', (nodes) => nodes.length), { timeout: 10_000 }).toBe(2);
  expect(await batches()).toMatchObject({ total: 2 });
  await letGo();
  const [again, first] = (await batches()).items as [Batch, Batch];
  await ended(again.id);
  expect(await batchOf(again.id)).toMatchObject({ retryOf: first.id, total: 2, counts: { completed: 2 } });
  await acting.page.bringToFront();
  await drawn(acting.page, 4);
  await acting.page.click(retry);
  expect(await batches()).toMatchObject({ total: 2 });
  for (const { page, violations } of [acting, watching]) {
    expect(violations).toEqual([]);
    await page.close();
  }
});

it('shows from the toast of a gallery what failed, and runs it again from there', async () => {
  const { id, images } = await projectOf('shelf', 5, 200);
  const lost = images.slice(1, 3);
  await lose(lost);
  const { page, violations } = await whole.gallery(id);
  await page.locator('[data-action="segment-all"]').click();
  const shown = () =>
    page.$$eval('[data-image-id]', (cells) => cells.map((cell) => cell.getAttribute('data-image-id')!).toSorted());
  await page.locator('[data-action="show-failed"]').click();
  await page.waitForSelector('[data-filter="failed"][aria-pressed="true"]');
  await page.waitForSelector('[aria-setsize="2"]');
  expect(await shown()).toEqual(idsOf(lost));

  await giveBack(lost);
  /** The oldest first, with where their lower edges are. */
  const stack = () =>
    page.$$eval('[data-toast]', (nodes) =>
      nodes
        .map((node) => [node.getAttribute('data-toast')!, node.getBoundingClientRect().bottom] as const)
        .toReversed(),
    );
  const [[, lowest]] = (await stack()) as [[string, number]];
  await page.locator('[data-action="retry-failed"]').click();
  await expect.poll(stack, { timeout: 10_000 }).toHaveLength(2);
  const [[first, below], [again]] = (await stack()) as [[string, number], [string, number]];
  // the next click hits what is aimed at
  expect(below).toBe(lowest);
  // what was pressed says what became of it, and all of it has room on a phone
  const pressed = await page.$eval('[data-action="retry-failed"]', (button) => getComputedStyle(button).visibility);
  expect(pressed).toBe('visible');
  await page.setViewport({ width: 390, height: 844 });
  const ends = await page.$$eval('[data-toast] > *', (parts) =>
    parts.map((part) => part.getBoundingClientRect().right),
  );
  expect(Math.max(...ends)).toBeLessThan(390 - 12);
  await ended(again!);
  expect(await batchOf(again!)).toMatchObject({ retryOf: first, total: 2, counts: { completed: 2 } });
  // nothing is failed any more; the page offers all images instead
  await page.locator('.empty button').click();
  await drawn(page, 5);
  const { items } = await whole.call<{ items: Image[] }>(`/api/projects/${id}/images`);
  expect(await polygonCounts(page)).toEqual(Object.fromEntries(items.map((image) => [image.id, image.polygonCount])));
  expect(await toasts(page)).toBe(2);
  expect((await retries()).at(-1)).toEqual([again, 'bootstrap']);
  // nor does the operator's page ask for what was done here
  await page.goto(whole.url);
  await page.waitForSelector(`[data-code="UNKNOWN"] [data-retry="${again}"]`);
  expect(await page.$('[data-code="UNKNOWN"] [data-action="retry"]')).toBeNull();
  expect(violations).toEqual([]);
  await page.close();
});
