#!/usr/bin/env node
// The service in a folder of another site, behind a real nginx set up as docs/operating.md has it, used by a person in a real browser:
//   node test/acceptance/sub-path.mjs [--images N]
// Needs nginx on PATH (apt-get install nginx-light). Once as the proxy takes the folder away, once with BASE_PATH and the folder left in.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { build } from 'vite';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { writeRun } from '../../service/test/support/runs.ts';
import { KEY, startGround } from '../figures/ground.mjs';
import { need } from '../outside/kit.mjs';
import { createSteps, expect } from './kit.ts';
import { FOLDER, startNginx } from './sub-path/nginx.mjs';
import { openPage } from './sub-path/page.mjs';

const { values: options } = parseArgs({ options: { images: { type: 'string', default: '40' } } });
/** Beyond what the viewer loads whole. */
const LARGE = { width: 6000, height: 1500 };
const VARIANTS = [
  { name: 'the folder is taken away', settings: {}, leavesFolder: false },
  { name: 'BASE_PATH, the folder is left in', settings: { BASE_PATH: `${FOLDER}/` }, leavesFolder: true },
];

const version = await need('nginx', ['-v'], 'apt-get install nginx-light');
const { step, close } = createSteps();

async function use({ name, settings, leavesFolder }, shared) {
  console.log(name);
  const { ground, browser, files, large, folder, runId } = shared;
  const api = await ground.role('api', settings);
  const nginx = await startNginx(join(folder, leavesFolder ? 'left' : 'taken'), api.url, leavesFolder);
  const site = nginx.url + FOLDER;
  const { context, page, wrong } = await openPage(browser);
  const here = () => page.evaluate(() => location.pathname);
  const settled = () =>
    page.waitForFunction(
      () => {
        const cells = [...document.querySelectorAll('[data-image-id]')];
        const seen = cells.filter((cell) => cell.getBoundingClientRect().top < innerHeight);
        return seen.length > 0 && seen.every(({ dataset }) => dataset.overlay === 'drawn');
      },
      { timeout: 120_000 },
    );
  let gallery = '';
  let viewer = '';
  try {
    await step('sign in by the form, and the cookie is for this folder where the service knows it', async () => {
      await page.goto(`${site}/`);
      await page.waitForSelector('.sign-in input[name=key]');
      wrong.length = 0; // the 401 that brought the form
      await page.type('.sign-in input[name=key]', KEY);
      await page.locator('.sign-in button[type=submit]').click();
      await page.waitForSelector('.plot canvas');
      const [cookie] = await context.cookies();
      expect(cookie.path === (leavesFolder ? `${FOLDER}/` : '/'), `the cookie's path is ${cookie.path}`);
      return cookie.path;
    });
    await step('make a project, and upload', async () => {
      await page.type('.inline-form input', name);
      await page.locator('.inline-form button').click();
      const link = await page.waitForSelector(`xpath///a[text()="${name}"]`);
      await link.click();
      const input = await page.waitForSelector('input[type=file][aria-label="Upload images"]');
      await input.uploadFile(...files, large);
      await page.waitForSelector('[data-uploads="over"]', { timeout: 120_000 });
      const refused = await page.$$eval('.uploads-refused', (nodes) => nodes.map(({ textContent }) => textContent));
      expect(refused.length === 0, `refused: ${refused.join()}`);
      await page.waitForSelector(`[aria-setsize="${files.length + 1}"]`);
      gallery = await here();
      expect(gallery.startsWith(`${FOLDER}/projects/`), gallery);
      return `${files.length + 1} images`;
    });
    await step('segment all, and follow it by events to the last overlay', async () => {
      await page.waitForSelector('.connection-live');
      await page.locator('[data-action="segment-all"]').click();
      const total = files.length + 1;
      const done = `[role=progressbar][aria-valuenow="${total}"][aria-valuemax="${total}"]`;
      await page.waitForSelector(done, { timeout: 300_000 });
      await settled();
      const toasts = await page.$$eval('[data-toast]', (nodes) => nodes.length);
      expect(toasts === 1, `${toasts} toasts`);
    });
    await step('look at an image at full resolution, and go on by a key', async () => {
      const place = await page.evaluate(async () => {
        const id = location.pathname.split('/').at(-1);
        const reply = await fetch(`../api/projects/${id}/images?limit=500&q=large`);
        return (await reply.json()).items[0].id;
      });
      await page.goto(`${site}/images/${place}`);
      await page.waitForSelector('.view-side');
      await page.focus('.view-stage');
      for (let press = 0; press < 8; press++) await page.keyboard.press('+');
      await page.waitForSelector('[data-parts="here"]');
      const seen = () => nginx.requests().then((all) => all.filter(({ path }) => path.includes('region=')));
      for (let round = 0; (await seen()).length === 0 && round < 100; round++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      await page.waitForSelector('[data-parts="here"]', { timeout: 60_000 });
      const parts = await seen();
      expect(parts.length > 0, 'no part was asked for');
      expect(
        // 499: called off by the page, the view had moved on.
        parts.every(({ status }) => status === '200' || status === '499'),
        JSON.stringify(parts),
      );
      await page.keyboard.press('0'); // of a picture that is seen whole, arrows lead on
      const before = await here();
      const isLast = await page.$eval('[aria-keyshortcuts="ArrowRight"]', (link) => link.hasAttribute('aria-disabled'));
      await page.keyboard.press(isLast ? 'ArrowLeft' : 'ArrowRight');
      await page.waitForFunction((path) => location.pathname !== path, {}, before);
      viewer = await here();
      expect(viewer.startsWith(`${FOLDER}/images/`), viewer);
      return `${parts.length} parts`;
    });
    await step('export a batch, and download it', async () => {
      const bytes = await page.evaluate(async (project) => {
        const json = async (path, init) => (await fetch(`../api${path}`, init)).json();
        const { items } = await json(`/projects/${project}/batches`);
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ format: 'csv' });
        const { id } = await json(`/batches/${items[0].id}/exports`, { method: 'POST', headers, body });
        for (let round = 0; round < 200; round++) {
          const { status } = await json(`/exports/${id}`);
          if (status === 'ready') return (await (await fetch(`../api/download/${id}`)).arrayBuffer()).byteLength;
          if (status === 'failed') return -1;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        return 0;
      }, gallery.split('/').at(-1));
      expect(bytes > 1000, `${bytes} bytes`);
      return `${bytes} bytes`;
    });
    await step('every link of every page leads into the folder, and to something', async () => {
      const pages = ['/', gallery.slice(FOLDER.length), viewer.slice(FOLDER.length), '/runs', `/runs/${runId}`];
      const open = [...pages, `/runs?base=${runId}&now=${runId}`, '/capacity', '/keys', '/docs', '/graphql'];
      const links = new Set();
      for (const path of open) {
        await page.goto(site + path, { waitUntil: 'networkidle2' });
        const found = await page.$$eval('a[href], link[href], script[src], img[src]', (nodes) =>
          nodes.map((node) => node.href || node.src),
        );
        for (const link of found) if (new URL(link).origin === nginx.url) links.add(link.split('#')[0]);
      }
      const outside = [...links].filter((link) => !new URL(link).pathname.startsWith(`${FOLDER}/`));
      expect(outside.length === 0, `outside of the folder: ${outside.join(', ')}`);
      const dead = await page.evaluate(
        async (all) => {
          const statuses = await Promise.all(
            all.map(async (link) => [
              await fetch(link).then(
                ({ status }) => status,
                (error) => String(error),
              ),
              link,
            ]),
          );
          return statuses.filter(([status]) => status !== 200);
        },
        [...links],
      );
      expect(dead.length === 0, `dead: ${JSON.stringify(dead)}`);
      return `${open.length} pages, ${links.size} addresses`;
    });
    await step('sign out, and back to the form', async () => {
      await page.goto(`${site}/keys`);
      await page.locator('[data-action="sign-out"]').click();
      const before = wrong.length;
      await page.waitForSelector('.sign-in input[name=key]');
      wrong.splice(before);
      const left = await context.cookies();
      expect(left.length === 0, `the cookie is still there: ${JSON.stringify(left)}`);
    });
    await step('nothing was asked for outside of the folder, and nothing went wrong in a page', async () => {
      await context.close();
      const all = await nginx.requests();
      const strays = all.filter(({ path }) => !path.startsWith(`${FOLDER}/`) && path !== '/favicon.ico');
      expect(strays.length === 0, JSON.stringify(strays));
      const failed = all.filter(({ status }) => Number(status) >= 500);
      expect(failed.length === 0, JSON.stringify(failed));
      const sockets = all.filter(({ status, path }) => status === '101' && path.startsWith(`${FOLDER}/api/events`));
      expect(sockets.length > 0, 'no socket went through nginx');
      const said = wrong.filter((line) => !/401/.test(line));
      expect(said.length === 0, said.join('; '));
      return `${all.length} requests, ${sockets.length} sockets`;
    });
  } finally {
    await context.close().catch(() => {});
    await nginx.stop();
    await api.stop();
  }
}

const roles = [];
const ground = await startGround();
try {
  const folder = join(ground.dataDir, 'sub-path');
  const dist = join(folder, 'dist');
  const runs = join(folder, 'runs');
  await mkdir(folder);
  await build({ build: { outDir: dist }, logLevel: 'error' });
  const runId = await writeRun(runs, { report: '<!doctype html><title>report</title><p>held</p>' });
  Object.assign(ground.env, { DASHBOARDS_DIR: dist, RESULTS_DIR: runs });
  const directory = join(folder, 'images');
  const set = await generateImages({ count: Number(options.images), seed: 11, directory, labels: 0 });
  const files = set.images.map(({ path }) => path);
  const large = join(folder, 'large.jpg');
  await sharp({
    create: { ...LARGE, channels: 3, background: '#203040', noise: { type: 'gaussian', mean: 60, sigma: 20 } },
  })
    .jpeg()
    .toFile(large);
  roles.push(await ground.role('relay'));
  roles.push(await ground.role('worker', { WORKERS: '2' }));
  const launched = await launchBrowser({ tempDir: folder, env: {}, log: () => {} });
  console.log(`${version}, ${launched.version}`);
  try {
    for (const variant of VARIANTS)
      await use(variant, { ground, browser: launched.browser, files, large, folder, runId });
  } finally {
    await launched.close();
  }
} finally {
  for (const role of roles.toReversed()) await role.stop();
  await ground.stop();
}
process.exitCode = close();
