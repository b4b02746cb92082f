import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TEST_KEY } from '../../service/test/support/app.ts';
import { writeRun } from '../../service/test/support/runs.ts';
import { watchedPage } from '../../service/test/support/signed-in.ts';
import { cellFiles, startWholePages, type WholePages } from '../../service/test/support/whole-pages.ts';
import { WORDS as CAPACITY } from '../src/words/forecast.ts';
import { WORDS as GALLERY } from '../src/words/gallery.ts';
import { WORDS as NOW } from '../src/words/operator.ts';
import { WORDS as RUNS } from '../src/words/runs.ts';
import { drawn, polygonCounts } from './gallery-page.ts';

let folder: string;
let whole: WholePages;
let page: Page;
let violations: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-first-'));
  // not made yet: no run has been
  whole = await startWholePages({ RESULTS_DIR: join(folder, 'bench-results') });
  ({ page, violations } = await watchedPage(whole.browser));
});
afterAll(async () => {
  await whole?.close();
  await rm(folder, { recursive: true, force: true });
});

const says = (words: string) =>
  page.waitForFunction((text) => document.querySelector('main')?.textContent.includes(text), {}, words);
const goTo = (path: string) => page.locator(`.page-header nav a[href="${path}"]`).click();

it('signs in with the first key, and is told by each empty page what to do next', async () => {
  await page.goto(whole.url);
  await page.locator('.sign-in input[name=key]').fill(TEST_KEY);
  await page.locator('.sign-in button').click();
  for (const words of [NOW.projects.none, NOW.batches.none, NOW.failures.none, NOW.baseline.none]) await says(words);

  await goTo('/runs');
  for (const words of Object.values(RUNS.none)) await says(words);
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts).toHaveProperty(RUNS.none.command.replace('npm run ', ''));
  // as it says: once there is one, the page has only to be loaded again
  const run = await writeRun(join(folder, 'bench-results'));
  await page.reload();
  await page.waitForSelector(`[data-run="${run}"]`);

  await goTo('/capacity');
  for (const words of [CAPACITY.capacity.none, ...CAPACITY.capacity.commands]) await says(words);

  await goTo('/keys');
  await page.waitForSelector('[data-key][data-state="active"]');
  expect(await page.$$eval('[data-key]', (rows) => rows.length)).toBe(1);
  await page.locator('.key-form input[name=name]').fill('first program');
  await page.locator('.key-form button[type=submit]').click();
  const token = await (await page.waitForSelector('[data-made] .key-token input'))!.evaluate((field) => field.value);
  const reply = await fetch(`${whole.url}/api/projects`, { headers: { authorization: `Bearer ${token}` } });
  expect(reply.status).toBe(200);
  expect(violations).toEqual([]);
});

it('comes from there to the outlines of the first images by what the pages name', async () => {
  await page.goto(whole.url);
  await page.locator('.inline-form input').fill('plate 1');
  await page.locator('.inline-form button').click();
  await page.locator('.project-list a').click();
  for (const words of [GALLERY.drop.title, GALLERY.drop.how, GALLERY.drop.after]) await says(words);
  // what is named there is what stands on the buttons, which wait for images
  const named = await page.$$eval('[data-action="try-first"], [data-action="segment-all"]', (buttons) =>
    buttons.map((button) => ({ words: button.textContent, disabled: button.matches(':disabled') })),
  );
  expect(named.map(({ disabled }) => disabled)).toEqual([true, true]);
  for (const { words } of named) expect(GALLERY.drop.after).toContain(words);

  const files = await Promise.all(
    (await cellFiles(3)).map(async ({ name, bytes }) => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    }),
  );
  const [chooser] = await Promise.all([
    page.waitForFileChooser(),
    page.locator('.upload-buttons button:first-of-type').click(),
  ]);
  await chooser.accept(files);
  await page.waitForSelector('[aria-setsize="3"]');
  await page.locator('[data-action="segment-all"]:not(:disabled)').click();
  await drawn(page, 3);
  const [imageId = ''] = Object.keys(await polygonCounts(page));
  await page.locator(`[data-image-id="${imageId}"]`).click();
  await page.waitForFunction((id) => location.pathname.endsWith(id), {}, imageId);
  const { polygons } = await whole.call<{ polygons: unknown[] }>(`/api/images/${imageId}/segmentation`);
  await page.waitForSelector('.view-outlines tr button');
  expect(await page.$$eval('.view-outlines tbody tr', (rows) => rows.length)).toBe(Math.min(50, polygons.length));
  await page.locator('.page-header .home').click();
  await page.waitForSelector('[data-batch].batch-completed');
  expect(violations).toEqual([]);
});
