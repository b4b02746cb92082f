#!/usr/bin/env node
// The service in a folder of another site, behind a real nginx set up as docs/operating.md has it, used by a person in a real browser:
//   node test/acceptance/sub-path.mjs [--images N]
// Needs nginx on PATH (apt-get install nginx-light). Once as the proxy takes the folder away, once with BASE_PATH and the folder left in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { build } from 'vite';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { writeRun } from '../../service/test/support/runs.ts';
import { KEY, startGround } from '../figures/ground.mjs';
import { need } from '../outside/kit.mjs';

const { values: options } = parseArgs({ options: { images: { type: 'string', default: '40' } } });
const FOLDER = '/segbench';
/** Beyond what the viewer loads whole. */
const LARGE = { width: 6000, height: 1500 };
const VARIANTS = [
  { name: 'the folder is taken away', settings: {}, leavesFolder: false },
  { name: 'BASE_PATH, the folder is left in', settings: { BASE_PATH: `${FOLDER}/` }, leavesFolder: true },
];

const version = await need('nginx', ['-v'], 'apt-get install nginx-light');
const outcomes = [];
const expect = (condition, message) => {
  if (!condition) throw new Error(message);
};
async function step(name, run) {
  const started = Date.now();
  const detail = await run().then(
    (said) => (outcomes.push(true), said),
    (error) => (outcomes.push(false), error.message),
  );
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`  ${outcomes.at(-1) ? 'passed' : 'failed'} ${name} (${seconds} s) ${detail ?? ''}`);
}
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** nginx with the server of the documentation's own example, of which only addresses are filled in. */
async function startNginx(folder, service, leavesFolder) {
  await mkdir(folder);
  const port = await freePort();
  const page = await readFile(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
  const example = /```nginx\n([\s\S]+?)```/.exec(page.slice(page.indexOf('In a folder of another site')))?.[1] ?? '';
  const target = 'proxy_pass http://127.0.0.1:8080/;';
  expect(example.includes(target), 'docs/operating.md has no example for nginx that this script knows');
  const server = example
    .replace(target, `proxy_pass ${service}${leavesFolder ? '' : '/'};`)
    .replace('server {', `server {\n  listen 127.0.0.1:${port};\n  location / { return 404; }`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const conf = [
    // As root nginx would hand the folder to somebody who may not enter it.
    userInfo().uid === 0 ? 'user root;' : '',
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;`,
    'events { worker_connections 512; }',
    `http {\n  log_format plain '$status $request_method $request_uri $http_referer';\n  access_log ${folder}/access.log plain;`,
    ...temporary.map((name) => `  ${name}_temp_path ${folder}/tmp-${name};`),
    server,
    '}',
  ];
  await writeFile(join(folder, 'nginx.conf'), conf.join('\n'));
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let round = 0; ; round++) {
    if (await fetch(`${url}${FOLDER}/healthz`).catch(() => null)) break;
    expect(round < 100 && child.exitCode === null, `nginx does not answer: ${folder}/error.log`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    /** Of every request so far, as nginx saw it. */
    async requests() {
      const lines = (await readFile(join(folder, 'access.log'), 'utf8')).trim().split('\n');
      return lines
        .map((line) => line.split(' '))
        .map(([status, method, path, from]) => ({ status, method, path, from }));
    },
    async stop() {
      child.kill('SIGQUIT');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** A page that keeps what went wrong in it. */
async function openPage(browser) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('response', (reply) => {
    const { pathname } = new URL(reply.url());
    if (reply.status() >= 400 && pathname !== '/favicon.ico') wrong.push(`${reply.status()} ${pathname}`);
  });
  page.on('requestfailed', (request) => {
    // Called off by the page itself: it went elsewhere.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED')
      wrong.push(`${request.failure()?.errorText} ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url ?? '')) wrong.push(message.text());
  });
  return { context, page, wrong };
}

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
      await page.click('.sign-in button[type=submit]');
      await page.waitForSelector('.plot canvas');
      const [cookie] = await context.cookies();
      expect(cookie.path === (leavesFolder ? `${FOLDER}/` : '/'), `the cookie's path is ${cookie.path}`);
      return cookie.path;
    });
    await step('make a project, and upload', async () => {
      await page.type('.inline-form input', name);
      await page.click('.inline-form button');
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
      await page.click('[data-action="segment-all"]');
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
      await (await page.waitForSelector('[data-action="sign-out"]')).click();
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
const failed = outcomes.filter((passed) => !passed).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
