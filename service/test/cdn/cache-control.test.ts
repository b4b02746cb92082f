import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Project } from '#contract/images.ts';
import { precompress } from '../../../dashboards/build/precompress.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

const CDN = 'https://cdn.example.org';
const SCRIPT = `console.log(${JSON.stringify('a line that repeats '.repeat(500))});`;
let plain: TestApp;
let behind: TestApp;
let image: Image;
let exportId: string;
let dashboards: string;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}
/** Plain HTTP: `fetch` would decompress. */
const get = (app: TestApp, path: string, headers: Record<string, string> = {}) =>
  new Promise<Answer>((resolve, reject) => {
    request(app.url + path, { headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () =>
        resolve({ status: reply.statusCode!, headers: reply.headers, body: Buffer.concat(chunks) }),
      );
    })
      .on('error', reject)
      .end();
  });
const bearer = { authorization: `Bearer ${TEST_KEY}` };

beforeAll(async () => {
  dashboards = await mkdtemp(join(tmpdir(), 'segbench-dashboards-'));
  await mkdir(join(dashboards, 'dist/assets'), { recursive: true });
  await writeFile(join(dashboards, 'dist/index.html'), '<!doctype html><html lang="en"></html>');
  await writeFile(join(dashboards, 'dist/assets/app-4f3a9c1e.js'), SCRIPT);
  // What the build does, with what it does it.
  const plugin = precompress();
  (plugin.configResolved as (config: object) => void)({ root: dashboards, build: { outDir: 'dist' } });
  await (plugin.closeBundle as () => Promise<void>)();
  const env = { DASHBOARDS_DIR: join(dashboards, 'dist'), URL_SIGNING_KEY: 'k'.repeat(40) };
  plain = await startTestApp(env);
  behind = await startTestApp({ ...env, CDN_BASE_URL: CDN }, { beside: plain });
  const project = await plain.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  const projectId = ((await project.json()) as Project).id;
  [image] = (await uploadPictures(plain, projectId, 1)) as [Image];
  const batchId = await finishBatch(plain, projectId, [image], [2]);
  const made = await plain.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format: 'csv' } });
  exportId = ((await made.json()) as { id: string }).id;
  await until(
    async () =>
      ((await (await plain.call(`/api/exports/${exportId}`)).json()) as { status: string }).status === 'ready',
  );
});
afterAll(async () => {
  await behind.close();
  await plain.close();
  await rm(dashboards, { recursive: true, force: true });
});

const LEFT = 'SECONDS UNTIL IT EXPIRES';
/** The rows of docs/cdn.md. `signed` paths come from the service itself. */
describe('Cache-Control', () => {
  const resultId = async () =>
    (await plain.sql<{ id: string }[]>`select result_id as id from images where id = ${image.id}`)[0]!.id;
  const ROWS: [string, 'plain' | 'cdn', 'key' | 'signed' | 'nobody', () => string | Promise<string>, string][] = [
    [
      'derived picture',
      'cdn',
      'signed',
      () => plain.app.urls.thumbnail(image.id),
      `public, max-age=${LEFT}, immutable`,
    ],
    [
      'derived picture',
      'plain',
      'signed',
      () => plain.app.urls.thumbnail(image.id),
      `private, max-age=${LEFT}, immutable`,
    ],
    [
      'derived picture',
      'cdn',
      'key',
      () => `/api/images/${image.id}/render?w=9`,
      'private, max-age=31536000, immutable',
    ],
    [
      'mask of a named result',
      'cdn',
      'signed',
      async () => plain.app.urls.overlay(image.id, await resultId()),
      `public, max-age=${LEFT}, immutable`,
    ],
    [
      'mask of a named result',
      'plain',
      'key',
      async () => `/api/images/${image.id}/overlay?v=${await resultId()}`,
      'private, max-age=31536000, immutable',
    ],
    [
      'mask of a named result',
      'plain',
      'signed',
      async () => plain.app.urls.overlay(image.id, await resultId()),
      `private, max-age=${LEFT}, immutable`,
    ],
    ['mask of the present result', 'cdn', 'key', () => `/api/images/${image.id}/overlay`, 'private, no-cache'],
    ['original', 'plain', 'key', () => `/api/images/${image.id}/file`, 'private, max-age=31536000, immutable'],
    ['original', 'plain', 'signed', () => plain.app.urls.file(image.id), `private, max-age=${LEFT}, immutable`],
    ['original', 'cdn', 'key', () => `/api/images/${image.id}/file`, 'private, max-age=31536000, immutable'],
    ['original', 'cdn', 'signed', () => plain.app.urls.file(image.id), `private, max-age=${LEFT}, immutable`],
    ['export', 'cdn', 'signed', () => plain.app.urls.download(exportId), 'private, no-cache'],
    ['export', 'plain', 'signed', () => plain.app.urls.download(exportId), 'private, no-cache'],
    ['export', 'cdn', 'key', () => `/api/download/${exportId}`, 'private, no-cache'],
    ['export', 'plain', 'key', () => `/api/download/${exportId}`, 'private, no-cache'],
    ['answer of the API', 'cdn', 'key', () => `/api/images/${image.id}`, 'no-store'],
    ['refusal', 'cdn', 'nobody', () => `/api/images/${image.id}`, 'no-store'],
    ['refusal of a signed address', 'cdn', 'signed', () => `${plain.app.urls.thumbnail(image.id)}x`, 'no-store'],
    ['unknown path', 'cdn', 'nobody', () => '/nothing', 'no-store'],
    ['page', 'cdn', 'nobody', () => '/', 'no-cache'],
    ['asset', 'plain', 'nobody', () => '/assets/app-4f3a9c1e.js', 'public, max-age=31536000, immutable'],
  ];
  it.each(ROWS)('of a %s (%s, %s)', async (_, where, who, path, expected) => {
    const url = await path();
    const { headers } = await get(where === 'cdn' ? behind : plain, url, who === 'key' ? bearer : {});
    const given = String(headers['cache-control']);
    const expires = new URL(url, CDN).searchParams.get('expires');
    const age = expected.includes(LEFT) ? /\d+/.exec(given)?.[0] : undefined;
    expect(age === undefined ? given : given.replace(age, LEFT)).toBe(expected);
    // Never longer than the address holds, and as long as that.
    const tooLong = age === undefined ? 0 : Number(age) - (Number(expires) - Date.now() / 1000);
    expect(tooLong).toBeLessThanOrEqual(1);
    expect(tooLong).toBeGreaterThan(-30);
  });

  it('of a picture that the client has is the same as of the picture', async () => {
    const path = `/api/images/${image.id}/render?w=9&f=png`;
    const { headers } = await get(plain, path, bearer);
    const again = await get(plain, path, { ...bearer, 'if-none-match': String(headers['etag']) });
    expect([again.status, again.headers['cache-control'], again.body.length]).toEqual([
      304,
      headers['cache-control'],
      0,
    ]);
  });
});

describe('assets', () => {
  it.each([
    ['br, gzip', 'br', 0.1],
    ['gzip', 'gzip', 0.1],
    ['gzip;q=1, br;q=0', 'gzip', 0.1],
    ['identity', undefined, 1],
    ['', undefined, 1],
  ])('are sent as the build compressed them: %s', async (accept, encoding, share) => {
    const { status, headers, body } = await get(plain, '/assets/app-4f3a9c1e.js', { 'accept-encoding': accept });
    expect([status, headers['content-encoding']]).toEqual([200, encoding]);
    expect(String(headers['vary']).toLowerCase()).toContain('accept-encoding');
    const text = encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body;
    expect(text.toString()).toBe(SCRIPT);
    expect(body.length).toBeLessThanOrEqual(SCRIPT.length * share);
    expect(String(headers['content-type'])).toContain('javascript');
  });
});
