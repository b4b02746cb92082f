import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cellFiles, startWholePages, type WholePages } from '../../service/test/support/whole-pages.ts';
import { drawn, polygonCounts, toasts } from './gallery-page.ts';
import { savedFile } from './saved-files.ts';

const COUNT = 6;
let whole: WholePages;
beforeAll(async () => {
  whole = await startWholePages();
});
afterAll(() => whole?.close());

it('shows in both tabs what one of them uploads and segments, tells each once, and exports what both show', async () => {
  const { id } = await whole.call<{ id: string }>('/api/projects', { json: { name: 'tabs' } });
  const files = await Promise.all(
    (await cellFiles(COUNT)).map(async ({ name, bytes }) => {
      const file = join(whole.folder, name);
      await writeFile(file, bytes);
      return file;
    }),
  );
  const [acting, watching] = [await whole.gallery(id), await whole.gallery(id)];
  await acting.page.bringToFront();
  const input = await acting.page.waitForSelector('input[type=file][aria-label="Upload images"]');
  await input!.uploadFile(...files);
  await acting.page.waitForSelector(`[aria-setsize="${COUNT}"]`);
  await acting.page.locator('[data-action="segment-all"]').click();
  await drawn(acting.page, COUNT);
  await watching.page.bringToFront();
  await drawn(watching.page, COUNT);

  const { items } = await whole.call<{ items: { id: string; polygonCount: number }[] }>(`/api/projects/${id}/images`);
  const truth = Object.fromEntries(items.map(({ id: image, polygonCount }) => [image, polygonCount]));
  expect(Object.values(truth).reduce((sum, cells) => sum + cells, 0)).toBeGreaterThan(COUNT);
  for (const { page, violations, requests } of [acting, watching]) {
    const results = requests.filter((request) => request.includes('segmentation'));
    expect(await polygonCounts(page)).toEqual(truth);
    expect(await toasts(page)).toBe(1);
    expect(new Set(results)).toEqual(new Set(['POST /api/segmentation/batch/results']));
    expect(results.length).toBeLessThanOrEqual(4);
    expect(violations).toEqual([]);
  }

  const downloads = join(whole.folder, 'downloads');
  await mkdir(downloads);
  const cdp = await watching.page.createCDPSession();
  await cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
  const first = items[0]!;
  await watching.page.goto(`${whole.url}/images/${first.id}`);
  await watching.page.locator('.view-export summary').click();
  await watching.page.locator('[data-export="csv"]').click();
  const lines = (await savedFile(downloads, '.csv')).toString().split('\r\n');
  expect(lines.filter((line) => line.startsWith(first.id))).toHaveLength(1 + first.polygonCount);
  for (const { page } of [acting, watching]) await page.close();
});
