import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import type { Image as ImageRow } from '#contract/images.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { startWithBrowser } from '../support/browser.ts';
import { picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { writeRun } from '../support/runs.ts';

let folder: string;
let pages: Awaited<ReturnType<typeof startWithBrowser>>;
let service: TestApp;
let projectId: string;
let imageId: string;
let images: ImageRow[];
let failedBatchId: string;
let runIds: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-csp-'));
  await build({ build: { outDir: join(folder, 'dist') }, logLevel: 'warn' });
  const results = join(folder, 'bench-results');
  const report =
    '<!doctype html><title>report</title><style>p { color: teal }</style><p>held</p><script>document.title = "ran"</script>';
  runIds = [
    await writeRun(results, { name: '2026-03-01T00-00-00Z-bulk-1000', cpuModel: 'another CPU', toasts: 1 }),
    await writeRun(results, {
      name: '2026-03-02T00-00-00Z-bulk-1000',
      settleMs: 900,
      toasts: 3,
      verdict: 'fail',
      report,
    }),
  ];
  pages = await startWithBrowser({
    RESULTS_DIR: results,
    DASHBOARDS_DIR: join(folder, 'dist'),
    SELFTEST_PAGES: 'on',
    ALLOW_UNBATCHED_EVENTS: 'on',
  });
  ({ service } = pages);
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'seen' } });
  ({ id: projectId } = (await made.json()) as { id: string });
  images = await uploadPictures(service, projectId, 6);
  failedBatchId = await finishBatch(service, projectId, images, [3, 1, 2, 4, null, 1]);
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
  ['one run', () => `/runs/${runIds[1]}`, 'a[href$="/report"]', async () => {}],
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

/** What a person did, oldest first, as the audit has it. */
async function audit(): Promise<string[][]> {
  const reply = await service.call('/api/audit?limit=20');
  const { items } = (await reply.json()) as { items: { action: string; targetId: string; keyName: string }[] };
  return items.toReversed().map(({ action, targetId, keyName }) => [action, targetId, keyName]);
}
/** Buttons, links and inputs that a screen reader would have no name for. */
async function nameless(page: Page): Promise<string[]> {
  const roles = new Set(['button', 'link', 'checkbox', 'combobox', 'textbox', 'img', 'progressbar', 'region', 'group']);
  const found: string[] = [];
  type Node = NonNullable<Awaited<ReturnType<Page['accessibility']['snapshot']>>>;
  const look = (node: Node): void => {
    if (roles.has(node.role) && !node.name?.trim()) found.push(`${node.role} ${node.value ?? ''}`);
    node.children?.forEach(look);
  };
  look((await page.accessibility.snapshot({ interestingOnly: true }))!);
  return found;
}
const overflow = (page: Page) =>
  page.evaluate(() => ({
    right: document.documentElement.scrollWidth - innerWidth,
    below: document.documentElement.scrollHeight - innerHeight,
  }));

describe('the operator’s page', () => {
  it('retries what failed, and pauses, resumes and cancels a batch, each after a click or two, with a row of who did it', async () => {
    const { page, violations } = await openPage('/');
    await page.waitForSelector('[data-code="TIMEOUT"] img');
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>('[data-code] img')!.naturalWidth > 0);
    await page.click('[data-action="retry"]');
    await page.click('[data-action="retry-yes"]');
    const retried = await page.waitForSelector('[data-retry]');
    const retryId = await retried!.evaluate((node) => node.getAttribute('data-retry')!);
    const row = `[data-batch="${retryId}"]`;
    await page.waitForSelector(`${row} [data-action="pause"]:not(:disabled)`);
    await page.click(`${row} [data-action="pause"]`);
    await page.waitForSelector(`${row} [data-action="resume"]:not(:disabled)`);
    await page.click(`${row} [data-action="resume"]`);
    await page.waitForSelector(`${row} [data-action="pause"]:not(:disabled)`);
    await page.click(`${row} [data-action="cancel"]`);
    // the question has the focus, and does nothing by itself
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Keep');
    await page.click(`${row} [data-action="cancel-yes"]`);
    await page.waitForSelector(`${row}.batch-cancelled`);
    const made = (await (await service.call(`/api/batches/${retryId}`)).json()) as { retryOf: string; status: string };
    expect(made).toMatchObject({ retryOf: failedBatchId, status: 'cancelled' });
    expect((await audit()).slice(-4)).toEqual([
      ['POST /api/batches/:id/retry', retryId, 'bootstrap'],
      ['POST /api/batches/:id/pause', retryId, 'bootstrap'],
      ['POST /api/batches/:id/resume', retryId, 'bootstrap'],
      ['POST /api/batches/:id/cancel', retryId, 'bootstrap'],
    ]);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('shows the age of its data while the line is lost, and catches up by itself', async () => {
    const { page } = await openPage('/');
    await page.waitForSelector('[data-age="fresh"]');
    await page.click('[data-action="take-baseline"]');
    await page.setOfflineMode(true);
    await page.waitForSelector('[data-age="stale"]', { timeout: 15_000 });
    expect(await page.$eval('.verdict', (node) => node.textContent)).toContain('No news');
    // a page that hangs would not do this
    await page.click('.windows button:last-child');
    await page.waitForSelector('.windows button:last-child[aria-pressed="true"]');
    await page.setOfflineMode(false);
    await page.waitForSelector('[data-age="fresh"]', { timeout: 10_000 });
    await page.reload();
    await page.waitForFunction(() => /Baseline of/.test(document.querySelector('.baseline-bar')?.textContent ?? ''));
    await page.close();
  });

  it('is one screen on a desk, one column on a phone, and every control has a name', async () => {
    // more than a screen can hold
    for (let index = 0; index < 30; index++)
      await service.call('/api/projects', { method: 'POST', json: { name: `plate ${index}` } });
    const { page } = await openPage('/');
    await page.setViewport({ width: 1280, height: 800 });
    await page.waitForSelector('.plot canvas');
    expect(await overflow(page)).toEqual({ right: 0, below: 0 });
    expect(await nameless(page)).toEqual([]);
    await page.setViewport({ width: 390, height: 844 });
    expect((await overflow(page)).right).toBe(0);
    await page.close();
  });
});

describe('the page of runs', () => {
  it('lists runs, compares two, and calls times of different machines incomparable', async () => {
    const { page, violations } = await openPage('/runs');
    await page.waitForSelector('[data-run]');
    expect(await nameless(page)).toEqual([]);
    for (const box of await page.$$('[data-run] input')) await box.click();
    await (await page.waitForSelector('a.compare-link'))!.click();
    await page.waitForSelector('[data-metric]');
    const changes = await page.$$eval('[data-metric]', (rows) =>
      rows.map((row) => [row.getAttribute('data-metric'), row.getAttribute('data-change')]),
    );
    expect(changes).toEqual([
      ['ui_settle_ms', 'incomparable'],
      ['toasts', 'worse'],
    ]);
    expect(await page.$eval('[data-differs]', (node) => node.textContent)).toContain('another CPU');
    expect(await nameless(page)).toEqual([]);
    await page.setViewport({ width: 390, height: 844 });
    expect((await overflow(page)).right).toBe(0);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('opens a report that has its style and runs no script', async () => {
    const { page } = await openPage('/runs');
    const reply = await page.goto(`${service.url}/api/runs/${runIds[1]}/report`);
    expect(reply!.headers()['content-security-policy']).toMatch(/^sandbox /);
    expect(await page.title()).toBe('report');
    expect(await page.$eval('p', (node) => getComputedStyle(node).color)).toBe('rgb(0, 128, 128)');
    expect(await page.evaluate(() => origin)).toBe('null');
    await page.close();
  });
});

describe('the scripts of the pages', () => {
  /** Bytes as a browser gets them. */
  const sizeOf = async (name: string) =>
    gzipSync(await readFile(join(folder, 'dist/assets', name)), { level: 9 }).length;
  /** A script and what it cannot do without. */
  async function needs(name: string, found = new Set<string>()): Promise<Set<string>> {
    if (found.has(name)) return found;
    found.add(name);
    const text = (await readFile(join(folder, 'dist/assets', name))).toString();
    for (const [, inner] of text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g)) await needs(inner!, found);
    return found;
  }

  it('are small: 60 kB for the operator’s page before its charts, 120 kB for all pages', async () => {
    const all = (await readdir(join(folder, 'dist/assets'))).filter((name) => name.endsWith('.js'));
    const entry = /src="\.?\/assets\/([\w.-]+\.js)"/.exec(
      (await readFile(join(folder, 'dist/index.html'))).toString(),
    )![1]!;
    const page = all.find((name) => name.startsWith('OperatorPage-'))!;
    const first = await needs(page, await needs(entry));
    expect([...first].filter((name) => name.startsWith('plot-'))).toEqual([]);
    const sum = async (names: Iterable<string>) => {
      let bytes = 0;
      for (const name of names) bytes += await sizeOf(name);
      return bytes;
    };
    const used = all.filter((name) => !/^(naive|blocker)-/.test(name));
    expect(await sum(first)).toBeLessThan(60_000);
    expect(await sum(used)).toBeLessThan(120_000);
    expect(used.length).toBeGreaterThan(first.size);
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
