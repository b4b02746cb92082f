import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GALLERY_BUDGETS } from '../../scenarios/budgets-pages.ts';
import { openObservedPage } from '../../loadtest/src/drivers/browser/page.ts';
import { launchBrowser, type LaunchedBrowser } from '../../loadtest/src/environment/browser.ts';
import { judgeBudgets } from '../../loadtest/src/judge/budgets.ts';
import { measureGallery, measurementsOf } from '../../loadtest/src/load/gallery.ts';
import { createMockProject, type MockProject } from './mock-project.ts';
import { startMockServer } from './mock-server.ts';

const COUNT = 300;
const FAILED = 7;
const fails = (position: number): boolean => position % 43 === 5;

let folder = '';
let launched: LaunchedBrowser;
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'segbench-pages-'));
  await build({ build: { outDir: path.join(folder, 'dist') }, logLevel: 'warn' });
  launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
});
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});
afterAll(async () => {
  await launched?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Counts every toast node that is ever added; runs in the page before its own scripts. */
function countToasts(): void {
  const counter = { toasts: 0 };
  Object.assign(window, { counter });
  const look = (node: Node): void => {
    if (!(node instanceof Element)) return;
    counter.toasts += (node.matches('[data-toast]') ? 1 : 0) + node.querySelectorAll('[data-toast]').length;
  };
  new MutationObserver((records) => records.forEach(({ addedNodes }) => addedNodes.forEach(look))).observe(document, {
    subtree: true,
    childList: true,
  });
}

async function openPage(
  prefix: string,
  options: { signedOut?: boolean; hash?: string; count?: number; unlike?: readonly number[]; traced?: boolean } = {},
) {
  const project = createMockProject(options.count ?? COUNT);
  /** Three seconds of events, a window each 100 ms; a few images end at once. */
  const run = (batch: ReturnType<MockProject['newBatch']>, imageIds?: string[], from = 0): void => {
    if (imageIds) return project.finish(batch, imageIds.map(project.positionOf));
    const positions = Array.from({ length: 10 }, (_, i) => from + i);
    project.finish(batch, positions, fails);
    if (from + 10 < COUNT) setTimeout(() => run(batch, undefined, from + 10), 100);
  };
  const server = await startMockServer({ project, run, dist: path.join(folder, 'dist'), ...options });
  opened.push(() => server.close());
  const page = await launched.browser.newPage();
  opened.unshift(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.evaluateOnNewDocument(countToasts);
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(`${server.url}${prefix}/projects/${project.id}${options.hash ?? ''}`);
  return { project, server, page, errors };
}
async function segmentAll(page: Page): Promise<void> {
  await page.waitForSelector('[data-image-id]');
  await page.click('[data-action="segment-all"]');
  await page.waitForSelector(`[role=progressbar][aria-valuenow="${COUNT}"][aria-valuemax="${COUNT}"]`);
}
/** Cells on the screen that do not show what the project says of them. */
const wrongCells = (page: Page, truth: Record<string, number | 'failed'>) =>
  page.evaluate((expected) => {
    const cells = [...document.querySelectorAll<HTMLElement>('[data-image-id]')];
    const seen = cells.filter((cell) => {
      const { top, bottom } = cell.getBoundingClientRect();
      return top < innerHeight && bottom > 0;
    });
    const wrong = seen.filter(({ dataset }) => {
      const wanted = expected[dataset['imageId'] ?? ''];
      if (wanted === 'failed') return dataset['status'] !== 'failed' || dataset['overlay'] !== undefined;
      return dataset['overlay'] !== 'drawn' || dataset['polygonCount'] !== String(wanted);
    });
    return { seen: seen.length, all: cells.length, wrong: wrong.length };
  }, truth);
const truthOf = ({ images }: MockProject): Record<string, number | 'failed'> =>
  Object.fromEntries(images.map(({ id, result }) => [id, result?.polygonCount ?? 'failed']));
const toasts = (page: Page) =>
  page.evaluate(() => (window as unknown as { counter: { toasts: number } }).counter.toasts);

async function untilRight(page: Page, project: MockProject) {
  const truth = truthOf(project);
  const until = Date.now() + 40_000;
  for (;;) {
    const cells = await wrongCells(page, truth);
    if (cells.wrong === 0 || Date.now() > until) return cells;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('gallery', () => {
  it('follows a batch with one toast, few bulk requests and an overlay on every completed cell', async () => {
    const { project, server, page, errors } = await openPage('', { traced: true });
    await segmentAll(page);
    const cells = await untilRight(page, project);
    expect(cells.wrong).toBe(0);
    // it says of traced images that they are on the screen, in order and once a frame at most
    const shown = server.said.map((text) => (JSON.parse(text) as { type: 'shown'; seq: number }).seq);
    expect(shown.at(-1)).toBe(project.seq);
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
    expect(cells.seen).toBeGreaterThan(20);
    expect(cells.all).toBeLessThan(100);
    expect(await toasts(page)).toBe(1);
    expect(await page.$eval('[data-toast]', (node) => node.textContent)).toContain(
      `${COUNT} images: ${COUNT - FAILED} done, ${FAILED} failed`,
    );
    const carrying = server.requests.filter((route) => /segmentation|overlay/.test(route));
    expect(carrying.length).toBeLessThanOrEqual(10);
    expect(carrying.every((route) => route === 'POST /api/segmentation/batch/results')).toBe(true);
    expect(errors).toEqual([]);
  });

  it('shows the same state after its socket was cut in the middle of a batch', async () => {
    const { project, server, page } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    await page.click('[data-action="segment-all"]');
    await page.waitForSelector('[data-status="completed"]');
    server.dropSockets();
    await page.waitForSelector(`[role=progressbar][aria-valuenow="${COUNT}"]`);
    expect((await untilRight(page, project)).wrong).toBe(0);
    expect(await toasts(page)).toBe(1);
  });

  /** What the list says of the keyboard, and how many are chosen. */
  const keyboard = (page: Page) =>
    page.evaluate(() => {
      const grid = document.querySelector('[data-gallery-grid]')!;
      const id = grid.getAttribute('aria-activedescendant');
      const place = id && document.getElementById(id)?.getAttribute('aria-posinset');
      const chosen = document.querySelector('[data-selected]')?.getAttribute('data-selected') ?? '0';
      return { place: Number(place), focused: document.activeElement === grid, chosen: Number(chosen) };
    });

  it('is gone through, chosen from and segmented by keys alone, and keeps the focus while cells are recycled', async () => {
    const { page, project, server } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    await page.focus('[data-gallery-grid]');
    await page.keyboard.press('End');
    await page.waitForSelector(`[aria-posinset="${COUNT}"]`);
    expect(await keyboard(page)).toEqual({ place: COUNT, focused: true, chosen: 0 });
    await page.keyboard.press('Home');
    await page.waitForSelector('[aria-posinset="1"]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.down('Shift');
    for (let row = 0; row < 6; row++) await page.keyboard.press('ArrowDown');
    await page.keyboard.up('Shift');
    const columns = await page.evaluate(() => {
      const tops = [...document.querySelectorAll<HTMLElement>('[data-image-id]')].map(
        (cell) => cell.getBoundingClientRect().top,
      );
      return tops.filter((top) => top === tops[0]).length;
    });
    await page.waitForSelector(`[data-selected="${6 * columns + 1}"]`);
    expect(await keyboard(page)).toEqual({ place: 6 * columns + 2, focused: true, chosen: 6 * columns + 1 });
    await page.keyboard.press(' ');
    await page.waitForSelector(`[data-selected="${6 * columns}"]`);
    await page.click('[data-action="segment-selected"]');
    await page.waitForFunction(
      (total) => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuemax') === String(total),
      {},
      6 * columns,
    );
    expect(project.batches).toHaveLength(1);
    expect(server.requests.filter((route) => route === 'POST /api/projects/:id/batches')).toHaveLength(1);
    await page.focus('[data-gallery-grid]');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector('[data-selected]'));
  });

  it('chooses a range with the mouse, and opens nothing while it does', async () => {
    const { page } = await openPage('');
    await page.waitForSelector('[aria-posinset="4"]');
    await page.click('[aria-posinset="4"] .tick');
    await page.keyboard.down('Shift');
    await page.click('[aria-posinset="11"]');
    await page.keyboard.up('Shift');
    await page.waitForSelector('[data-selected="8"]');
    expect(await page.$$eval('[aria-selected="true"]', (cells) => cells.length)).toBe(8);
    expect(await page.evaluate(() => location.pathname)).toContain('/projects/');
    await page.click('[data-filter="picked"]');
    await page.waitForSelector('[aria-setsize="8"]');
  });

  it('tries twelve images at a threshold and at another, says what looks strange, and then takes all', async () => {
    const { page, project } = await openPage('', { unlike: [12, 37] });
    await page.waitForSelector('[data-image-id]');
    await page.click('[data-action="try-first"]');
    await page.waitForSelector('[data-trial="12"]');
    expect(project.batches.map(({ total }) => total)).toEqual([12]);
    expect(await page.$eval('[data-trial]', (node) => node.textContent)).toMatch(
      /Tried 12 images at 0\.50: [\d,]+ cells/,
    );
    expect(await page.$$eval('[data-image-id]', (cells) => cells.length)).toBe(12);
    // Places 12 and 37 are two of the twelve.
    await page.waitForSelector('[data-unlike-notice="2"]');
    expect(await page.$$eval('[data-unlike]', (cells) => cells.length)).toBe(2);
    await page.focus('.threshold input');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelector('[data-trial]')?.textContent?.includes('at 0.45:'));
    expect(project.batches.map(({ total }) => total)).toEqual([12, 12]);
    await page.click('[data-action="segment-after-trial"]');
    await page.waitForSelector(`[role=progressbar][aria-valuemax="${COUNT}"]`);
    expect(await page.$('[data-trial]')).toBeNull();
  });

  it('goes to a place of 100,000 images in few nodes, from one end to the other', async () => {
    const { page } = await openPage('', { count: 100_000 });
    await page.waitForSelector('[data-image-id]');
    const nodes = () => page.evaluate(() => document.getElementsByTagName('*').length);
    await page.type('.jump input', '77777');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[aria-posinset="77777"][data-active]');
    expect((await keyboard(page)).focused).toBe(true);
    expect(await nodes()).toBeLessThan(600);
    await page.keyboard.press('End');
    await page.waitForSelector('[aria-posinset="100000"]');
    expect(await nodes()).toBeLessThan(600);
    const { top, height } = await page.$eval('[data-gallery-grid]', (grid) => ({
      top: grid.scrollTop,
      height: grid.scrollHeight,
    }));
    expect(height).toBeLessThan(2 ** 24);
    expect(top).toBeGreaterThan(height / 2);
  });

  it('exchanges the key in the address for a session and takes it out of the address', async () => {
    const { server, page } = await openPage('', { hash: `#key=${'k'.repeat(40)}` });
    await page.waitForSelector('[data-image-id]');
    expect(server.requests[0]).toBe('POST /api/session');
    expect(await page.evaluate(() => location.href)).not.toContain('key');
  });

  it('asks to sign in when nobody has', async () => {
    const { page } = await openPage('', { signedOut: true });
    await page.waitForSelector('input[name=key]');
    expect(await page.$('[data-image-id]')).toBeNull();
  });
});

/** Keeps what it was shown, and draws what was not found. */
function hoard(): void {
  const kept: unknown[] = [];
  Object.assign(window, { kept });
  setInterval(() => {
    const cell = document.querySelector<HTMLElement>('[data-overlay]');
    if (!cell || kept.length > 0) return;
    kept.push(new Uint8Array(80e6));
    for (let n = 0; n < 600; n++) document.body.append(document.createElement('i'));
  }, 50);
  setInterval(() => {
    const cell = document.querySelector<HTMLElement>('[data-overlay]');
    if (cell) cell.dataset['polygonCount'] = '1';
  }, 400);
}

describe('measureGallery', () => {
  const SHOWN = 600;
  const measured = async (script?: string) => {
    const project = createMockProject(SHOWN);
    project.finish(
      project.newBatch(),
      project.images.map((_, place) => place),
    );
    const server = await startMockServer({ project, run: () => {}, dist: path.join(folder, 'dist') });
    opened.push(() => server.close());
    const page = await openObservedPage({
      browser: launched.browser,
      baseUrl: server.url,
      path: `/projects/${project.id}`,
      key: 'any',
      script,
    });
    opened.unshift(() => page.close());
    const cells = new Map(project.images.map(({ id, result }) => [id, result!.polygonCount]));
    const { signal } = new AbortController();
    const plan = { images: SHOWN, cells, sweeps: 2, sweepMs: 500, visits: 1, quietMs: 200, timeoutMs: 8000, signal };
    const figures = await measureGallery(page, {
      ...plan,
      ...(script ? { sweeps: 1, visits: 0, timeoutMs: 1200 } : {}),
    });
    const judged = judgeBudgets(measurementsOf(figures), GALLERY_BUDGETS, { imageCount: 100_000 });
    const verdicts = Object.fromEntries(judged.map(({ name, verdict }) => [name, verdict]));
    return { figures, verdicts, errors: page.errors };
  };

  it('finds few nodes, little memory and right cells in a gallery that was scrolled from end to end and ordered', async () => {
    const { figures, verdicts, errors } = await measured();
    expect(errors).toEqual([]);
    expect(verdicts).toMatchObject({
      gallery_dom_nodes: 'pass',
      gallery_heap_retained_bytes: 'pass',
      gallery_wrong_cells: 'pass',
    });
    for (const figure of [figures.firstPaintMs, figures.settleMs, figures.jumpMs, figures.orderMs])
      expect(figure).toBeGreaterThanOrEqual(0);
  });

  it('finds out a page that keeps what it was shown and shows what is not so', async () => {
    const { verdicts } = await measured(`(${hoard.toString()})()`);
    expect(verdicts).toMatchObject({
      gallery_dom_nodes: 'fail',
      gallery_heap_retained_bytes: 'fail',
      gallery_wrong_cells: 'fail',
    });
  });
});

describe('the built pages', () => {
  /** As a browser that takes gzip gets them; what is too small to be compressed is sent as it is. */
  const bytesOf = async (names: readonly string[]) => {
    const assets = path.join(folder, 'dist/assets');
    const sizes = await Promise.all(
      names.map((name) => stat(path.join(assets, `${name}.gz`)).catch(() => stat(path.join(assets, name)))),
    );
    return sizes.reduce((sum, { size }) => sum + size, 0);
  };
  it('begin with less than 60 kB of script, and are less than 120 kB all together', async () => {
    const html = await readFile(path.join(folder, 'dist/index.html'), 'utf8');
    const initial = [...html.matchAll(/assets\/([\w.-]+\.js)/g)].map(([, name]) => name!);
    expect(initial.length).toBeGreaterThan(0);
    expect(await bytesOf(initial)).toBeLessThan(60e3);
    const names = await readdir(path.join(folder, 'dist/assets'));
    const scripts = names.filter((name) => name.endsWith('.js') && !/^(?:naive|blocker)-/.test(name));
    expect(scripts.length).toBeGreaterThan(initial.length);
    expect(await bytesOf(scripts)).toBeLessThan(120e3);
  });
});

describe('negative control', () => {
  it('makes a request and a toast for every image, and still gets to its end', async () => {
    const { project, server, page } = await openPage('/naive');
    await segmentAll(page);
    const cells = await untilRight(page, project);
    expect(cells).toMatchObject({ all: COUNT, wrong: 0 });
    expect(await toasts(page)).toBe(COUNT);
    const single = server.requests.filter((route) => route === 'GET /api/images/:id/segmentation');
    expect(single).toHaveLength(COUNT - FAILED);
  });
});
