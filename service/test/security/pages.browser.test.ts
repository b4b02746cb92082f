import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import type { Image as ImageRow } from '#contract/images.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { startWithBrowser } from '../support/browser.ts';
import { picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let folder: string;
let pages: Awaited<ReturnType<typeof startWithBrowser>>;
let service: TestApp;
let projectId: string;
let imageId: string;
let images: ImageRow[];
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
  images = await uploadPictures(service, projectId, 6);
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

describe('the gallery on the real service', () => {
  const countOf = async (id: string) => {
    const rows = await service.sql<{ name: string }[]>`select name from images where project_id = ${id} order by name`;
    return rows.map(({ name }) => name);
  };

  it('uploads once what it sends twice because an answer was lost, and names what is refused', async () => {
    const made = await service.call('/api/projects', { method: 'POST', json: { name: 'uploads' } });
    const { id } = (await made.json()) as { id: string };
    const files = await Promise.all(
      ['a.png', 'b.png', 'notes.png'].map(async (name, index) => {
        const file = join(folder, name);
        await writeFile(file, name === 'notes.png' ? 'no picture' : await picture(900 + index));
        return file;
      }),
    );
    const { page, violations } = await openPage(`/projects/${id}`);
    const cdp = await page.createCDPSession();
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/images', requestStage: 'Response' }] });
    const keys: (string | undefined)[] = [];
    cdp.on('Fetch.requestPaused', ({ requestId, request }) => {
      keys.push(request.headers['idempotency-key']);
      // The service has stored it; the page never hears of it.
      const lost = keys.length === 1;
      void (lost
        ? cdp.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
        : cdp.send('Fetch.continueResponse', { requestId }));
    });
    const input = await page.waitForSelector('input[type=file][aria-label="Upload images"]');
    await input!.uploadFile(...files);
    await page.waitForSelector('.uploads-waiting');
    await page.waitForSelector('[data-uploads="over"]');
    expect(await page.$eval('.uploads-words', (node) => node.textContent)).toBe('2 files uploaded, 1 refused');
    expect(await page.$eval('.uploads-refused', (node) => node.textContent)).toMatch(/notes\.png: .+UNSUPPORTED_TYPE/);
    expect(keys).toHaveLength(2);
    expect([keys[0]!.length > 10, keys[1] === keys[0]]).toEqual([true, true]);
    expect(await countOf(id)).toEqual(['a.png', 'b.png']);
    await page.waitForSelector('[aria-setsize="2"]');
    expect(violations).toEqual([]);
    await page.close();
  });

  it('finds images by name, shows the names, and comes back from an image to what was shown', async () => {
    const { page } = await openPage(`/projects/${projectId}`);
    await page.waitForSelector('[aria-setsize="6"]');
    await page.type('input[type=search]', 'age-3');
    await page.waitForSelector(`[data-image-id="${images[3]!.id}"][aria-setsize="1"]`);
    await page.waitForFunction(() => document.querySelector('.cell .words')?.textContent === 'image-3.png');
    await page.evaluate(() => document.querySelector<HTMLElement>('.cell')!.click());
    await page.waitForSelector('.view-stage');
    await page.click('.view-back');
    await page.waitForSelector(`[data-image-id="${images[3]!.id}"][aria-setsize="1"]`);
    expect(await page.$eval('input[type=search]', (node) => (node as HTMLInputElement).value)).toBe('age-3');
    await page.close();
  });
});

describe('the viewer on the real service', () => {
  it('shows outlines, tells of one, leads to the next image by a key, and exports this one', async () => {
    await service.call(`/api/projects/${projectId}`, { method: 'PATCH', json: { pixelSizeUm: 0.5 } });
    const { page, violations } = await openPage(`/images/${imageId}`);
    await page.waitForSelector('tr button');
    // The square of 26 px, without its hole of 100: in the middle of its upper edge.
    const at = await page.evaluate(() => {
      const box = document.querySelector('.view-stage')!.getBoundingClientRect();
      const scale =
        Number(document.querySelector('.view-zoom button:nth-child(2)')!.textContent!.replace(/\D/g, '')) / 100;
      const left = box.left + (box.width - 64 * scale) / 2;
      const top = box.top + (box.height - 48 * scale) / 2;
      return { x: left + 20 * scale, y: top + 6 * scale };
    });
    await page.mouse.move(at.x, at.y);
    await page.waitForSelector('[data-hovered="1"]');
    expect(await page.$eval('[data-hovered]', (node) => node.textContent)).toBe('cell 1 144 µm² · 90 % sure');
    await page.mouse.click(at.x, at.y);
    await page.waitForSelector('tr.selected');
    expect(await page.$eval('tr.selected button', (node) => node.textContent?.trim())).toBe('cell 1');

    await page.evaluate(() => {
      const original = URL.createObjectURL.bind(URL);
      URL.createObjectURL = (blob: Blob) => {
        void blob.text().then((text) => Object.assign(window, { saved: text }));
        return original(blob);
      };
    });
    await page.click('.view-export summary');
    await page.click('[data-export="csv"]');
    await page.waitForFunction(() => 'saved' in window);
    const saved = await page.evaluate(() => (window as unknown as { saved: string }).saved);
    const lines = saved.split('\r\n');
    expect(lines[0]).toBe('imageId,path,status,width,height,cellCount,areaPx,areaUm2');
    expect(lines[1]).toBe(`${imageId},image-0.png,completed,64,48,3,592,148`);
    expect(lines.filter((line) => line.startsWith(imageId))).toHaveLength(4);

    await page.focus('.view-stage');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((id) => location.pathname.endsWith(id), {}, images[1]!.id);
    await page.waitForFunction(() => document.querySelector('.view-bar h1')?.textContent === 'image-1.png');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction((id) => location.pathname.endsWith(id), {}, imageId);
    expect(violations).toEqual([]);
    await page.close();
  });
});
