import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { startWithBrowser } from '../support/browser.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let folder: string;
let pages: Awaited<ReturnType<typeof startWithBrowser>>;
let service: TestApp;
let projectId: string;
let imageId: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-csp-'));
  await build({ build: { outDir: join(folder, 'dist') }, logLevel: 'warn' });
  pages = await startWithBrowser({
    DASHBOARDS_DIR: join(folder, 'dist'),
    SELFTEST_PAGES: 'on',
    ALLOW_UNBATCHED_EVENTS: 'on',
  });
  ({ service } = pages);
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'seen' } });
  ({ id: projectId } = (await made.json()) as { id: string });
  const images = await uploadPictures(service, projectId, 6);
  await finishBatch(service, projectId, images, [3, 1, 2, 4, null, 1]);
  imageId = images[0]!.id;
});
afterAll(async () => {
  await pages?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A page that is signed in, and what its policy forbade. */
async function openPage(path: string) {
  const page = await pages.browser.newPage();
  const violations: string[] = [];
  await page.exposeFunction('tellViolation', (text: string) => void violations.push(text));
  await page.evaluateOnNewDocument(() => {
    const tell = (text: string) => (window as unknown as { tellViolation(text: string): void }).tellViolation(text);
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) =>
      tell(`${effectiveDirective}: ${blockedURI} at ${sourceFile}:${lineNumber}`),
    );
  });
  page.on('pageerror', (error) => violations.push(String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) violations.push(message.text());
  });
  await page.goto(`${service.url}/docs`);
  await page.evaluate(
    (key) => fetch('/api/session', { method: 'POST', headers: { authorization: `Bearer ${key}` } }),
    TEST_KEY,
  );
  await page.goto(service.url + path, { waitUntil: 'networkidle2' });
  return { page, violations };
}

const PAGES: [string, () => string, string, (page: Page) => Promise<unknown>][] = [
  ["the operator's view", () => '/', 'a[href^="/projects/"]', async () => {}],
  [
    'the gallery',
    () => `/projects/${projectId}`,
    '[data-image-id]',
    (page) => page.waitForSelector('[data-status="completed"]'),
  ],
  ['the viewer', () => `/images/${imageId}`, 'canvas', (page) => page.waitForSelector('tr')],
  ['the naive page', () => `/naive/projects/${projectId}`, '#app *', async () => {}],
  ['the self-test page', () => `/blocker/projects/${projectId}`, '#app *', async () => {}],
  ['the docs', () => '/docs', 'details', (page) => page.click('details > summary')],
  [
    'the GraphQL explorer',
    () => '/graphql',
    '#load',
    async (page) => {
      await page.click('#load');
      await page.waitForSelector('#schema details');
    },
  ],
];

describe('the content security policy', () => {
  it.each(PAGES)('lets %s live, with no violation', async (_, path, shows, use) => {
    const { page, violations } = await openPage(path());
    await page.waitForSelector(shows);
    await use(page);
    // What comes late: pictures, the socket, the worker that draws.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(violations).toEqual([]);
    await page.close();
  });

  it.each([
    [
      'an inline script',
      'script-src-elem',
      () =>
        void document.body.appendChild(
          Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }),
        ),
    ],
    [
      'a handler in an attribute',
      'script-src-attr',
      () => {
        document.body.setAttribute('onclick', 'window.ran = 1');
        document.body.click();
      },
    ],
    [
      'an inline style',
      'style-src-elem',
      () =>
        void document.body.appendChild(
          Object.assign(document.createElement('style'), { textContent: 'body { color: red }' }),
        ),
    ],
    ['a style attribute', 'style-src-attr', () => document.body.setAttribute('style', 'color: red')],
    [
      'a script of another host',
      'script-src-elem',
      () =>
        void document.body.appendChild(
          Object.assign(document.createElement('script'), { src: 'http://evil.example/a.js' }),
        ),
    ],
    ['a picture of another host', 'img-src', () => void (new Image().src = 'http://evil.example/a.png')],
    ['a request to another host', 'connect-src', () => void fetch('http://evil.example/').catch(() => {})],
    ['a socket to another host', 'connect-src', () => void new WebSocket('ws://evil.example/')],
    [
      'a frame',
      'frame-src',
      () =>
        void document.body.appendChild(
          Object.assign(document.createElement('iframe'), { src: 'http://evil.example/' }),
        ),
    ],
  ])('stops %s', async (_, directive, attack) => {
    const { page, violations } = await openPage('/');
    await page.evaluate(attack).catch(() => {});
    const end = Date.now() + 5_000;
    while (!violations.join('\n').includes(directive) && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(violations.join('\n')).toContain(directive);
    expect(await page.evaluate(() => 'ran' in window)).toBe(false);
    await page.close();
  });
});
