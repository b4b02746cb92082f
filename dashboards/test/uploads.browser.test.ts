import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { picture } from '../../service/test/support/pictures.ts';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

/** Writes files below a folder of this name. @returns the folder */
async function folderOf(name: string, files: Record<string, string | Buffer>): Promise<string> {
  const folder = join(seen.folder, name);
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return folder;
}
async function openEmpty(name: string) {
  const made = await seen.service.call('/api/projects', { method: 'POST', json: { name } });
  const { id } = (await made.json()) as { id: string };
  return { id, ...(await seen.open(`/projects/${id}`)) };
}
/** Of all rows that the project has, so that one too many is seen. */
async function pathsIn(projectId: string): Promise<string[]> {
  const rows = await seen.service.sql<{ path: string }[]>`
    select coalesce(relative_path, name) as path from images where project_id = ${projectId} order by 1`;
  return rows.map(({ path }) => path);
}
const refusals = (page: Page) =>
  page.$$eval('.uploads-refused li', (rows) =>
    Object.fromEntries(
      rows.map((row) => [row.querySelector('b')!.textContent, row.querySelector('code')!.textContent]),
    ),
  );
const allSent = (page: Page) => page.waitForSelector('[data-uploads="over"]:not(:has(.uploads-failed))');

it('takes files and a folder that are dropped on it, and names what it refuses', async () => {
  const folder = await folderOf('desk', {
    'one.png': await picture(1),
    'notes.png': 'no picture',
    'plate/a/two.png': await picture(2),
    'plate/a/.DS_Store': 'litter',
    'plate/readme.md': 'by its name no picture',
  });
  const { id, page, violations } = await openEmpty('dropped');
  await page.waitForSelector('.empty');
  const cdp = await page.createCDPSession();
  const files = ['one.png', 'notes.png', 'plate'].map((name) => join(folder, name));
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    cdp.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data: { items: [], files, dragOperationsMask: 1 } });
  await drag('dragEnter');
  await drag('dragOver');
  await page.waitForSelector('.gallery-drop');
  await drag('drop');
  await page.waitForSelector('[aria-setsize="2"]');
  await allSent(page);
  expect(await page.$('.gallery-drop')).toBeNull();
  expect(await pathsIn(id)).toEqual(['one.png', 'plate/a/two.png']);
  expect(await refusals(page)).toEqual({ 'notes.png': 'UNSUPPORTED_TYPE', 'plate/readme.md': 'UNSUPPORTED_TYPE' });
  expect(violations).toEqual([]);
  await page.close();
});

it('takes a folder by its button, with the paths of what is in it', async () => {
  const folder = await folderOf('plate 7', {
    'a/one.png': await picture(11),
    'a/b/one.png': await picture(12),
    'two.tif': await picture(13, { format: 'tiff' }),
    'Thumbs.db': 'litter',
    'table.csv': 'well,dose',
  });
  const { id, page, violations } = await openEmpty('folder');
  const input = await page.waitForSelector('input[type=file][webkitdirectory]');
  await input!.uploadFile(folder);
  await page.waitForSelector('[aria-setsize="3"]');
  await allSent(page);
  expect(await pathsIn(id)).toEqual(['plate 7/a/b/one.png', 'plate 7/a/one.png', 'plate 7/two.tif']);
  expect(await refusals(page)).toEqual({ 'plate 7/table.csv': 'UNSUPPORTED_TYPE' });
  expect(violations).toEqual([]);
  await page.close();
});

it('shows each file that is on its way, stops in the middle, and goes on from there to each file once', async () => {
  const [SMALL, LARGE] = [20, 61];
  const names: string[] = [];
  // the small ones are one request, the others four, of which one has not begun when the first is through
  for (let at = 0; at < SMALL + LARGE; at++) {
    const side = at < SMALL ? 8 : 160;
    const name = `${String(at).padStart(2, '0')}.png`;
    await folderOf('many', { [name]: await picture(100 + at, { width: side, height: side }) });
    names.push(name);
  }
  const { id, page, violations } = await openEmpty('stopped');
  const input = await page.waitForSelector('input[type=file]:not([webkitdirectory])');
  await page.emulateNetworkConditions({ upload: 50_000, download: -1, latency: 0 });
  await input!.uploadFile(...names.map((name) => join(seen.folder, 'many', name)));
  await page.waitForSelector(`[aria-setsize="${SMALL}"]`);
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLProgressElement>('[data-upload-row] progress')].some(
      ({ value, max }) => value > 0 && value < max,
    ),
  );
  await page.locator('[data-uploads="active"] .uploads-head button').click();
  await page.waitForSelector('[data-uploads="over"] [data-action="retry-upload"]');
  expect(await pathsIn(id)).toEqual(names.slice(0, SMALL));
  expect(await page.$('[data-upload-row]')).toBeNull();

  await page.emulateNetworkConditions(null);
  await page.locator('[data-action="retry-upload"]').click();
  await allSent(page);
  await page.waitForSelector(`[aria-setsize="${SMALL + LARGE}"]`);
  expect(await pathsIn(id)).toEqual(names);
  expect(violations).toEqual([]);
  await page.close();
});
