import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Export, ExportFormat } from '#contract/exports.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Result } from '#contract/results.ts';
import { zip, type ZipEntry } from '../../src/exports/zip.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch } from '../support/results.ts';
import { scene } from './scene.ts';

const python = process.env['SEGBENCH_TEST_PYTHON'];
const READERS = fileURLToPath(new URL('readers.py', import.meta.url));
const PIXEL_SIZE_UM = 0.325;
/** Two sizes of strips, no cell at all, and no result; names with a folder, blanks, a comma, and without an extension. */
const IMAGES = [
  { name: 'plate 1/A01.png', width: 600, height: 500, cells: 40 },
  { name: 'plate 1/A02.png', width: 64, height: 48, cells: 5 },
  { name: 'ünïcode', width: 64, height: 48, cells: 0 },
  { name: 'a, b.png', width: 50, height: 70, cells: null },
];

describe.skipIf(!python)('readers of exports (SEGBENCH_TEST_PYTHON: a Python with test/requirements.txt)', () => {
  let service: TestApp;
  let batchId: string;
  let folder: string;
  let cells: number;
  let holes: number;

  const read = async (kind: string, file: string): Promise<Record<string, number>> => {
    const { stdout } = await promisify(execFile)(python!, [READERS, kind, file, join(folder, 'expected.json')]);
    // pycocotools talks before.
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, number>;
  };
  const exported = async (format: ExportFormat): Promise<string> => {
    const reply = await service.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format } });
    expect(reply.status).toBe(202);
    const { id } = (await reply.json()) as Export;
    const status = async () => ((await (await service.call(`/api/exports/${id}`)).json()) as Export).status;
    await expect.poll(status, { timeout: 50_000 }).toBe('ready');
    const file = join(folder, format);
    const { body } = await service.call(`/api/download/${id}`);
    await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(file));
    return file;
  };

  beforeAll(async () => {
    service = await startTestApp();
    folder = await mkdtemp(join(tmpdir(), 'segbench-readers-'));
    const json = { name: 'p', pixelSizeUm: PIXEL_SIZE_UM };
    const project = (await (await service.call('/api/projects', { method: 'POST', json })).json()) as Project;
    const files = await Promise.all(
      IMAGES.map(async ({ name, width, height }, seed) => ({ name, bytes: await picture(seed, { width, height }) })),
    );
    const reply = await service.call(`/api/projects/${project.id}/images`, { method: 'POST', body: form(files) });
    const { images } = (await reply.json()) as UploadReply;
    const pathOf = (image: Image) => image.relativePath ?? image.name;
    const planOf = (image: Image) => IMAGES.find(({ name }) => name === pathOf(image))!;
    batchId = await finishBatch(
      service,
      project.id,
      images,
      images.map((image) => planOf(image).cells),
    );
    for (const image of images) {
      const plan = planOf(image);
      if (plan.cells === null) continue;
      const polygons = scene(plan.width, plan.height, plan.cells, 7);
      const count = polygons.filter(({ type }) => type === 'external').length;
      await service.sql`
        update results set polygons = ${Buffer.from(encodePolygons(polygons))}, polygon_count = ${count}
        where id = (select result_id from images where id = ${image.id})`;
    }
    const bulk = await service.call('/api/segmentation/batch/results', { method: 'POST', json: { batchId } });
    const { results } = (await bulk.json()) as { results: Record<string, Result | null> };
    const polygons = Object.values(results).flatMap((result) => result?.polygons ?? []);
    cells = polygons.filter(({ type }) => type === 'external').length;
    holes = polygons.length - cells;
    const facts = await service.sql<{ id: string; status: string }[]>`select id, status from images`;
    const expected = {
      pixelSizeUm: PIXEL_SIZE_UM,
      images: Object.fromEntries(
        images.map((image) => [
          image.id,
          {
            path: pathOf(image),
            width: image.width,
            height: image.height,
            status: facts.find(({ id }) => id === image.id)!.status,
          },
        ]),
      ),
      results,
    };
    await writeFile(join(folder, 'expected.json'), JSON.stringify(expected));
  });
  afterAll(async () => {
    await service.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('there is something to compare', () => {
    expect(cells).toBeGreaterThan(30);
    expect(holes).toBeGreaterThan(5);
  });
  it('json: ndjson agrees with the results over HTTP', async () => {
    expect(await read('ndjson', await exported('ndjson'))).toEqual({ images: 4, cells });
  });
  it('geojson and shapely: valid, the right way round, same areas and holes', async () => {
    expect(await read('geojson', await exported('geojson'))).toEqual({ cells, holes });
  });
  it('pycocotools: same boxes, areas and masks, holes open', async () => {
    const found = await read('coco', await exported('coco'));
    expect(found['cells']).toBe(cells);
    expect(found['holes']).toBeGreaterThan(2);
  });
  it('pandas: one table per image and one per cell, with µm²', async () => {
    expect(await read('csv', await exported('csv'))).toEqual({ images: 4, cells });
  });
  it('roifile: the same corners for each cell, holes as paths of their own', async () => {
    expect(await read('imagej-rois', await exported('imagej-rois'))).toEqual({ cells, holes });
  });
  it('tifffile: each pixel has the number of its cell', async () => {
    expect(await read('labels-zip', await exported('labels-zip'))).toEqual({ images: 3, cells, strips: 4 });
    expect(await readdir(join(service.dataDir, 'tmp'))).toEqual([]);
  });

  it.each([
    ['70,000 files, more than a table without zip64 holds', 70_000, undefined],
    [
      'sizes and offsets that only zip64 holds (with a limit lowered to 1,000 bytes)',
      300,
      { bytes: 1000, entries: 0xffff },
    ],
  ])('zipfile: %s', async (_name, count, limits) => {
    const sizes: Record<string, number> = {};
    async function* entries(): AsyncGenerator<ZipEntry> {
      for (let i = 0; i < count; i++) {
        const name = `ordner-ß/${i}`;
        const bytes = Buffer.alloc((i * 37) % 3000, i);
        sizes[name] = bytes.length;
        yield { name, content: i % 100 === 0 ? [bytes.subarray(0, 10), bytes.subarray(10)] : bytes };
      }
    }
    const file = join(folder, 'any.zip');
    await pipeline(zip(entries(), join(folder, 'spool'), limits), createWriteStream(file));
    await rm(join(folder, 'spool'));
    await writeFile(
      join(folder, 'expected.json'),
      JSON.stringify({ pixelSizeUm: null, images: {}, results: {}, files: sizes }),
    );
    expect(await read('zip', file)).toEqual({ files: count });
  });
});
