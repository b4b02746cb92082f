import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launchBrowser, type LaunchedBrowser } from '../../loadtest/src/environment/browser.ts';
import { builtPages } from './built-pages.ts';
import { createMockProject, type MockProject } from '../../loadtest/src/stand-in/project.ts';
import { startMockServer } from '../../loadtest/src/stand-in/server.ts';

export const COUNT = 300;
export const FAILED = 7;
const fails = (position: number): boolean => position % 43 === 5;

/** Counts every toast node that is ever added; runs in the page before its own scripts. */
export function countToasts(): void {
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

/** What a test may ask for of a page beside its server's options. */
type Opening = Pick<Parameters<typeof startMockServer>[0], 'signedOut' | 'unlike' | 'traced' | 'silent' | 'answer'> & {
  hash?: string;
  count?: number;
  /** Another page than the project's gallery. */
  path?: (project: MockProject) => string;
};

/** A gallery of a project in memory, or another page. What is opened is closed by the functions put into `opened`, the first one first. */
async function openGallery(
  { browser, dist, opened }: { browser: Browser; dist: string; opened: (() => Promise<void>)[] },
  prefix: string,
  options: Opening = {},
) {
  const project = createMockProject(options.count ?? COUNT);
  /** Three seconds of events, a window each 100 ms; a few images end at once. */
  const run = (batch: ReturnType<MockProject['newBatch']>, imageIds?: string[], from = 0): void => {
    if (imageIds) return project.finish(batch, imageIds.map(project.positionOf));
    const positions = Array.from({ length: 10 }, (_, i) => from + i);
    project.finish(batch, positions, fails);
    if (from + 10 < COUNT) setTimeout(() => run(batch, undefined, from + 10), 100);
  };
  const server = await startMockServer({ project, run, dist, ...options });
  opened.push(() => server.close());
  const page = await browser.newPage();
  opened.unshift(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.evaluateOnNewDocument(countToasts);
  await page.setViewport({ width: 1280, height: 800 });
  const where = options.path?.(project) ?? `/projects/${project.id}`;
  await page.goto(`${server.url}${prefix}${where}${options.hash ?? ''}`);
  return { project, server, page, errors };
}
export async function segmentAll(page: Page): Promise<void> {
  await page.waitForSelector('[data-image-id]');
  await page.locator('[data-action="segment-all"]').click();
  await page.waitForSelector(`[role=progressbar][aria-valuenow="${COUNT}"][aria-valuemax="${COUNT}"]`);
}
/** Cells on the screen that do not show what the project says of them. */
export const wrongCells = (page: Page, truth: Record<string, number | 'failed'>) =>
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
export const truthOf = ({ images }: MockProject): Record<string, number | 'failed'> =>
  Object.fromEntries(images.map(({ id, result }) => [id, result?.polygonCount ?? 'failed']));
export const toasts = (page: Page) =>
  page.evaluate(() => (window as unknown as { counter: { toasts: number } }).counter.toasts);
/** Of a gallery whose cells are all in sight. */
export const drawn = (page: Page, count: number) =>
  page.waitForFunction(
    (all) => document.querySelectorAll('[data-image-id][data-overlay="drawn"]').length === all,
    {},
    count,
  );
export const polygonCounts = (page: Page) =>
  page.$$eval('[data-image-id]', (cells) =>
    Object.fromEntries(
      cells.map((cell) => [cell.getAttribute('data-image-id')!, Number(cell.getAttribute('data-polygon-count'))]),
    ),
  );

export async function untilRight(page: Page, project: MockProject) {
  const truth = truthOf(project);
  const until = Date.now() + 40_000;
  for (;;) {
    const cells = await wrongCells(page, truth);
    if (cells.wrong === 0 || Date.now() > until) return cells;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The built pages and one browser for the tests of a file; what a test puts into `opened` is closed after it, the first one first. */
export function galleryBench() {
  const opened: (() => Promise<void>)[] = [];
  const bench = {
    opened,
    dist: '',
    /** There once the tests run. */
    launched: undefined as unknown as LaunchedBrowser,
    openPage: (prefix: string, options?: Parameters<typeof openGallery>[2]) =>
      openGallery({ browser: bench.launched.browser, dist: bench.dist, opened }, prefix, options),
  };
  let folder = '';
  beforeAll(async () => {
    bench.dist = await builtPages();
    folder = await mkdtemp(path.join(tmpdir(), 'segbench-pages-'));
    bench.launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
  });
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  });
  afterAll(async () => {
    await bench.launched?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return bench;
}
