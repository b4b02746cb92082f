import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Export } from '#contract/exports.ts';
import type { Image, Project } from '#contract/images.ts';
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
  await service.app.sql`insert into exports (id, batch_id, format, status, file_name, mime_type, etag)
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
    ['bytes=0-1,5-6', 200, [0, SIZE]],
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

  it('answers 416 with the size when the range lies behind the end', async () => {
    const reply = await download({ range: `bytes=${SIZE}-` });
    expect(reply.status).toBe(416);
    expect(reply.headers.get('content-range')).toBe(`bytes */${SIZE}`);
    expect(await reply.json()).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
  });

  it('gives everything when If-Range names another version, and 304 when the client has this one', async () => {
    expect((await download({ range: 'bytes=0-1', 'if-range': '"tag"' })).status).toBe(206);
    expect((await download({ range: 'bytes=0-1', 'if-range': '"old"' })).status).toBe(200);
    expect((await download({ 'if-none-match': '"tag"' })).status).toBe(304);
  });

  it('closes the file when clients leave in the middle', async () => {
    const file = join(service.dataDir, 'exports', fileId);
    const open = async () => {
      const fds = await readdir('/proc/self/fd');
      const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      return links.filter((link) => link === file).length;
    };
    await Promise.all(
      Array.from({ length: 8 }, () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const outgoing = request(
          `${service.url}/api/download/${fileId}`,
          { headers: { authorization: `Bearer ${TEST_KEY}` } },
          (reply) => {
            reply.once('data', () => {
              outgoing.destroy();
              resolve();
            });
          },
        );
        outgoing.on('error', () => {});
        outgoing.end();
        return promise;
      }),
    );
    await expect.poll(open, { timeout: 10_000 }).toBe(0);
  });
});

describe('exports', () => {
  const make = async (format: string) => {
    const reply = await service.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format } });
    expect(reply.status).toBe(202);
    const { id } = (await reply.json()) as Export;
    await expect
      .poll(async () => ((await (await service.call(`/api/exports/${id}`)).json()) as Export).status, {
        timeout: 20_000,
      })
      .toBe('ready');
    return (await service.call(`/api/download/${id}`)).text();
  };

  it('writes one CSV table per image and one per cell, with µm² where the pixel size is known', async () => {
    const [perImage, perCell] = (await make('csv')).split('\r\n\r\n').map((table) => table.trim().split('\r\n'));
    expect(perImage![0]).toBe('imageId,path,status,width,height,cellCount,areaPx,areaUm2');
    expect(perImage).toHaveLength(4);
    expect(perImage!.find((line) => line.startsWith(images[0]!.id))).toBe(
      `${images[0]!.id},image-0.png,completed,64,48,2,584,146`,
    );
    expect(perImage!.find((line) => line.startsWith(images[2]!.id))).toBe(
      `${images[2]!.id},image-2.png,failed,64,48,,,`,
    );
    expect(perCell).toHaveLength(3);
    expect(perCell![1]).toBe(`${images[0]!.id},image-0.png,1,0.9,4,4,26,26,1,576,144`);
  });

  it('writes GeoJSON with holes, NDJSON and COCO', async () => {
    const { features } = JSON.parse(await make('geojson')) as {
      features: { geometry: { coordinates: number[][][] } }[];
    };
    expect(features).toHaveLength(2);
    expect(features[0]!.geometry.coordinates).toHaveLength(2);
    expect(features[0]!.geometry.coordinates[0]!.at(-1)).toEqual(features[0]!.geometry.coordinates[0]![0]);
    const lines = (await make('ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { imageId: string });
    expect(lines.map(({ imageId }) => imageId).sort()).toEqual(images.map(({ id }) => id).sort());
    const coco = JSON.parse(await make('coco')) as { images: unknown[]; annotations: unknown[] };
    expect([coco.images.length, coco.annotations.length]).toEqual([3, 2]);
    expect(await readdir(join(service.dataDir, 'tmp'))).toEqual([]);
  });

  it('answers 400 for formats that are not made yet, 409 before the file is ready, 404 for what is unknown', async () => {
    const reply = await service.call(`/api/batches/${batchId}/exports`, {
      method: 'POST',
      json: { format: 'labels-zip' },
    });
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([400, 'UNSUPPORTED_FORMAT']);
    const id = randomUUID();
    await service.app
      .sql`insert into exports (id, batch_id, format, status) values (${id}, ${batchId}, 'csv', 'running')`;
    expect((await service.call(`/api/download/${id}`)).status).toBe(409);
    expect((await service.call(`/api/download/${randomUUID()}`)).status).toBe(404);
    expect(
      (await service.call(`/api/batches/${randomUUID()}/exports`, { method: 'POST', json: { format: 'csv' } })).status,
    ).toBe(404);
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
    const part = await service.call(`/api/images/${image!.id}/file`, { headers: { range: 'bytes=10-19' } });
    expect((await bytesOf(part)).equals(whole.subarray(10, 20))).toBe(true);
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
