import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let service: TestApp;
let projectId: string;
let images: Image[];
const opened: TestApp[] = [];
const open = async (...given: Parameters<typeof startTestApp>) => {
  const app = await startTestApp(...given);
  opened.push(app);
  return app;
};
const projectOf = async (app: TestApp) =>
  ((await (await app.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project).id;
const upload = async (name: string, bytes: Buffer): Promise<Image> => {
  const reply = await service.call(`/api/projects/${projectId}/images`, {
    method: 'POST',
    body: form([{ name, bytes }]),
  });
  return ((await reply.json()) as UploadReply).images[0]!;
};
const render = (id: string, query = '', headers: Record<string, string> = {}) =>
  service.call(`/api/images/${id}/render?${query}`, { headers });
const decoded = async (reply: Response) => sharp(Buffer.from(await reply.arrayBuffer()));
const drawn = () => service.app.pictures.artists.stats().drawn;
/** Size in bytes; null for one that was dropped since it was listed, as the service does meanwhile. */
const sizeOrGone = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    },
  );
/** Names, without what they are derived from, of all pictures on disk and their bytes. */
async function kept(app: TestApp) {
  const files = await Promise.all(
    (await app.app.storage.shards('derived')).map((shard) => app.app.storage.files('derived', shard)),
  );
  const sized = await Promise.all(files.flat().map(async (file) => ({ file, size: await sizeOrGone(file) })));
  return sized.flatMap(({ file, size }) => (size === null ? [] : [{ file, size }]));
}
const sizeOf = async (app: TestApp) => (await kept(app)).reduce((sum, { size }) => sum + size, 0);

beforeAll(async () => {
  // The service reads no AVIF; this test does, to look at what it drew.
  service = await startTestApp();
  sharp.unblock({ operation: ['VipsForeignLoadHeif'] });
  projectId = await projectOf(service);
  images = await uploadPictures(service, projectId, 3);
  await finishBatch(service, projectId, images, [2, 0, null]);
});
afterEach(async () => {
  for (const app of opened.splice(0).toReversed()) await app.close();
});
afterAll(() => service.close());

describe('GET /api/images/:id/render', () => {
  it.each([
    ['image/avif;q=0.4, image/webp;q=0.9, image/png;q=0.1', 'webp'],
    ['image/webp;q=0.2, image/png;q=0.8, */*;q=0.1', 'png'],
    ['image/avif', 'heif'],
    ['image/webp;q=0, image/*;q=0.5, image/jpeg;q=0.6', 'jpeg'],
    ['text/html', 'jpeg'],
    ['🦠,;;q=q,image/;q=NaN, ,,/', 'jpeg'],
    ['image/webp;q=-1, image/png;q=1e9', 'png'],
  ])('takes what Accept %s likes best', async (accept, format) => {
    const reply = await render(images[0]!.id, 'w=20', { accept: encodeURI(accept).replaceAll('%20', ' ') });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('vary')).toContain('accept');
    expect((await (await decoded(reply)).metadata()).format).toBe(format);
  });

  it('fits into width and height, never enlarges, and keeps what it drew under a name for good', async () => {
    const sizeOfReply = async (query: string) => {
      const { width, height } = await (await decoded(await render(images[0]!.id, `f=png&${query}`))).metadata();
      return [width, height];
    };
    expect(await sizeOfReply('w=32')).toEqual([32, 24]);
    expect(await sizeOfReply('w=32&h=12')).toEqual([16, 12]);
    expect(await sizeOfReply('w=4096&h=4096')).toEqual([64, 48]);
    expect(await sizeOfReply('')).toEqual([64, 48]);
    const before = drawn();
    const again = await render(images[0]!.id, 'f=png&w=32');
    expect(again.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    await again.body?.cancel();
    expect(drawn()).toBe(before);
    const tag = again.headers.get('etag')!;
    expect((await render(images[0]!.id, 'f=png&w=32', { 'if-none-match': tag })).status).toBe(304);
  });

  it.each([
    ['w=0', 'w', '0'],
    ['w=1000000000', 'w', '1000000000'],
    ['w=4097', 'w', '4097'],
    ['w=1e9', 'w', '1e9'],
    ['w=-5', 'w', '-5'],
    ['w=3.5', 'w', '3.5'],
    ['h=0x10', 'h', '0x10'],
    ['q=0', 'q', '0'],
    ['q=101', 'q', '101'],
    ['f=svg', 'f', 'svg'],
    ['f=../../etc/passwd', 'f', '../../etc/passwd'],
    ['w=1&w=2', 'w', '1'],
    ['size=9', 'querystring', 'size'],
  ])('refuses %s, and says what is allowed', async (query, field, value) => {
    const reply = await render(images[0]!.id, query);
    const { code, message } = (await reply.json()) as ErrorBody;
    expect([reply.status, code, reply.headers.get('cache-control')]).toEqual([400, 'VALIDATION', 'no-store']);
    expect(message).toContain(field);
    expect(message).toContain(value);
    expect(message).toMatch(/expected|must be|allowed/);
  });

  it('shows grey and 16-bit sources, and the first page of many', async () => {
    // 0 to 4,095 of 65,535: black to the eye unless it is stretched.
    const deep = new Uint16Array(64 * 64).map((_, at) => at);
    const grey16 = await sharp(deep, { raw: { width: 64, height: 64, channels: 1 } })
      .toColourspace('grey16')
      .tiff({ compression: 'none' })
      .toBuffer();
    const flat = (value: number) => Buffer.alloc(40 * 30, value);
    const pages = await sharp(Buffer.concat([flat(200), flat(20)]), {
      raw: { width: 40, height: 60, channels: 1, pageHeight: 30 },
    })
      .toColourspace('b-w')
      .tiff({ compression: 'lzw' })
      .toBuffer();
    expect((await sharp(grey16).metadata()).depth).toBe('ushort');
    expect((await sharp(pages).metadata()).pages).toBe(2);
    const rawOf = async (image: Image) =>
      (await decoded(await render(image.id, 'f=png'))).raw().toBuffer({ resolveWithObject: true });
    const stretched = await rawOf(await upload('deep.tif', grey16));
    expect(Math.max(...stretched.data)).toBeGreaterThan(200);
    expect(Math.min(...stretched.data)).toBeLessThan(15);
    const first = await rawOf(await upload('pages.tif', pages));
    expect([first.info.width, first.info.height, first.data[0]]).toEqual([40, 30, 200]);
    const grey = await rawOf(images[0]!);
    expect(grey.data.length).toBeGreaterThanOrEqual(64 * 48);
  });

  it('draws once for many at the same time', async () => {
    const before = drawn();
    const replies = await Promise.all(Array.from({ length: 20 }, () => render(images[1]!.id, 'w=33&f=jpeg')));
    const sizes = await Promise.all(replies.map(async (reply) => (await reply.arrayBuffer()).byteLength));
    expect(new Set(sizes).size).toBe(1);
    expect(drawn() - before).toBe(1);
  });

  it('refuses an image of more pixels than are decoded', async () => {
    const strict = await open({ MAX_IMAGE_PIXELS: '1000' }, { beside: service });
    const reply = await strict.call(`/api/images/${images[2]!.id}/render?w=9&f=webp`);
    expect([reply.status, ((await reply.json()) as ErrorBody).code]).toEqual([422, 'IMAGE_TOO_LARGE']);
  });

  it('answers 503 with Retry-After where too many wait', async () => {
    const small = await open({ PICTURE_WORKERS: '1', PICTURE_QUEUE: '0' }, { beside: service });
    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, at) => small.call(`/api/images/${images[2]!.id}/render?w=${at + 10}&f=avif`)),
    );
    const busy = replies.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(replies.filter(({ status }) => status === 200).length).toBe(6 - busy.length);
    expect(busy[0]!.headers.get('retry-after')).toBe('2');
    expect(((await busy[0]!.json()) as ErrorBody).code).toBe('PICTURES_BUSY');
    for (const reply of replies) if (!reply.bodyUsed) await reply.body?.cancel();
  });
});

describe('GET /api/images/:id/overlay', () => {
  const overlay = (query: string, headers: Record<string, string> = {}) =>
    service.call(`/api/images/${images[0]!.id}/overlay?${query}`, { headers });

  it.each(['png', 'webp', 'avif'])(
    'is clear outside of cells, translucent inside, opaque on outlines: %s',
    async (f) => {
      const { data, info } = await (
        await decoded(await overlay(`f=${f}`))
      )
        .ensureAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const alpha = (x: number, y: number) => data[(y * info.width + x) * info.channels + 3];
      expect([info.width, info.height]).toEqual([64, 48]);
      // Outside, outline, inside, outline of the hole, in the hole.
      expect([alpha(1, 1), alpha(4, 17), alpha(7, 17), alpha(10, 15), alpha(15, 15)]).toEqual([0, 255, 96, 255, 0]);
    },
  );

  it('scales, never enlarges', async () => {
    expect((await (await decoded(await overlay('w=16&f=png'))).metadata()).width).toBe(16);
    expect((await (await decoded(await overlay('w=4096&f=png'))).metadata()).width).toBe(64);
  });

  it('has another tag once the result is another, and the old name is gone', async () => {
    const single = async () => (await (await service.call(`/api/images/${images[0]!.id}`)).json()) as Image;
    const first = await overlay('w=30&f=png');
    const tag = first.headers.get('etag')!;
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const before = await first.arrayBuffer();
    const oldUrl = (await single()).overlayUrl!;
    expect((await service.call(oldUrl, { key: null })).status).toBe(200);
    expect((await overlay('w=30&f=png', { 'if-none-match': tag })).status).toBe(304);
    await finishBatch(service, projectId, images, [9, 0, null]);
    const second = await overlay('w=30&f=png', { 'if-none-match': tag });
    expect(second.status).toBe(200);
    expect(second.headers.get('etag')).not.toBe(tag);
    expect(Buffer.from(await second.arrayBuffer()).equals(Buffer.from(before))).toBe(false);
    const gone = await service.call(oldUrl, { key: null });
    expect([gone.status, gone.headers.get('cache-control')]).toEqual([404, 'no-store']);
    expect((await single()).overlayUrl).not.toBe(oldUrl);
    expect((await service.call((await single()).overlayUrl!, { key: null })).status).toBe(200);
  });

  it('refuses formats without transparency, and images without a result', async () => {
    expect((await overlay('f=jpeg')).status).toBe(400);
    const none = await service.call(`/api/images/${images[2]!.id}/overlay`);
    expect([none.status, ((await none.json()) as ErrorBody).code]).toEqual([404, 'NOT_FOUND']);
  });
});

describe('kept pictures', () => {
  it('are listed in the cache’s Redis with their last use, and work without it', async () => {
    await (await render(images[0]!.id, 'w=21&f=png')).arrayBuffer();
    const { index } = service.app.pictures;
    const name = `${images[0]!.sha256}-21xq.png`;
    await until(async () => (await index.lastUses([name])).has(name));
    const alone = await open({ CACHE_REDIS_URL: 'redis://127.0.0.1:1' });
    const [image] = await uploadPictures(alone, await projectOf(alone), 1);
    for (let round = 0; round < 2; round++) {
      const reply = await alone.call(`/api/images/${image!.id}/render?w=20&f=webp`);
      expect([reply.status, (await (await decoded(reply)).metadata()).width]).toEqual([200, 20]);
    }
    expect(alone.app.pictures.artists.stats().drawn).toBe(1);
    await alone.app.pictures.shelf.clear();
  });

  it.each([
    ['with the index in Redis', {}],
    ['by the times of files alone', { CACHE_REDIS_URL: 'redis://127.0.0.1:1' }],
  ])('stay within their bound, the least recently used go first: %s', async (_, env) => {
    const bound = 60_000;
    const app = await open({ PICTURE_CACHE_BYTES: String(bound), ...env });
    const project = await projectOf(app);
    const bytes = await picture(5, { width: 256, height: 256 });
    const reply = await app.call(`/api/projects/${project}/images`, {
      method: 'POST',
      body: form([{ name: 'a.png', bytes }]),
    });
    const { id } = ((await reply.json()) as UploadReply).images[0]!;
    const ask = async (width: number) => (await app.call(`/api/images/${id}/render?w=${width}&f=png`)).arrayBuffer();
    let written = 0;
    for (let width = 100; written < 3 * bound; width++) written += (await ask(width)).byteLength;
    await until(async () => (await sizeOf(app)) <= bound);
    expect(app.app.pictures.shelf.stats().removedFiles).toBeGreaterThan(0);
    const names = (await kept(app)).map(({ file }) => Number(/-(\d+)xq/.exec(file)![1]));
    // What was drawn last is still there, and of the first nothing is.
    expect(names).not.toContain(100);
    expect(Math.min(...names)).toBeGreaterThan(100);

    // Another process, after a restart, with a smaller bound: it sees what is there.
    const later = await open({ PICTURE_CACHE_BYTES: String(bound / 3), ...env }, { beside: app });
    await until(async () => (await sizeOf(later)) <= bound / 3);
    expect(later.app.pictures.shelf.stats().bytes).toBeLessThanOrEqual(bound / 3);
  });

  it('that were used since stay, though they were drawn first', async () => {
    const app = await open({ PICTURE_CACHE_BYTES: '1000000' });
    const [image] = await uploadPictures(app, await projectOf(app), 1);
    const ask = async (width: number) =>
      (await app.call(`/api/images/${image!.id}/render?w=${width}&f=png`)).arrayBuffer();
    const { index } = app.app.pictures;
    const name = (width: number) => `${image!.sha256}-${width}xq.png`;
    for (let width = 30; width < 40; width++) await ask(width);
    // A use much later than the rest, as another process would note it.
    await app.app.cache.redis.zadd(index.key, 'GT', Date.now() + 60_000, name(30));
    const total = await sizeOf(app);
    const tight = await open({ PICTURE_CACHE_BYTES: String(Math.floor(total / 2)) }, { beside: app });
    await until(async () => (await sizeOf(tight)) <= total / 2);
    const left = (await kept(app)).map(({ file }) => file.slice(-name(30).length));
    expect(left).toContain(name(30));
    expect(left).not.toContain(name(31));
  });
});
