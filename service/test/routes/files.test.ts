import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Fastify from 'fastify';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Project } from '#contract/images.ts';
import { sendFile } from '../../src/results/send-file.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let service: TestApp;
let images: Image[];
let batchId: string;
const SIZE = 700_000;
const content = randomBytes(SIZE);
let fileId: string;

const download = (headers: Record<string, string> = {}, method = 'GET') =>
  service.call(`/api/download/${fileId}`, { method, headers });
/** The status alone. What is not read would keep its connection busy, and the service from closing. */
const statusOf = async (headers: Record<string, string>) => {
  const reply = await download(headers);
  await reply.body?.cancel();
  return reply.status;
};
const bytesOf = async (reply: Response) => Buffer.from(await reply.arrayBuffer());

beforeAll(async () => {
  service = await startTestApp();
  const project = (await (
    await service.call('/api/projects', { method: 'POST', json: { name: 'p', pixelSizeUm: 0.5 } })
  ).json()) as Project;
  images = await uploadPictures(service, project.id, 3);
  batchId = await finishBatch(service, project.id, images, [2, 0, null]);
  fileId = randomUUID();
  await writeFile(join(service.dataDir, 'exports', fileId), content);
  await service.sql`insert into exports (id, batch_id, format, status, file_name, mime_type, etag)
    values (${fileId}, ${batchId}, 'csv', 'ready', 'a.csv', 'text/csv', 'tag')`;
});
afterAll(() => service.close());

describe('GET /api/download/:exportId', () => {
  it('gives the whole file, and its headers alone to HEAD', async () => {
    const reply = await download();
    expect(reply.status).toBe(200);
    expect((await bytesOf(reply)).equals(content)).toBe(true);
    expect(reply.headers.get('accept-ranges')).toBe('bytes');
    expect(reply.headers.get('etag')).toBe('"tag"');
    expect(reply.headers.get('content-disposition')).toBe('attachment; filename="a.csv"');
    const head = await download({ range: 'bytes=0-1' }, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(SIZE)]);
  });

  it.each([
    ['bytes=0-99', 206, [0, 100]],
    ['bytes=300000-699998', 206, [300_000, 699_999]],
    ['bytes=-10', 206, [SIZE - 10, SIZE]],
    ['bytes=-9000000', 206, [0, SIZE]],
    ['bytes=699999-', 206, [SIZE - 1, SIZE]],
    ['bytes=abc', 200, [0, SIZE]],
    ['lines=0-5', 200, [0, SIZE]],
    ['bytes=5-2', 200, [0, SIZE]],
    ['bytes=-', 200, [0, SIZE]],
    ['bytes=0x0-5', 200, [0, SIZE]],
    ['bytes 0-5', 200, [0, SIZE]],
    ['bytes=0-1,5-6', 200, [0, SIZE]],
    [`bytes=${Array.from({ length: 500 }, () => '0-').join()}`, 200, [0, SIZE]],
  ] as const)('answers range %s with %i', async (range, status, [from, to]) => {
    const reply = await download({ range, 'accept-encoding': 'br, gzip' });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-encoding')).toBeNull();
    expect(reply.headers.get('content-range')).toBe(status === 206 ? `bytes ${from}-${to - 1}/${SIZE}` : null);
    expect((await bytesOf(reply)).equals(content.subarray(from, to))).toBe(true);
  });

  it('is counted as a request', async () => {
    await bytesOf(await download());
    const labels = () => service.app.metrics.windows.http.read().byLabel.map(({ label }) => label);
    await expect.poll(labels, { timeout: 5000 }).toContain('GET /api/download/:exportId');
  });

  it.each([`bytes=${SIZE}-`, 'bytes=-0', `bytes=${SIZE}-${SIZE + 5}`])(
    'answers 416 with the size to %s',
    async (range) => {
      const reply = await download({ range });
      expect(reply.status).toBe(416);
      expect(reply.headers.get('content-range')).toBe(`bytes */${SIZE}`);
      expect(await reply.json()).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
    },
  );

  it('takes If-Range by tag and by date, and gives everything when it names another version', async () => {
    const head = await download({}, 'HEAD');
    const date = head.headers.get('last-modified')!;
    const status = (ifRange: string) => statusOf({ range: 'bytes=0-1', 'if-range': ifRange });
    expect(await status('"tag"')).toBe(206);
    expect(await status(date)).toBe(206);
    expect(await status('"old"')).toBe(200);
    expect(await status('W/"tag"')).toBe(200);
    expect(await status('tag')).toBe(200);
    expect(await status(new Date(Date.parse(date) - 1000).toUTCString())).toBe(200);
    expect(await status(new Date(Date.parse(date) + 1000).toUTCString())).toBe(200);
    // A range that cannot be satisfied is no error when the file is another one than the client meant.
    expect((await download({ range: `bytes=${SIZE}-`, 'if-range': '"old"' })).status).toBe(200);
    expect(await statusOf({ 'if-none-match': '"tag"' })).toBe(304);
    expect(await statusOf({ 'if-none-match': '"tag"', range: 'bytes=0-1' })).toBe(304);
  });
});

describe('a large download', () => {
  const LARGE = 64 * 1024 * 1024;
  const id = randomUUID();
  let path: string;
  beforeAll(async () => {
    path = join(service.dataDir, 'exports', id);
    const file = await open(path, 'wx');
    // Mostly a hole: it takes no disk, and its bytes differ where it counts.
    await file.truncate(LARGE);
    for (let at = 0; at < LARGE; at += 1_000_003) await file.write(randomBytes(64), 0, 64, at);
    await file.close();
    await service.sql`insert into exports (id, batch_id, format, status, file_name, mime_type, etag)
      values (${id}, ${batchId}, 'csv', 'ready', 'a.csv', 'text/csv', 'large')`;
  });
  afterAll(() => rm(path, { force: true }));

  const openFiles = async () => {
    const fds = await readdir('/proc/self/fd');
    const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return links.filter((link) => link === path).length;
  };
  /** The reply once its headers are there; nothing of it is read yet. */
  const begin = (headers: Record<string, string> = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const authorization = `Bearer ${TEST_KEY}`;
    request(`${service.url}/api/download/${id}`, { agent: false, headers: { authorization, ...headers } }, resolve)
      .on('error', reject)
      .end();
    return promise;
  };
  async function readUpTo(reply: IncomingMessage, bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of reply as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= bytes) break;
    }
    return Buffer.concat(pieces);
  }

  it('closes its file when the client leaves in the middle, whether it has read or not', async () => {
    // What nobody closes goes with the garbage, at last and with a warning.
    const warnings: string[] = [];
    const warned = ({ message }: Error) => warnings.push(message);
    process.on('warning', warned);
    const replies = await Promise.all(Array.from({ length: 8 }, () => begin()));
    expect(await openFiles()).toBe(8);
    for (const [index, reply] of replies.entries()) {
      reply.on('error', () => {});
      if (index % 2 === 0) await once(reply, 'readable');
      reply.destroy();
    }
    await expect.poll(openFiles, { timeout: 20_000 }).toBe(0);
    await setImmediate();
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('is cut when the client takes nothing any more, and goes on as long as it takes something', async () => {
    const app = Fastify();
    const file = { path, mimeType: 'text/csv', etag: '"large"', cacheControl: 'no-cache', stalledMs: 2000 };
    app.get('/file', (request, reply) => sendFile(request, reply, file));
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const open = async () => {
      const [reply] = (await once(request(`${url}/file`, { agent: false }).end(), 'response')) as [IncomingMessage];
      return reply;
    };
    const stalled = await open();
    stalled.on('error', () => {});
    expect(await openFiles()).toBe(1);
    await expect.poll(openFiles, { timeout: 20_000 }).toBe(0);
    const taken = await readUpTo(await open(), LARGE);
    expect(taken).toHaveLength(LARGE);
    stalled.destroy();
    await app.close();
  });

  it('gives the same bytes when it is cut and resumed, at odd places', async () => {
    const whole = createHash('sha256');
    let at = 0;
    let etag: string | undefined;
    for (const cut of [1, 7_000_001, 20_000_000, LARGE]) {
      const reply = await begin(etag === undefined ? {} : { range: `bytes=${at}-`, 'if-range': etag });
      expect(reply.statusCode).toBe(etag === undefined ? 200 : 206);
      etag = reply.headers.etag;
      const piece = await readUpTo(reply, cut);
      whole.update(piece);
      at += piece.length;
    }
    expect(at).toBe(LARGE);
    const expected = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    expect(whole.digest('hex')).toBe(expected);
    await expect.poll(openFiles, { timeout: 20_000 }).toBe(0);
  });
});

describe('pictures', () => {
  it('gives the original bytes with their hash as tag, and ranges of them', async () => {
    const [image] = images;
    const reply = await service.call(`/api/images/${image!.id}/file`);
    expect(reply.headers.get('etag')).toBe(`"${image!.sha256}"`);
    expect(reply.headers.get('cache-control')).toContain('immutable');
    const whole = await bytesOf(reply);
    expect(whole).toHaveLength(image!.sizeBytes);
    const ranged = (range: string, method = 'GET') =>
      service.call(`/api/images/${image!.id}/file`, { method, headers: { range, 'accept-encoding': 'gzip' } });
    const part = await ranged('bytes=10-19');
    expect([part.status, part.headers.get('content-encoding')]).toEqual([206, null]);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.length}`);
    expect((await bytesOf(part)).equals(whole.subarray(10, 20))).toBe(true);
    expect((await bytesOf(await ranged('bytes=-7'))).equals(whole.subarray(-7))).toBe(true);
    expect((await ranged('bytes=0-4', 'HEAD')).headers.get('content-length')).toBe(String(whole.length));
    const behind = await ranged(`bytes=${whole.length}-`);
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`]);
  });

  it('renders scaled pictures, once', async () => {
    const url = `/api/images/${images[0]!.id}/render?w=32&f=webp`;
    const first = await bytesOf(await service.call(url));
    expect(await sharp(first).metadata()).toMatchObject({ format: 'webp', width: 32, height: 24 });
    const { hits } = service.app.metrics.cacheTotals;
    const second = await service.call(url);
    expect((await bytesOf(second)).equals(first)).toBe(true);
    expect(service.app.metrics.cacheTotals.hits).toBeGreaterThan(hits);
    expect((await service.call(url, { headers: { 'if-none-match': second.headers.get('etag')! } })).status).toBe(304);
    const large = await service.call(`/api/images/${images[0]!.id}/render?w=4000&f=png`);
    expect(await sharp(await bytesOf(large)).metadata()).toMatchObject({ format: 'png', width: 64 });
    const auto = await service.call(`/api/images/${images[0]!.id}/render?h=10`, { headers: { accept: 'image/jpeg' } });
    expect([auto.headers.get('content-type'), auto.headers.get('vary')]).toEqual(['image/jpeg', 'accept']);
  });

  it.each(['w=0', 'w=5000', 'w=x', 'f=gif', 'q=101', 'z=1'])('answers 400 to ?%s', async (query) => {
    expect((await service.call(`/api/images/${images[0]!.id}/render?${query}`)).status).toBe(400);
  });
});
