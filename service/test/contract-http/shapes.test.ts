import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { Image } from '#contract/images.ts';
import { decodeBulk, decodePolygons } from '#contract/polygons-format.ts';
import { POLYGONS_MIME, type Result, type ResultsReply } from '#contract/results.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { ask, newProject, page, send } from './support.ts';

/** By hand, so that a field that comes or goes is seen here. */
const words = (text: string) => text.split(' ').sort();
const IMAGE = `id projectId name relativePath width height channels pages sizeBytes sha256 mimeType status createdAt polygonCount batchId error`;
/** Signed addresses, which only reading gives. */
const LISTED = `${IMAGE} thumbnailUrl`;
const SINGLE = `${LISTED} overlayUrl fileUrl`;
/** The last five, `reused` and `forecast` are this service's own: what the batch was asked for, and why it paused itself. */
const BATCH = `id projectId status total counts reused forecast imagesPerSecond eta retryOf createdAt startedAt finishedAt model modelVersion threshold priority pausedReason`;
const COUNTS = 'queued processing completed failed cancelled';
const RESULT = `imageId batchId status model modelVersion threshold imageWidth imageHeight polygonCount processingTimeMs stages polygons`;
const POLYGON = 'id type parentId points area bbox confidence';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/;

let service: TestApp;
let projectId: string;
let images: Image[];
let batchId: string;
beforeAll(async () => {
  service = await startTestApp();
  projectId = (await newProject(service)).id;
  images = await uploadPictures(service, projectId, 3);
  batchId = await finishBatch(service, projectId, images, [3, null, 0]);
  await service.sql`update batches set started_at = now(), finished_at = now()`;
});
afterAll(() => service.close());

const fieldsOf = (value: object) => Object.keys(value).sort();
const read = async <T>(path: string) => (await ask<T>(service, path)).body;

describe('an Image', () => {
  it('has exactly the fields of the contract, and of the right kind, wherever it is given', async () => {
    const body = form([{ name: 'plate/a.png', bytes: await picture(7, { width: 40, height: 30 }) }]);
    const path = `/api/projects/${projectId}/images`;
    const uploaded = await ask<{ images: Image[]; rejected: unknown[] }>(service, path, { method: 'POST', body });
    expect(fieldsOf(uploaded.body)).toEqual(['images', 'rejected']);
    const [image] = uploaded.body.images as [Image];
    expect(fieldsOf(image)).toEqual(words(IMAGE));
    expect(image).toMatchObject({
      id: expect.stringMatching(UUID) as string,
      projectId,
      name: 'a.png',
      relativePath: 'plate/a.png',
      width: 40,
      height: 30,
      channels: 1,
      pages: 1,
      mimeType: 'image/png',
      status: 'uploaded',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      createdAt: expect.stringMatching(TIME) as string,
      polygonCount: null,
      batchId: null,
      error: null,
    });
    const listed = (await page<Image>(service, path)).items;
    expect(listed.map(fieldsOf)).toEqual(Array.from({ length: 4 }, () => words(LISTED)));
    for (const { id } of listed) expect(fieldsOf(await read<Image>(`/api/images/${id}`))).toEqual(words(SINGLE));
    const single = await read<Image>(`/api/images/${image.id}`);
    expect(single).toEqual({ ...image, thumbnailUrl: single.thumbnailUrl, overlayUrl: null, fileUrl: single.fileUrl });
    const { thumbnailUrl: _, ...rest } = listed.at(-1)!;
    expect(rest).toEqual(image);
  });

  it('says what became of it', async () => {
    const [done, failed, empty] = await Promise.all(images.map(({ id }) => read<Image>(`/api/images/${id}`)));
    expect(done).toMatchObject({ status: 'completed', polygonCount: 3, batchId, error: null });
    expect(failed).toMatchObject({ status: 'failed', polygonCount: null, batchId });
    expect(fieldsOf(failed!.error!)).toEqual(words('code message retryable'));
    // No cell found is a result like any other.
    expect(empty).toMatchObject({ status: 'completed', polygonCount: 0, error: null });
  });
});

describe('a Batch', () => {
  const expectBatch = (batch: Batch) => {
    expect(fieldsOf(batch)).toEqual(words(BATCH));
    expect(fieldsOf(batch.counts)).toEqual(words(COUNTS));
    const sum = Object.values(batch.counts).reduce((all, count) => all + count, 0);
    expect([batch.total, batch.projectId]).toEqual([sum, projectId]);
    for (const time of [batch.createdAt, batch.startedAt, batch.finishedAt])
      expect(time ?? '2026-01-01T00:00:00.000Z').toMatch(TIME);
    expect(batch.imagesPerSecond).toBeGreaterThanOrEqual(0);
  };

  it('has exactly these fields, wherever it is given, and counts that add up', async () => {
    const done = await read<Batch>(`/api/batches/${batchId}`);
    expectBatch(done);
    expect(done).toMatchObject({ status: 'completed', total: 3, retryOf: null, eta: null });
    const start = `/api/projects/${projectId}/batches`;
    const { body: made } = await send<Batch>(service, 'POST', start, { all: true, force: true, threshold: 0.7 });
    expectBatch(made);
    expect(made).toMatchObject({ status: 'queued', startedAt: null, finishedAt: null, eta: null, threshold: 0.7 });
    const retried = await send<Batch>(service, 'POST', `/api/batches/${batchId}/retry`, { only: 'failed' });
    expectBatch(retried.body);
    expect(retried.body).toMatchObject({ total: 1, retryOf: batchId });
    for (const [verb, status] of Object.entries({ pause: 'paused', resume: 'queued', cancel: 'cancelled' })) {
      const { body } = await send<Batch>(service, 'POST', `/api/batches/${made.id}/${verb}`);
      expectBatch(body);
      expect(body.status).toBe(status);
      expect(await read<Batch>(`/api/batches/${made.id}`)).toEqual(body);
    }
    const { items } = await page<Batch>(service, start);
    expect(items.map(({ id }) => id)).toEqual([retried.body.id, made.id, batchId]);
    for (const batch of items) {
      expectBatch(batch);
      expect(await read<Batch>(`/api/batches/${batch.id}`)).toEqual(batch);
    }
    await send(service, 'POST', `/api/batches/${retried.body.id}/cancel`);
  });
});

describe('a Result', () => {
  let own: Image[];
  let finished: string;
  beforeAll(async () => {
    own = await uploadPictures(service, projectId, 2, 40);
    finished = await finishBatch(service, projectId, own, [3, 0]);
  });
  const bulk = (body: object, accept = 'application/json') =>
    service.call('/api/segmentation/batch/results', {
      method: 'POST',
      json: { imageIds: own.map(({ id }) => id), ...body },
      headers: { accept },
    });

  it('has exactly the fields of the contract in every form, and the same values', async () => {
    const single = await read<Result>(`/api/images/${own[0]!.id}/segmentation`);
    expect(fieldsOf(single)).toEqual(words(RESULT));
    expect(single).toMatchObject({
      imageId: own[0]!.id,
      batchId: finished,
      status: 'completed',
      model: 'nuclei',
      threshold: 0.5,
      imageWidth: own[0]!.width,
      imageHeight: own[0]!.height,
      polygonCount: 3,
    });
    expect(single.polygons.map(fieldsOf)).toEqual(single.polygons.map(() => words(POLYGON)));
    expect(single.polygons.map(({ type, parentId }) => [type, parentId])).toContainEqual(['internal', 1]);
    for (const { points, bbox } of single.polygons) expect([points.length % 2, bbox.length]).toEqual([0, 4]);
    const none = await read<Result>(`/api/images/${own[1]!.id}/segmentation`);
    expect([fieldsOf(none), none.status, none.polygonCount, none.polygons]).toEqual([
      words(RESULT),
      'completed',
      0,
      [],
    ]);

    const expected = [single, none];
    const json = (await (await bulk({})).json()) as ResultsReply;
    expect(fieldsOf(json)).toEqual(words('results missing nextCursor'));
    expect(own.map(({ id }) => json.results[id])).toEqual(expected);
    const lines = (await (await bulk({}, 'application/x-ndjson')).text()).trimEnd().split('\n');
    expect(lines.slice(0, -1).map((line) => JSON.parse(line) as Result)).toEqual(expected);
    expect(fieldsOf(JSON.parse(lines.at(-1)!) as object)).toEqual(words('missing nextCursor'));
    const binary = decodeBulk(new Uint8Array(await (await bulk({}, POLYGONS_MIME)).arrayBuffer()));
    const decoded = own.map(({ id }) => {
      const { meta, polygons } = binary.results.get(id)!;
      return { ...meta, polygons: decodePolygons(polygons) };
    });
    expect(decoded).toEqual(expected);
  });

  it.each(words(RESULT))('has only %s and its id where only that is asked for', async (field) => {
    const { results } = (await (await bulk({ fields: [field] })).json()) as ResultsReply;
    for (const { id } of own) expect(fieldsOf(results[id]!)).toEqual([...new Set(['imageId', field])].sort());
  });
});
