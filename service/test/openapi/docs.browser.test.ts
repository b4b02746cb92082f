import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { startWithBrowser } from '../support/browser.ts';

let pages: Awaited<ReturnType<typeof startWithBrowser>>;
let service: TestApp;
beforeAll(async () => {
  pages = await startWithBrowser();
  ({ service } = pages);
});
afterAll(() => pages?.close());

const operation = (method: string, path: string) => `details[data-method="${method}"][data-path="${path}"]`;

/** Opens an operation, changes its form where asked to, sends it, and reads what the page shows. */
async function tryIt(page: Page, method: string, path: string, change?: (at: string) => Promise<void>) {
  const at = operation(method, path);
  await page.locator(`${at} > summary`).click();
  await page.waitForSelector(`${at} form button`);
  await change?.(at);
  await page.locator(`${at} form button`).click();
  await page.waitForSelector(`${at} output [data-status]`);
  return page.$eval(`${at} output`, (output) => ({
    status: output.querySelector('[data-status]')?.getAttribute('data-status'),
    headers: output.querySelector('[data-headers]')?.textContent ?? '',
    body: output.querySelector('[data-answer]')?.textContent ?? '',
  }));
}

async function openDocs(width: number, height: number) {
  const page = await pages.browser.newPage();
  await page.setViewport({ width, height });
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(service.url) && !request.url().startsWith('blob:')) foreign.push(request.url());
  });
  await page.goto(`${service.url}/docs`, { waitUntil: 'networkidle0' });
  return { page, complaints, foreign };
}

describe('/docs', () => {
  it.each([
    [1280, 800],
    [390, 844],
  ])('sends an operation with its example and shows the answer at %i x %i', async (width, height) => {
    const { page, complaints, foreign } = await openDocs(width, height);
    await page.type('#key', TEST_KEY);
    const created = await tryIt(page, 'post', '/api/projects');
    expect(created).toMatchObject({
      status: '201',
      headers: expect.stringContaining('content-type: application/json'),
    });
    expect(JSON.parse(created.body)).toMatchObject({ name: 'Plate 7', pixelSizeUm: 0.325 });

    const { id } = JSON.parse(created.body) as { id: string };
    const found = await tryIt(page, 'get', '/api/projects/{id}', async (at) => {
      await page.$eval(`${at} [data-name="id"]`, (input, value) => ((input as HTMLInputElement).value = value), id);
    });
    expect(JSON.parse(found.body)).toMatchObject({ id });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    if (process.env['SEGBENCH_PICTURES'])
      await page.screenshot({ path: join(process.env['SEGBENCH_PICTURES'], `docs-${width}.png`) as `${string}.png` });
    expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    await page.close();
  });

  it('shows the service’s own error when there is no key, and works with a session alone', async () => {
    const { page } = await openDocs(1280, 800);
    const refused = await tryIt(page, 'get', '/api/queue');
    expect(refused.status).toBe('401');
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'UNAUTHENTICATED' });
    const signedIn = await tryIt(page, 'post', '/api/session', async (at) => {
      const body = JSON.stringify({ key: TEST_KEY });
      await page.$eval(`${at} [data-body]`, (area, text) => ((area as HTMLTextAreaElement).value = text), body);
    });
    expect(signedIn.status).toBe('201');
    expect((await tryIt(page, 'get', '/api/projects')).status).toBe('200');
    await page.close();
  });
});
