import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf, unreachedOf, violationsOf } from '../../../dashboards/test/accessible.ts';
import { startSite } from '../../../dashboards/test/strip-prefix.ts';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { TEST_KEY } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { startSeenService, type SeenService } from '../support/seen-service.ts';
import { watchedPage } from '../support/signed-in.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService({ SELFTEST_PAGES: 'on', ALLOW_UNBATCHED_EVENTS: 'on' });
});
afterAll(() => seen?.close());

const PAGES: [name: string, path: () => string, shows: string, use: (page: Page) => Promise<unknown>][] = [
  ["the operator's view", () => '/', 'a[href^="/projects/"]', (page) => page.waitForSelector('.plot canvas')],
  [
    'the runs',
    () => '/runs',
    '[data-run]',
    async (page) => {
      await page.select('select[name=scenario]', 'bulk-1000');
      await page.waitForSelector('.plot canvas');
    },
  ],
  ['one run', () => `/runs/${seen.runIds[1]}`, 'a[href$="/report"]', async () => {}],
  [
    'the gallery',
    () => `/projects/${seen.projectId}`,
    '[data-image-id]',
    (page) => page.waitForSelector('[data-status="completed"]'),
  ],
  ['the viewer', () => `/images/${seen.imageId}`, 'canvas', (page) => page.waitForSelector('tr')],
  ['the page of capacity', () => '/capacity', 'pre', async () => {}],
  ['the page of keys', () => '/keys', '[data-key]', async () => {}],
  ['the naive page', () => `/naive/projects/${seen.projectId}`, '#app *', async () => {}],
  ['the self-test page', () => `/blocker/projects/${seen.projectId}`, '#app *', async () => {}],
  ['the docs', () => '/docs', 'details', (page) => page.locator('details > summary').click()],
  [
    'the GraphQL explorer',
    () => '/graphql',
    '#load',
    async (page) => {
      await page.locator('#load').click();
      await page.waitForSelector('#schema details');
    },
  ],
];

/** The negative control is as a first version was. */
const CONTROLS = new Set(['the naive page', 'the self-test page']);

describe('the content security policy', () => {
  it.each(PAGES)('lets %s live, with no violation, and everybody use it', async (name, path, shows, use) => {
    const { page, violations } = await seen.open(path());
    await page.waitForSelector(shows);
    await use(page);
    // What comes late: pictures, the socket, the worker that draws.
    const late = new Promise((resolve) => setTimeout(resolve, 1500));
    expect(CONTROLS.has(name) ? [] : await faultsOf(page)).toEqual([]);
    expect(CONTROLS.has(name) ? [] : await unreachedOf(page)).toEqual([]);
    await late;
    expect(violations).toEqual([]);
    await page.close();
  });

  it('would be told of a field without a name, words that are hard to read, a page wider than a phone, a second live region, and a button that no key reaches', async () => {
    const { page } = await seen.open('/capacity');
    await page.waitForSelector('main h1');
    await page.evaluate(() => {
      const field = Object.assign(document.createElement('input'), { id: 'planted' });
      const words = Object.assign(document.createElement('p'), { textContent: 'pale', id: 'pale' });
      words.style.cssText = 'color: #aaa; background: #fff; width: 500px';
      const outputs = [1, 2].map(() => document.createElement('output'));
      document.querySelector('main')!.append(field, words, ...outputs);
    });
    expect((await violationsOf(page)).map((fault) => fault.split(':')[0])).toEqual(
      expect.arrayContaining(['label', 'color-contrast']),
    );
    const faults = (await faultsOf(page)).join();
    expect(faults).toMatch(/phone: \d+ px too wide, by .*p\./);
    expect(faults).toContain('2 polite live regions: <output>');
    await page.evaluate(() => {
      const button = Object.assign(document.createElement('button'), { textContent: 'for mice', tabIndex: -1 });
      document.querySelector('main')!.append(button);
    });
    expect(await unreachedOf(page)).toEqual(['<button tabindex="-1">for mice</button>']);
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
    const { page, violations } = await seen.open('/');
    await page.evaluate(attack).catch(() => {});
    const end = Date.now() + 5_000;
    while (!violations.join('\n').includes(directive) && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(violations.join('\n')).toContain(directive);
    expect(await page.evaluate(() => 'ran' in window)).toBe(false);
    await page.close();
  });
});

describe('the pages in a folder of another site', () => {
  it('sign in, follow events, and open an image there, and ask for nothing outside', async () => {
    const site = await startSite(seen.service.url, '/segbench');
    const context = await seen.browser.createBrowserContext();
    const { page, violations } = await watchedPage(context);
    const made = await seen.service.call('/api/projects', { method: 'POST', json: { name: 'in a folder' } });
    const { id } = (await made.json()) as { id: string };
    const images = await uploadPictures(seen.service, id, 2, 700);

    await page.goto(`${site.url}/`);
    await page.waitForSelector('input[name=key]');
    await page.type('input[name=key]', TEST_KEY);
    await page.locator('button[type=submit]').click();
    await page.locator(`a[href="/segbench/projects/${id}"]`).click();
    await page.waitForSelector('[data-image-id][data-status="uploaded"]');
    await page.waitForSelector('.connection-live');
    await finishBatch(seen.service, id, images, [2, 1]);
    const { sql } = seen.service;
    await sql`
      insert into event_outbox (project_id, image_id, batch_id, status)
      select i.project_id, i.id, i.batch_id, 'completed' from images i where i.project_id = ${id}`;
    while (await sequenceOnce(sql));
    await page.waitForSelector('[data-status="completed"][data-overlay="drawn"]');

    const [cell] = await page.$$('[data-image-id]');
    await cell!.click();
    await page.waitForSelector('.view-side tr button');
    expect(await page.evaluate(() => location.pathname)).toMatch(/^\/segbench\/images\//);
    await page.focus('.view-stage');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((last) => location.pathname === `/segbench/images/${last}`, {}, images[1]!.id);
    expect(await page.$eval('.view-export a[download]', (link) => link.getAttribute('href'))).toMatch(
      /^\/segbench\/api\/images\//,
    );
    await page.goto(`${site.url}/runs/${seen.runIds[1]}`);
    const report = await page.waitForSelector('a[href$="/report"]');
    await page.goto(await report!.evaluate((link) => (link as HTMLAnchorElement).href));
    expect(await page.$eval('p', (node) => node.textContent)).toBe('held');
    await page.goto(`${site.url}/docs`);
    await page.locator('[data-path="/healthz"] summary').click();
    await page.locator('[data-path="/healthz"] form button').click();
    await page.waitForSelector('[data-path="/healthz"] [data-status="200"]');
    expect(site.strays.filter((url) => url !== '/favicon.ico')).toEqual([]);
    expect(violations).toEqual([]);
    await context.close();
    await site.close();
  });
});
