import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, type LaunchedBrowser } from '../../loadtest/src/environment/browser.ts';
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

async function openPage(prefix: string, options: { signedOut?: boolean; hash?: string } = {}) {
  const project = createMockProject(COUNT);
  /** Three seconds of events, a window each 100 ms. */
  const run = (batch: ReturnType<MockProject['newBatch']>, from = 0): void => {
    const positions = Array.from({ length: 10 }, (_, i) => from + i);
    project.finish(batch, positions, fails);
    if (from + 10 < COUNT) setTimeout(() => run(batch, from + 10), 100);
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
    const { project, server, page, errors } = await openPage('');
    await segmentAll(page);
    const cells = await untilRight(page, project);
    expect(cells.wrong).toBe(0);
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

  it('moves by rows and to the ends when keys are pressed', async () => {
    const { page } = await openPage('');
    await page.waitForSelector('[data-image-id]');
    await page.focus('[data-gallery-grid]');
    await page.keyboard.press('End');
    await page.waitForSelector(`[aria-posinset="${COUNT}"]`);
    await page.keyboard.press('Home');
    await page.waitForSelector('[aria-posinset="1"]');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.querySelector('[data-gallery-grid]')!.scrollTop > 0);
    const { top, row } = await page.evaluate(() => {
      const cells = [...document.querySelectorAll<HTMLElement>('[data-image-id]')].map((cell) => cell.offsetHeight);
      return { top: document.querySelector('[data-gallery-grid]')!.scrollTop, row: cells[0] ?? 0 };
    });
    expect(Math.abs(top - row)).toBeLessThanOrEqual(12);
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
