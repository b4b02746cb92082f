import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project } from '#contract/images.ts';
import { decodeBulk, decodePolygons } from '#contract/polygons-format.ts';
import { POLYGONS_MIME, Result } from '#contract/results.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { countQueries, PATIENT } from '../support/queries.ts';
import { finishBatch, polygons, uploadPictures } from '../support/results.ts';

interface BulkJson {
  results: Record<string, Result | null>;
  missing: string[];
  nextCursor: string | null;
}
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
let service: TestApp;
let images: Image[];
let batchId: string;
const COUNTS = [3, 0, null, 20, 1, 40];

const ask = (json: unknown, accept = 'application/json') =>
  service.call('/api/segmentation/batch/results', { method: 'POST', json, headers: { accept } });
const askJson = async (json: unknown) => (await (await ask(json)).json()) as BulkJson;
const askBinary = async (json: unknown) =>
  decodeBulk(new Uint8Array(await (await ask(json, POLYGONS_MIME)).arrayBuffer()));
const askLines = async (json: unknown) =>
  (await (await ask(json, 'application/x-ndjson')).text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Result & BulkJson);

beforeAll(async () => {
  service = await startTestApp(PATIENT);
  const project = (await (
    await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })
  ).json()) as Project;
  images = await uploadPictures(service, project.id, COUNTS.length + 1);
  batchId = await finishBatch(service, project.id, images.slice(0, COUNTS.length), COUNTS);
});
afterAll(() => service.close());

describe('POST /api/segmentation/batch/results', () => {
  it('gives the same in JSON, NDJSON and binary', async () => {
    const body = { imageIds: [...images.map(({ id }) => id), UNKNOWN] };
    const [json, lines, binary] = [await askJson(body), await askLines(body), await askBinary(body)];
    expect(json.missing).toEqual([UNKNOWN]);
    expect(json.nextCursor).toBeNull();
    expect(Object.keys(json.results).sort()).toEqual(images.map(({ id }) => id).sort());
    expect(json.results[images[2]!.id]).toBeNull();
    expect(json.results[images[6]!.id]).toBeNull();
    const first = json.results[images[0]!.id]!;
    expect(Value.Check(Result, first)).toBe(true);
    expect(first).toMatchObject({
      batchId,
      model: 'nuclei',
      polygonCount: 3,
      processingTimeMs: 12.5,
      stages: { infer: 10 },
    });
    expect(first.polygons).toEqual(polygons(3));
    expect(json.results[images[1]!.id]!.polygons).toEqual([]);

    expect(lines.at(-1)).toEqual({ missing: [UNKNOWN], nextCursor: null });
    expect(Object.fromEntries(lines.slice(0, -1).map((line) => [line.imageId, line]))).toEqual(
      Object.fromEntries(Object.entries(json.results).filter(([, result]) => result !== null)),
    );
    expect(binary.missing).toEqual([UNKNOWN]);
    const decoded = [...binary.results].map(([id, record]) => [
      id,
      record && { ...record.meta, polygons: decodePolygons(record.polygons) },
    ]);
    expect(Object.fromEntries(decoded)).toEqual(json.results);
  });

  it('passes the stored bytes through untouched when the detail is full', async () => {
    const [row] = await service.sql<{ polygons: Buffer }[]>`
      select polygons from results r join images i on i.result_id = r.id where i.id = ${images[3]!.id}`;
    const binary = await askBinary({ imageIds: [images[3]!.id] });
    expect(Buffer.from(binary.results.get(images[3]!.id)!.polygons)).toEqual(row!.polygons);
  });

  it('answers by batch, and by id, in pages that fit maxBytes and together hold everything once', async () => {
    for (const subject of [{ batchId }, { imageIds: [UNKNOWN, ...images.map(({ id }) => id)] }])
      for (const [accept, read] of [
        ['application/json', askJson],
        ['', askBinary],
      ] as const) {
        const seen: string[] = [];
        const missing: string[] = [];
        let pages = 0;
        let cursor: string | null = null;
        do {
          const body: Record<string, unknown> = { ...subject, maxBytes: 2500, ...(cursor === null ? {} : { cursor }) };
          const page = await read(body);
          const size = (await (await ask(body, accept || POLYGONS_MIME)).arrayBuffer()).byteLength;
          const ids = page.results instanceof Map ? [...page.results.keys()] : Object.keys(page.results);
          // One entry may be larger than the bound, or no page would get on.
          expect(ids.length === 1 || size <= 2500).toBe(true);
          seen.push(...ids);
          missing.push(...page.missing);
          cursor = page.nextCursor;
          pages++;
        } while (cursor !== null && pages < 50);
        expect(pages).toBeGreaterThan(1);
        expect(seen.sort()).toEqual(
          images
            .slice(0, 'batchId' in subject ? 6 : 7)
            .map(({ id }) => id)
            .sort(),
        );
        expect(missing).toEqual('batchId' in subject ? [] : [UNKNOWN]);
      }
  });

  it('sends one entry a page when maxBytes is too small for any', async () => {
    const [one, two] = images.map(({ id }) => id);
    const first = await askJson({ imageIds: [one, two], maxBytes: 1 });
    expect(Object.keys(first.results)).toEqual([one]);
    const second = await askJson({ imageIds: [one, two], maxBytes: 1, cursor: first.nextCursor });
    expect([Object.keys(second.results), second.nextCursor]).toEqual([[two], null]);
  });

  it('gives only the fields asked for, with fewer points at a lower detail', async () => {
    const id = images[3]!.id;
    const few = await askJson({ imageIds: [id], fields: ['polygonCount'] });
    expect(few.results[id]).toEqual({ imageId: id, polygonCount: 20 });
    const low = await askBinary({ imageIds: [id], lod: 'low', fields: ['polygons'] });
    const record = low.results.get(id)!;
    expect(record.meta).toEqual({ imageId: id });
    expect(decodePolygons(record.polygons)).toHaveLength(21);
  });

  it.each([
    ['neither ids nor batch', {}, 'exactly one'],
    ['both', { imageIds: [UNKNOWN], batchId: UNKNOWN }, 'exactly one'],
    ['no ids', { imageIds: [] }, 'imageIds'],
    ['over 1000 ids', { imageIds: Array.from({ length: 1001 }, () => UNKNOWN) }, 'imageIds'],
    ['a malformed id', { imageIds: ['x'] }, 'body.imageIds[0] is "x"'],
    ['a URN', { imageIds: [`urn:uuid:${UNKNOWN}`] }, 'body.imageIds[0]'],
    ['a number as text', { imageIds: [UNKNOWN], maxBytes: '5000' }, 'body.maxBytes is "5000"'],
    ['too small a bound', { imageIds: [UNKNOWN], maxBytes: 0 }, 'body.maxBytes is 0'],
    ['an unknown detail', { imageIds: [UNKNOWN], lod: 'ultra' }, 'low, medium, high'],
    ['an unknown field of results', { imageIds: [UNKNOWN], fields: ['colour'] }, 'expected one of'],
    ['an unknown field', { imageIds: [UNKNOWN], foo: 1 }, 'unknown field "foo"'],
    ['a foreign cursor', { imageIds: [UNKNOWN], cursor: 'abc' }, 'cursor'],
  ])('answers 400 and says why when given %s', async (_name, body, part) => {
    const reply = await ask(body);
    expect(reply.status).toBe(400);
    const error = (await reply.json()) as ErrorBody;
    expect(error).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    expect(error.message).toContain(part);
  });

  it('answers 400 to a cursor that looks like an id and is none', async () => {
    const cursor = Buffer.from(JSON.stringify(['batch', '-'.repeat(36)])).toString('base64url');
    const reply = await ask({ batchId, cursor });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ code: 'BAD_CURSOR' });
  });

  it('answers 404 for an unknown batch', async () => {
    expect((await ask({ batchId: UNKNOWN })).status).toBe(404);
  });

  it('asks the database at most three times when the reply is small', async () => {
    await service.call('/api/session');
    const count = await countQueries(service);
    const before = await count();
    await askJson({ imageIds: images.map(({ id }) => id) });
    expect((await count()) - before).toBeLessThanOrEqual(3);
  });
});

describe('one image', () => {
  it('has its result, its mask and 404 without one', async () => {
    const id = images[0]!.id;
    const result = (await (await service.call(`/api/images/${id}/segmentation`)).json()) as Result;
    expect(result.polygons).toEqual(polygons(3));
    const overlay = await service.call(`/api/images/${id}/overlay?w=32&f=png`);
    expect(overlay.headers.get('content-type')).toBe('image/png');
    const { default: sharp } = await import('sharp');
    const { data, info } = await sharp(Buffer.from(await overlay.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 32, height: 24, channels: 4 });
    const alpha = (x: number, y: number) => data[(y * 32 + x) * 4 + 3];
    expect([alpha(0, 0), alpha(7, 7), alpha(3, 8)]).toEqual([0, 0, 96]);
    expect((await service.call(`/api/images/${images[2]!.id}/overlay`)).status).toBe(404);
    expect((await service.call(`/api/images/${images[2]!.id}/segmentation`)).status).toBe(404);
    expect((await service.call(`/api/images/${UNKNOWN}/segmentation`)).status).toBe(404);
  });
});
