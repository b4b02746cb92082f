import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type LaunchedBrowser } from '../../loadtest/src/environment/browser.ts';
import { planSet } from '../../loadtest/src/images/plan.ts';
import { synthesise } from '../../loadtest/src/images/synthesise.ts';
import { openSignedIn } from '../../service/test/support/signed-in.ts';
import { startWholeService, type WholeService } from '../../service/test/support/whole-service.ts';
import { builtPages } from './built-pages.ts';
import { countToasts, toasts } from './gallery-page.ts';

const KEY = 'two-tabs-key-two-tabs-key-two-tabs-key-0001';
const COUNT = 6;
let service: WholeService;
let launched: LaunchedBrowser;

beforeAll(async () => {
  service = await startWholeService({ BOOTSTRAP_API_KEY: KEY, DASHBOARDS_DIR: await builtPages() });
  launched = await launchBrowser({ tempDir: service.folder, env: {}, log: () => {} });
});
afterAll(async () => {
  await launched?.close();
  await service?.close();
});

const call = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  return (await (await fetch(service.url + path, { ...init, headers })).json()) as T;
};
/** A gallery of its own tab, and every request of it that carries results. */
async function openTab(path: string) {
  const { page, violations } = await openSignedIn(launched.browser, service.url, '/runs', KEY);
  await page.evaluateOnNewDocument(countToasts);
  const results: string[] = [];
  page.on('request', (request) => {
    if (/segmentation/.test(request.url())) results.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  await page.goto(service.url + path);
  await page.waitForSelector('.connection-live');
  return { page, violations, results };
}
const drawn = (page: Page) =>
  page.waitForFunction(
    (count) => document.querySelectorAll('[data-image-id][data-overlay="drawn"]').length === count,
    {},
    COUNT,
  );
const polygonCounts = (page: Page) =>
  page.$$eval('[data-image-id]', (cells) =>
    Object.fromEntries(
      cells.map((cell) => [cell.getAttribute('data-image-id')!, Number(cell.getAttribute('data-polygon-count'))]),
    ),
  );

it('shows in both tabs what one of them uploads and segments, tells each once, and exports what both show', async () => {
  const { id } = await call<{ id: string }>('/api/projects', { method: 'POST', body: '{"name":"tabs"}' });
  const files = await Promise.all(
    planSet(1, COUNT).map(async (plan) => {
      const file = join(service.folder, `cells-${plan.index}.${plan.format}`);
      await writeFile(file, (await synthesise(1, plan)).file);
      return file;
    }),
  );
  const [acting, watching] = [await openTab(`/projects/${id}`), await openTab(`/projects/${id}`)];
  await acting.page.bringToFront();
  const input = await acting.page.waitForSelector('input[type=file][aria-label="Upload images"]');
  await input!.uploadFile(...files);
  await acting.page.waitForSelector(`[aria-setsize="${COUNT}"]`);
  await acting.page.locator('[data-action="segment-all"]').click();
  await drawn(acting.page);
  await watching.page.bringToFront();
  await drawn(watching.page);

  const { items } = await call<{ items: { id: string; polygonCount: number }[] }>(`/api/projects/${id}/images`);
  const truth = Object.fromEntries(items.map(({ id: image, polygonCount }) => [image, polygonCount]));
  expect(Object.values(truth).reduce((sum, cells) => sum + cells, 0)).toBeGreaterThan(COUNT);
  for (const { page, violations, results } of [acting, watching]) {
    expect(await polygonCounts(page)).toEqual(truth);
    expect(await toasts(page)).toBe(1);
    expect(new Set(results)).toEqual(new Set(['POST /api/segmentation/batch/results']));
    expect(results.length).toBeLessThanOrEqual(4);
    expect(violations).toEqual([]);
  }

  const downloads = join(service.folder, 'downloads');
  const cdp = await watching.page.createCDPSession();
  await cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
  const first = items[0]!;
  await watching.page.goto(`${service.url}/images/${first.id}`);
  await watching.page.locator('.view-export summary').click();
  await watching.page.locator('[data-export="csv"]').click();
  const exported = async () => (await readdir(downloads).catch(() => [])).find((name) => name.endsWith('.csv'));
  await expect.poll(exported, { timeout: 20_000 }).toBeDefined();
  const lines = (await readFile(join(downloads, (await exported())!), 'utf8')).split('\r\n');
  expect(lines.filter((line) => line.startsWith(first.id))).toHaveLength(1 + first.polygonCount);
  for (const { page } of [acting, watching]) await page.close();
});
