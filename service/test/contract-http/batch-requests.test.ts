import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { ErrorBody } from '#contract/common.ts';
import { InferenceFailure } from '../../src/inference/failure.ts';
import { fakeBackend, insertProject, wrongCounters } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ERROR_FIELDS, UNKNOWN, send } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

const post = <T = ErrorBody>(projectId: string, body: unknown) =>
  send<T>(service, 'POST', `/api/projects/${projectId}/batches`, body);
const rows = async (table: string, projectId: string) =>
  (await service.sql`SELECT 1 FROM ${service.sql(table)} WHERE project_id = ${projectId}`).length;
/** That nothing of a refused request was kept. */
async function expectUntouched(projectId: string): Promise<void> {
  expect([await rows('batches', projectId), await rows('job_outbox', projectId)]).toEqual([0, 0]);
  const touched = await service.sql`
    SELECT 1 FROM images WHERE project_id = ${projectId} AND (status <> 'uploaded' OR batch_id IS NOT NULL)`;
  expect(touched).toHaveLength(0);
}

describe('imageIds of a batch', () => {
  it('are 10,000 at most: all of them get a row, and one more is refused with what is allowed', async () => {
    const { sql } = service;
    const { projectId, imageIds } = await insertProject(sql, 10_001);
    const over = await post(projectId, { imageIds });
    expect(over.status).toBe(400);
    expect(Object.keys(over.body).sort()).toEqual(ERROR_FIELDS);
    expect(over.body.message).toBe('body.imageIds is a list of 10001: expected at most 10000 items');
    await expectUntouched(projectId);

    const { status, body } = await post<Batch>(projectId, { imageIds: imageIds.slice(1) });
    expect([status, body.total, body.counts.queued]).toEqual([202, 10_000, 10_000]);
    const items = await sql<{ id: string }[]>`SELECT image_id AS id FROM batch_items WHERE batch_id = ${body.id}`;
    expect(items.map(({ id }) => id).sort()).toEqual(imageIds.slice(1).sort());
    expect(await rows('job_outbox', projectId)).toBe(10_000);
    const left = await sql`SELECT id FROM images WHERE project_id = ${projectId} AND status = 'uploaded'`;
    expect(left).toEqual([{ id: imageIds[0] }]);
    expect(await wrongCounters(sql)).toEqual([]);
  });

  it('count once however often and in whatever case they are written', async () => {
    const { projectId, imageIds } = await insertProject(service.sql, 3);
    const [a, b] = imageIds as [string, string, string];
    const { status, body } = await post<Batch>(projectId, { imageIds: [a, b, a, a.toUpperCase(), b] });
    expect([status, body.total, body.counts.queued]).toEqual([202, 2, 2]);
    expect(await rows('job_outbox', projectId)).toBe(2);
    expect(await wrongCounters(service.sql)).toEqual([]);
  });

  it('are all of this project, or the batch is refused by the id that is not, and nothing is kept', async () => {
    const { projectId, imageIds } = await insertProject(service.sql, 2);
    const foreign = (await insertProject(service.sql, 1)).imageIds[0]!;
    for (const id of [foreign, UNKNOWN]) {
      const { status, body } = await post(projectId, { imageIds: [...imageIds, id] });
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
      expect(body.message).toContain(id);
    }
    const malformed = await post(projectId, { imageIds: [imageIds[0], 'x'] });
    expect([malformed.status, malformed.body.message]).toEqual([400, 'body.imageIds[1] is "x": expected a uuid']);
    await expectUntouched(projectId);
  });

  it('are refused with 413 where the body is larger than allowed, whether it says so before or not', async () => {
    const { projectId } = await insertProject(service.sql, 1);
    const text = JSON.stringify({ imageIds: Array.from({ length: 30_000 }, () => randomUUID()) });
    for (const path of [`/api/projects/${projectId}/batches`, '/api/segmentation/batch/results'])
      for (const body of [text, new Blob([text]).stream()]) {
        const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
        const reply = await service.call(path, init as RequestInit);
        expect([path, reply.status]).toEqual([path, 413]);
        const { code, message } = (await reply.json()) as ErrorBody;
        expect([code, message]).toEqual([
          'BODY_TOO_LARGE',
          expect.stringMatching(/^body has .* bytes: at most 1048576/),
        ]);
      }
    await expectUntouched(projectId);
  });
});

/** What a batch takes at the edges of what is allowed. */
const GOOD: [field: string, values: unknown[]][] = [
  ['threshold', [0.1, 0.5, 0.9, 0.123]],
  ['priority', [0, 10]],
  ['channel', [0, 63]],
  ['page', [0, 9_999]],
  ['model', ['nuclei']],
  ['force', [true, false]],
  ['detectHoles', [true, false]],
];
const BAD: [field: string, values: unknown[]][] = [
  ['threshold', [0.09, 0.0999999, 0.91, 0.9000001, 0, 1, -0.5, 1e300, '0.5', null, [0.5]]],
  ['priority', [-1, 11, 1.5, '1', null, true]],
  ['channel', [-1, 64, 0.5, '0']],
  ['page', [-1, 10_000, 0.5, '0']],
  ['model', ['', 'nope', '../nuclei', 'x'.repeat(101), 1, null]],
  ['force', [1, 'true', null]],
  ['detectHoles', [0, 'false', null]],
  ['imageIds', [[], {}, UNKNOWN, [UNKNOWN, null], [1]]],
  ['all', [false, 1, 'true', null]],
  ['maxDiameter', [12]],
];

describe('parameters of a batch', () => {
  it.each(GOOD)('take %s at its bounds, and the batch says what it was given', async (field, values) => {
    const { projectId } = await insertProject(service.sql, 1);
    for (const value of values) {
      const { status, body } = await post<Record<string, unknown>>(projectId, { all: true, [field]: value });
      expect({ value, status, body }).toMatchObject({ status: 202 });
      // What the batch does not show is undefined there.
      expect([value, undefined]).toContain(body[field]);
    }
  });

  it.each(BAD)('refuse %s beyond its bounds by name, and keep nothing', async (field, values) => {
    const { projectId } = await insertProject(service.sql, 1);
    for (const value of values) {
      const subject = field === 'imageIds' || field === 'all' ? {} : { all: true };
      const { status, body } = await post(projectId, { ...subject, [field]: value });
      expect({ value, status, message: body.message }).toMatchObject({
        status: 400,
        message: expect.stringContaining(field) as string,
      });
      expect(Object.keys(body).sort()).toEqual(ERROR_FIELDS);
      expect(body.message).toMatch(/allowed|expected|must/);
    }
    await expectUntouched(projectId);
  });

  it('are 0.5, 0 and the one model where nothing is said', async () => {
    const { projectId } = await insertProject(service.sql, 1);
    const { body } = await post<Batch>(projectId, { all: true });
    expect(body).toMatchObject({ threshold: 0.5, priority: 0, model: 'nuclei', retryOf: null });
  });

  it('name either images or all of them', async () => {
    const { projectId, imageIds } = await insertProject(service.sql, 1);
    for (const body of [{}, { imageIds, all: true }, undefined, null, [], 'all']) {
      const reply = await post(projectId, body);
      expect({ body, status: reply.status }).toEqual({ body, status: 400 });
    }
    await expectUntouched(projectId);
    const empty = await insertProject(service.sql, 0);
    const refused = await post(empty.projectId, { all: true });
    expect([refused.status, refused.body.code]).toEqual([400, 'EMPTY_PROJECT']);
    expect((await post(UNKNOWN, { all: true })).status).toBe(404);
  });
});

describe('detectHoles', () => {
  let path: Path;
  beforeEach(async () => {
    path = await startPath();
  });
  afterEach(() => path.close());

  it('reaches the model, is part of what a known result is found by, and is kept by a retry', async () => {
    const { projectId, imageIds, hashes } = await insertProject(path.sql, 2);
    const fake = fakeBackend(({ sha256, detectHoles }, nth) => {
      if (sha256 === hashes[1] && !detectHoles && nth === 2) throw new InferenceFailure('INVALID_IMAGE', 'cut file');
    });
    await path.relay();
    await path.worker(fake.backend);
    const run = async (body: object) => {
      const { id } = await path.start(projectId, { all: true, ...body });
      await path.ended(id);
      return path.get(id);
    };
    const seen = () => fake.asked.map(({ detectHoles }) => detectHoles);
    await run({});
    expect(seen()).toEqual([true, true]);
    const without = await run({ detectHoles: false });
    expect(without.counts).toMatchObject({ completed: 1, failed: 1 });
    expect(seen()).toEqual([true, true, false, false]);
    // Both are known now where they worked.
    expect((await run({ detectHoles: true, imageIds, all: undefined })).counts.completed).toBe(2);
    expect(seen()).toHaveLength(4);
    const retried = await path.post(`/api/batches/${without.id}/retry`, { only: 'failed' });
    await path.ended(retried.id);
    expect(fake.asked.slice(4).map(({ id, detectHoles }) => [id, detectHoles])).toEqual([[imageIds[1], false]]);
  });
});
