import { createHmac } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Export } from '#contract/exports.ts';
import type { Image, Project } from '#contract/images.ts';
import { createSigner, expiryAt } from '../../src/cdn/sign.ts';
import { createUrls } from '../../src/cdn/urls.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

const KEY = 'k'.repeat(40);
const CDN = 'https://cdn.example.org/seg';
let service: TestApp;
let projectId: string;
let images: Image[];
let batchId: string;
const opened: TestApp[] = [];
/** Without a key. */
const ask = (path: string, init: RequestInit = {}) => service.call(path, { key: null, ...init });
const verdictOf = async (path: string, init: RequestInit = {}) => {
  const reply = await ask(path, init);
  if (reply.ok) {
    await reply.arrayBuffer();
    return 'ok';
  }
  const { code, message } = (await reply.json()) as ErrorBody;
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(message.length).toBeGreaterThan(10);
  return `${reply.status} ${code}`;
};
const urlsOf = (options: { key?: string; now?: number; ttlSeconds?: number } = {}) => {
  const { key = KEY, now = Date.now(), ttlSeconds = 3600 } = options;
  return createUrls({ signer: createSigner([key], () => now), baseUrl: '', ttlSeconds });
};
const single = async (id: string, app = service) => (await (await app.call(`/api/images/${id}`)).json()) as Image;

beforeAll(async () => {
  service = await startTestApp({ URL_SIGNING_KEY: `${KEY},${'o'.repeat(40)}` });
  const project = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  projectId = ((await project.json()) as Project).id;
  images = await uploadPictures(service, projectId, 2);
  batchId = await finishBatch(service, projectId, images, [2, 1]);
});
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});
afterAll(() => service.close());

describe('a signed address', () => {
  it('gives the one picture or file without a key, to GET and HEAD, and in ranges', async () => {
    const { thumbnailUrl, overlayUrl, fileUrl } = await single(images[0]!.id);
    for (const url of [thumbnailUrl!, overlayUrl!, fileUrl!]) {
      expect(await verdictOf(url)).toBe('ok');
      expect((await ask(url, { method: 'HEAD' })).status).toBe(200);
    }
    const range = await ask(fileUrl!, { headers: { range: 'bytes=0-9' } });
    expect([range.status, (await range.arrayBuffer()).byteLength]).toEqual([206, 10]);
    // A key that is wrong does not spoil an address that is right.
    expect(await verdictOf(fileUrl!, { headers: { authorization: 'Bearer none' } })).toBe('ok');
  });

  it('comes with lists, single images and ready exports, and with nothing else', async () => {
    const list = (await (await service.call(`/api/projects/${projectId}/images`)).json()) as { items: Image[] };
    expect(list.items.map((image) => Object.keys(image).filter((name) => name.endsWith('Url')))).toEqual([
      ['thumbnailUrl'],
      ['thumbnailUrl'],
    ]);
    expect(await verdictOf(list.items[1]!.thumbnailUrl!)).toBe('ok');
    const created = await service.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format: 'csv' } });
    const { id, downloadUrl } = (await created.json()) as Export;
    expect(downloadUrl).toBeUndefined();
    const state = async () => (await (await service.call(`/api/exports/${id}`)).json()) as Export;
    await until(async () => (await state()).status === 'ready');
    const url = (await state()).downloadUrl!;
    expect(await (await ask(url)).text()).toContain('image-0.png');
    expect(await verdictOf(url.replace(id, images[0]!.id))).toBe('403 LINK_INVALID');
  });

  const address = () => urlsOf().thumbnail(images[0]!.id);
  /** The last character carries two bits of the signature and four of nothing. */
  const sameBytes = () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const url = address();
    return url.slice(0, -1) + letters[letters.indexOf(url.at(-1)!) + 1];
  };
  const with_ = (name: string, value: string) => {
    const url = new URL(address(), 'http://a');
    url.searchParams.set(name, value);
    return url.pathname + url.search;
  };
  it.each<[string, () => string, string]>([
    ['as it is', address, 'ok'],
    ['another image', () => address().replace(images[0]!.id, images[1]!.id), '403 LINK_INVALID'],
    ['another route', () => address().replace('/render', '/file'), '403 LINK_INVALID'],
    [
      'the segmentation, which no signature opens',
      () => address().replace('/render', '/segmentation'),
      '401 UNAUTHENTICATED',
    ],
    ['a larger picture', () => with_('w', '4096'), '403 LINK_INVALID'],
    ['another format', () => with_('f', 'png'), '403 LINK_INVALID'],
    ['one parameter more', () => `${address()}&q=1`, '403 LINK_INVALID'],
    ['one parameter less', () => address().replace('w=256&', ''), '403 LINK_INVALID'],
    ['a parameter twice', () => `${address()}&w=4096`, '403 LINK_INVALID'],
    ['the signature twice', () => `${address()}&signature=x`, '403 LINK_INVALID'],
    ['a later expiry', () => with_('expires', '9999999999'), '403 LINK_INVALID'],
    ['an expiry that is no number', () => with_('expires', '1e12'), '403 LINK_INVALID'],
    ['no expiry', () => address().replace(/&expires=\d+/, ''), '403 LINK_INVALID'],
    ['no signature', () => address().replace(/&signature=.*/, ''), '401 UNAUTHENTICATED'],
    ['an empty signature', () => with_('signature', ''), '403 LINK_INVALID'],
    ['half a signature', () => address().slice(0, -11), '403 LINK_INVALID'],
    ['the same bytes, written in another way', sameBytes, '403 LINK_INVALID'],
    ['a longer signature', () => `${address()}AAAA`, '403 LINK_INVALID'],
    ['a signature of an other kind', () => with_('signature', '%00'.repeat(22)), '403 LINK_INVALID'],
    ['another case of the id', () => address().replace(images[0]!.id, images[0]!.id.toUpperCase()), '403 LINK_INVALID'],
    ['an encoded path', () => address().replace('/render', '/%72ender'), '403 LINK_INVALID'],
    ['a doubled slash', () => address().replace('/render', '//render'), '404 NOT_FOUND'],
    ['a slash behind', () => address().replace('/render', '/render/'), '403 LINK_INVALID'],
    ['dots', () => address().replace('/render', '/x%2f..%2frender'), '404 NOT_FOUND'],
    ['an encoded question mark', () => address().replace('?', '%3F'), '404 NOT_FOUND'],
    [
      'a fragment of another path in the query',
      () => `${address()}&/api/images/${images[1]!.id}/render`,
      '403 LINK_INVALID',
    ],
    [
      'parameters in another order',
      () => {
        const url = new URL(address(), 'http://a');
        return `${url.pathname}?${new URLSearchParams([...url.searchParams].toReversed()).toString()}`;
      },
      'ok',
    ],
    ['a key that nobody has', () => urlsOf({ key: 'x'.repeat(40) }).thumbnail(images[0]!.id), '403 LINK_INVALID'],
    ['the older key', () => urlsOf({ key: 'o'.repeat(40) }).thumbnail(images[0]!.id), 'ok'],
    ['time over', () => urlsOf({ now: Date.now() - 10 * 3_600_000 }).thumbnail(images[0]!.id), '403 LINK_EXPIRED'],
    ['an image that never was', () => urlsOf().thumbnail(projectId), '404 NOT_FOUND'],
  ])('with %s', async (_, path, expected) => {
    expect(await verdictOf(path())).toBe(expected);
  });

  it('changes nothing for other methods, nor for who has a key and no signature', async () => {
    const path = `/api/images/${images[0]!.id}`;
    const { search } = new URL(address(), 'http://a');
    expect(await verdictOf(`${path}${search}`, { method: 'DELETE' })).toBe('401 UNAUTHENTICATED');
    expect((await service.call(`${path}/render?w=9&expires=5`)).status).toBe(200);
    const bad = await service.call(`${path}/render?w=9&signature=abc`);
    expect([bad.status, ((await bad.json()) as ErrorBody).message]).toEqual([
      403,
      'signature is "abc": expected the one that this server gave out with exactly this path and query',
    ]);
  });

  it('dies with its image', async () => {
    const [image] = await uploadPictures(service, projectId, 1, 30);
    const { thumbnailUrl } = await single(image!.id);
    expect(await verdictOf(thumbnailUrl!)).toBe('ok');
    await service.call(`/api/images/${image!.id}`, { method: 'DELETE' });
    expect(await verdictOf(thumbnailUrl!)).toBe('404 NOT_FOUND');
  });

  it('counts bad ones against their address', async () => {
    const limited = await startTestApp(
      { RATE_LIMITS: 'on', RATE_ADDRESS: '3', URL_SIGNING_KEY: KEY },
      { beside: service },
    );
    opened.push(limited);
    const statuses = [];
    for (let at = 0; at < 5; at++)
      statuses.push(
        (await limited.call(`/api/images/${images[0]!.id}/file?expires=9&signature=${at}`, { key: null })).status,
      );
    expect(statuses).toEqual([403, 403, 403, 429, 429]);
    expect((await limited.call(address(), { key: null })).status).toBe(200);
  });
});

describe('signing', () => {
  it('is HMAC-SHA-256 over path, sorted query and expiry', () => {
    const url = createSigner([KEY]).sign('/api/x', { w: '5', f: 'webp' }, 1_900_000_000);
    const text = 'segbench-url-v1\n/api/x\nexpires=1900000000&f=webp&w=5';
    const tag = createHmac('sha256', KEY).update(text).digest().subarray(0, 16).toString('base64url');
    expect(url).toBe(`/api/x?w=5&f=webp&expires=1900000000&signature=${tag}`);
  });

  it('gives the same address for half of its life, and at least that life to each', () => {
    const start = Date.UTC(2026, 2, 2, 9, 30);
    const seen = new Set<number>();
    for (let seconds = 0; seconds < 3600; seconds += 7) {
      const at = start + seconds * 1000;
      const left = expiryAt(at, 3600) - at / 1000;
      expect(left).toBeGreaterThanOrEqual(3600);
      expect(left).toBeLessThanOrEqual(5400);
      seen.add(expiryAt(at, 3600));
    }
    expect(seen.size).toBeLessThanOrEqual(3);
  });

  it('makes a key that processes with the same folder share, and that nobody else can read', async () => {
    const first = await startTestApp();
    opened.push(first);
    const second = await startTestApp({}, { beside: first });
    opened.unshift(second);
    const file = join(first.dataDir, 'url-signing.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toMatch(/^[\w-]{43}$/);
    const path = `/api/images/${projectId}/file`;
    expect(second.app.urls.file(projectId)).toBe(first.app.urls.file(projectId));
    // Known to both, though there is no such image.
    expect((await second.call(first.app.urls.file(projectId), { key: null })).status).toBe(404);
    expect((await second.call(`${path}?expires=1&signature=x`, { key: null })).status).toBe(403);
  });
});

describe('CDN_BASE_URL', () => {
  it('stands before the addresses in answers, and its origin in the policy of pages', async () => {
    const app = await startTestApp({ CDN_BASE_URL: `${CDN}/`, URL_SIGNING_KEY: KEY }, { beside: service });
    opened.push(app);
    const { thumbnailUrl, overlayUrl, fileUrl } = await single(images[0]!.id, app);
    for (const url of [thumbnailUrl!, overlayUrl!, fileUrl!]) {
      expect(url.startsWith(`${CDN}/api/images/${images[0]!.id}/`)).toBe(true);
      const reply = await app.call(url.slice(CDN.length), { key: null });
      expect(reply.status).toBe(200);
      await reply.arrayBuffer();
    }
    const policy = (await app.call('/healthz')).headers.get('content-security-policy');
    expect(policy).toContain("img-src 'self' blob: data: https://cdn.example.org;");
    const shared = await app.call(thumbnailUrl!.slice(CDN.length), { key: null });
    expect(shared.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(shared.headers.get('surrogate-key')).toBe(`image-${images[0]!.id}`);
    const own = await app.call(`/api/images/${images[0]!.id}/render?w=9`);
    expect([own.headers.get('cross-origin-resource-policy'), own.headers.get('surrogate-key')]).toEqual([
      'same-origin',
      null,
    ]);
    await Promise.all([shared.arrayBuffer(), own.arrayBuffer()]);
  });
});
