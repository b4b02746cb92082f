import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type LaunchedBrowser } from '../../loadtest/src/environment/browser.ts';
import { drawDashboard } from '../src/draw/dashboard.ts';
import type { DashboardFile } from '../src/draw/file.ts';
import { PAGE_WIDTH, pageOf } from '../src/draw/page.ts';
import { writePicture } from '../src/draw/picture.ts';
import { createPrometheus } from '../src/draw/prometheus.ts';
import { DASHBOARDS_DIR } from '../src/generate.ts';
import { fakePrometheus } from './fake-prometheus.ts';

let folder: string;
let launched: LaunchedBrowser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-draw-test-'));
  launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
});
afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a reader would not see whole: runs in the page. */
function cutOff(): string[] {
  return [...document.querySelectorAll('section')].flatMap((section) => {
    const title = section.querySelector('h2')!;
    const outer = section.getBoundingClientRect();
    const beyond = [...section.querySelectorAll('svg > text, li, .stat')].filter((part) => {
      const { left, right, bottom } = part.getBoundingClientRect();
      return left < outer.left || right > outer.right || bottom > outer.bottom;
    });
    const all = [...(title.scrollWidth > title.clientWidth ? [title] : []), ...beyond];
    return all.map((part) => `${title.textContent}: ${part.textContent}`);
  });
}

it('nothing is cut off: titles, marks of axes, legends of many series with long names', async () => {
  const toMs = Date.parse('2026-03-02T12:00:00Z');
  // the routes of the service, and values whose marks are wide
  const series = Array.from({ length: 24 }, (_, index) => ({
    metric: { route: `/api/projects/:id/images/:number${index}`, instance: `10.20.30.${index}:9464`, role: 'worker' },
    at: () => 0.9876 * 10 ** (index % 7),
  }));
  const prometheus = createPrometheus(
    'http://prometheus',
    fakePrometheus(() => series),
  );
  const range = { fromMs: toMs - 30 * 86_400_000, toMs };
  const tab = await launched.browser.newPage();
  let panels = 0;
  for (const name of await readdir(DASHBOARDS_DIR)) {
    const file = JSON.parse(await readFile(join(DASHBOARDS_DIR, name), 'utf8')) as DashboardFile;
    // a point a day: the marks and names are what is looked at
    const { page, reports } = await drawDashboard(file, { prometheus, range, scrapeMs: 86_400_000 });
    panels += reports.length;
    await tab.setContent(pageOf(page).html);
    expect(await tab.evaluate(cutOff)).toEqual([]);
  }
  expect(panels).toBeGreaterThan(80);
});

it('a dashboard becomes one picture, in its whole height', async () => {
  const file = JSON.parse(await readFile(join(DASHBOARDS_DIR, 'segbench-inference.json'), 'utf8')) as DashboardFile;
  const range = { fromMs: 0, toMs: 900_000 };
  const prometheus = createPrometheus('http://prometheus', fakePrometheus());
  const { page } = await drawDashboard(file, { prometheus, range, scrapeMs: 15_000 });
  const path = join(folder, 'picture.webp');
  expect(await writePicture(launched.browser, page, path)).toBe((await readFile(path)).length);
  expect(await sharp(path).metadata()).toMatchObject({
    format: 'webp',
    width: PAGE_WIDTH,
    height: pageOf(page).height,
  });
});
