import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Export } from '#contract/exports.ts';
import type { Image, Project } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let service: TestApp;
let images: Image[];
let batchId: string;
beforeAll(async () => {
  service = await startTestApp();
  const project = (await (
    await service.call('/api/projects', { method: 'POST', json: { name: 'p', pixelSizeUm: 0.5 } })
  ).json()) as Project;
  images = await uploadPictures(service, project.id, 3);
  batchId = await finishBatch(service, project.id, images, [2, 0, null]);
});
afterAll(() => service.close());

describe('exports', () => {
  const make = async (format: string, of = batchId) => {
    const reply = await service.call(`/api/batches/${of}/exports`, { method: 'POST', json: { format } });
    expect(reply.status).toBe(202);
    const { id } = (await reply.json()) as Export;
    await expect
      .poll(async () => ((await (await service.call(`/api/exports/${id}`)).json()) as Export).status, {
        timeout: 20_000,
      })
      .toBe('ready');
    return service.call(`/api/download/${id}`);
  };
  const textOf = async (format: string) => (await make(format)).text();

  it('writes one CSV table per image and one per cell, with µm² where the pixel size is known', async () => {
    const [perImage, perCell] = (await textOf('csv')).split('\r\n\r\n').map((table) => table.trim().split('\r\n'));
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
    const { features } = JSON.parse(await textOf('geojson')) as {
      features: { geometry: { coordinates: number[][][] } }[];
    };
    expect(features).toHaveLength(2);
    expect(features[0]!.geometry.coordinates).toHaveLength(2);
    expect(features[0]!.geometry.coordinates[0]!.at(-1)).toEqual(features[0]!.geometry.coordinates[0]![0]);
    const lines = (await textOf('ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { imageId: string });
    expect(lines.map(({ imageId }) => imageId).sort()).toEqual(images.map(({ id }) => id).sort());
    const coco = JSON.parse(await textOf('coco')) as { images: unknown[]; annotations: unknown[] };
    expect([coco.images.length, coco.annotations.length]).toEqual([3, 2]);
    expect(await readdir(join(service.dataDir, 'tmp'))).toEqual([]);
  });

  it('names the files of two batches apart, though both were begun in one minute', async () => {
    const other = await finishBatch(service, images[0]!.projectId, images.slice(0, 1), [1]);
    const names = [];
    for (const id of [batchId, other]) names.push((await make('csv', id)).headers.get('content-disposition'));
    expect(names.map((name) => /filename="?segbench-[0-9a-f]{8}\.csv/.test(name ?? ''))).toEqual([true, true]);
    expect(names[0]).not.toBe(names[1]);
  });

  it('answers 400 for unknown formats, 409 before the file is ready, 404 for what is unknown', async () => {
    const reply = await service.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format: 'xlsx' } });
    const { code, message } = (await reply.json()) as { code: string; message: string };
    expect([reply.status, code]).toEqual([400, 'VALIDATION']);
    expect(message).toMatch(/format.*xlsx.*imagej-rois/);
    const id = randomUUID();
    await service.sql`insert into exports (id, batch_id, format, status, lease_until) values (${id}, ${batchId}, 'csv', 'running', now() + interval '1 hour')`;
    for (const init of [{}, { method: 'HEAD' }, { headers: { range: 'bytes=0-1' } }])
      expect((await service.call(`/api/download/${id}`, init)).status).toBe(409);
    expect((await service.call(`/api/download/${randomUUID()}`)).status).toBe(404);
    expect(
      (await service.call(`/api/batches/${randomUUID()}/exports`, { method: 'POST', json: { format: 'csv' } })).status,
    ).toBe(404);
  });
});
