import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { collectBytes } from '../../src/deletion/collect.ts';
import { failureOf } from '../../src/pictures/draw.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form } from '../support/pictures.ts';

let service: TestApp;
const drawnBy = ({ app }: TestApp) => app.pictures.artists.stats().drawn;

/** A picture of which every pixel says where it is. */
const WIDTH = 1300;
const HEIGHT = 700;
const gradient = (channels: 1 | 3) =>
  sharp(
    Buffer.from(
      Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, at) => {
        const pixel = Math.floor(at / channels);
        return at % channels === 0 ? (pixel % WIDTH) / 6 : Math.floor(pixel / WIDTH) / 3;
      }),
    ),
    { raw: { width: WIDTH, height: HEIGHT, channels } },
  );
async function upload(to: TestApp, name: string, bytes: Buffer): Promise<Image> {
  const made = await to.call('/api/projects', { method: 'POST', json: { name } });
  const { id } = (await made.json()) as Project;
  const reply = await to.call(`/api/projects/${id}/images`, { method: 'POST', body: form([{ name, bytes }]) });
  return ((await reply.json()) as UploadReply).images[0]!;
}
const render = (at: TestApp, { id }: Image, query: string) => at.call(`/api/images/${id}/render?${query}`);
async function pixelsOf(reply: Response) {
  expect(reply.status).toBe(200);
  return sharp(Buffer.from(await reply.arrayBuffer()))
    .raw()
    .toBuffer({ resolveWithObject: true });
}
/** The largest difference of two pictures of one size. */
function difference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - b[at]!)), 0);
}
/** A part of a whole picture, cut by the test. */
async function cut(whole: Response, [left, top, width, height]: readonly [number, number, number, number]) {
  return sharp(Buffer.from(await whole.arrayBuffer()))
    .extract({ left, top, width, height })
    .raw()
    .toBuffer();
}

let known: Image;
beforeAll(async () => {
  service = await startTestApp();
  known = await upload(service, 'known', await gradient(1).png().toBuffer());
});
afterAll(() => service?.close());

describe('GET /api/images/:id/render?region=', () => {
  const PARTS = [
    [0, 0, 1300, 700],
    [511, 300, 3, 250],
    [1299, 699, 1, 1],
    [400, 0, 900, 700],
  ] as const;

  it.each([
    ['gray PNG', () => gradient(1).toColourspace('b-w').png()],
    ['colour PNG, interlaced', () => gradient(3).png({ progressive: true })],
    ['colour JPEG', () => gradient(3).jpeg()],
    ['gray and alpha', () => gradient(1).toColourspace('b-w').ensureAlpha(0.5).png()],
    ['tiled TIFF', () => gradient(3).tiff({ tile: true, compression: 'lzw' })],
  ])('is exactly that part of the whole picture: %s', async (name, encode) => {
    const image = await upload(service, name, await encode().toBuffer());
    const before = drawnBy(service);
    for (const part of PARTS) {
      const { data, info } = await pixelsOf(await render(service, image, `f=png&region=${part.join()}`));
      expect([info.width, info.height]).toEqual(part.slice(2));
      const expected = await cut(await render(service, image, 'f=png'), part);
      expect(difference(data, expected)).toBe(0);
    }
    // Decoded once for all parts; and the whole picture, which this test compares with.
    expect(drawnBy(service) - before).toBe(PARTS.length + 2);
    await render(service, image, `f=png&region=${PARTS[1].join()}`);
    expect(drawnBy(service) - before).toBe(PARTS.length + 2);
  });

  it.each([
    [1, 1],
    [17, 1],
    [64, 48],
    [3, 700],
  ])('is there of an image of %i x %i, too', async (width, height) => {
    const pixels = Buffer.alloc(width * height, 90);
    const png = await sharp(pixels, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer();
    const image = await upload(service, 'small', png);
    const { info } = await pixelsOf(await render(service, image, `f=png&region=0,0,${width},${height}`));
    expect([info.width, info.height]).toEqual([width, height]);
  });

  it('is scaled down to fit, never enlarged, and kept for good', async () => {
    const image = await upload(service, 'scaled', await gradient(3).webp().toBuffer());
    const sizeOf = async (query: string) => {
      const { info } = await pixelsOf(await render(service, image, `f=webp&region=100,100,1000,500&${query}`));
      return [info.width, info.height];
    };
    expect(await sizeOf('w=250')).toEqual([250, 125]);
    expect(await sizeOf('w=250&h=50')).toEqual([100, 50]);
    expect(await sizeOf('w=4096')).toEqual([1000, 500]);
    const reply = await render(service, image, 'f=webp&region=100,100,1000,500&w=250');
    expect(reply.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const other = await render(service, image, 'f=webp&region=101,100,1000,500&w=250');
    expect(other.headers.get('etag')).not.toBe(reply.headers.get('etag'));
  });

  it('is stretched as the whole picture is, where samples have more than 8 bits', async () => {
    // The left half is dark, the right one bright: stretched by itself, either would be as bright as the other.
    const deep = new Uint16Array(600 * 200).map((_, at) => (at % 600 < 300 ? 200 : 2000) + (at % 7) * 20);
    const tiff = await sharp(deep, { raw: { width: 600, height: 200, channels: 1 } })
      .toColourspace('grey16')
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const image = await upload(service, 'deep', tiff);
    for (const part of [
      [0, 0, 300, 200],
      [300, 0, 300, 200],
    ] as const) {
      const { data } = await pixelsOf(await render(service, image, `f=png&region=${part.join()}`));
      expect(difference(data, await cut(await render(service, image, 'f=png'), part))).toBeLessThanOrEqual(1);
    }
  });

  const inside = `left,top,width,height in whole pixels, each side 1 to 4096, within the image's ${WIDTH} x ${HEIGHT}`;
  const inPixels = 'left,top,width,height in whole pixels, each side 1 to 4096';
  it.each([
    ['0,0,1301,700', inside],
    ['1,0,1300,700', inside],
    ['0,690,10,11', inside],
    ['999999999,0,1,1', inside],
    ['0,0,5000,10', inside],
    ['0,0,0,10', inPixels],
    ['-1,0,10,10', inPixels],
    ['0,0,10', inPixels],
    ['0,0,10,10,10', inPixels],
    ['0,0,1e3,10', inPixels],
    ['0,0,10,99999', inPixels],
    ['0, 0,10,10', inPixels],
    ['full', inPixels],
    ['', inPixels],
    ['../../x', inPixels],
  ])('refuses %s, and says what is allowed', async (region, allowed) => {
    const reply = await render(service, known, `region=${encodeURIComponent(region)}`);
    const { code, message } = (await reply.json()) as ErrorBody;
    expect([reply.status, code]).toEqual([400, 'VALIDATION']);
    expect(message).toBe(`querystring.region is ${JSON.stringify(region)}: expected ${allowed}`);
  });

  it('draws the whole once for many parts at a time, and takes it away with its image', async () => {
    const image = await upload(service, 'many', await gradient(3).png({ compressionLevel: 1 }).toBuffer());
    const before = drawnBy(service);
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, at) => render(service, image, `f=webp&region=${at * 100},0,100,700`)),
    );
    for (const reply of replies) expect((await pixelsOf(reply)).info.width).toBe(100);
    expect(drawnBy(service) - before).toBe(13);
    const { storage } = service.app;
    const files = async () =>
      (await Promise.all((await storage.shards('derived')).map((shard) => storage.files('derived', shard))))
        .flat()
        .filter((file) => file.includes(image.sha256));
    expect((await files()).filter((file) => file.endsWith('whole.tif'))).toHaveLength(1);
    expect((await service.call(`/api/images/${image.id}`, { method: 'DELETE' })).status).toBe(204);
    const { sql } = service;
    await collectBytes({ sql, storage, graceMs: 0 });
    expect(await files()).toEqual([]);
  });

  it('is drawn also where the whole does not fit among the kept pictures, which stay within their bound', async () => {
    const tight = await startTestApp({ PICTURE_CACHE_BYTES: '1000' }, { beside: service });
    try {
      const image = await upload(tight, 'tight', await gradient(3).png({ compressionLevel: 2 }).toBuffer());
      for (let at = 0; at < 6; at++)
        expect((await render(tight, image, `f=webp&region=${at * 100},0,100,100`)).status).toBe(200);
      await until(() => tight.app.pictures.shelf.stats().bytes <= 1000);
      expect(tight.app.pictures.shelf.stats().removedFiles).toBeGreaterThan(0);
    } finally {
      await tight.close();
    }
  });

  it('is a full disk, and no damaged image, where the whole finds no room', () => {
    expect(failureOf(new Error('unable to write to target: No space left on device'))).toBe('full');
    expect(failureOf(new Error('Input file is missing: /x'))).toBe('gone');
    expect(failureOf(new Error('VipsJpeg: premature end'))).toBe('damaged');
  });
});
