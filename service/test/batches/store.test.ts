import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimItems } from '../../src/batches/claim.ts';
import { settle } from '../../src/batches/settle.ts';
import type { Sql, Transaction } from '../../src/database/client.ts';
import type { Outcome } from '../../src/batches/outcome.ts';
import { createFixture, fakeOutput, wrongCounters, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

const claimAll = async (batchId: string, worker = 'w1') => {
  const keys = await fixture.sql<{ batchId: string; imageId: string; generation: number }[]>`
    SELECT batch_id AS "batchId", image_id AS "imageId", generation FROM batch_items WHERE batch_id = ${batchId} ORDER BY image_id`;
  return claimItems(fixture.sql, keys, { worker, leaseMs: 30_000 });
};
const outcomeOf = (claim: Awaited<ReturnType<typeof claimAll>>[number], rest: Partial<Outcome> = {}): Outcome => ({
  batchId: claim!.batchId,
  imageId: claim!.imageId,
  generation: claim!.generation,
  status: 'completed',
  sha256: claim!.sha256,
  attempt: 1,
  worker: 'w1',
  stages: [{ stage: 'infer', startedAt: Date.now(), durationMs: 2 }],
  result: {
    ...fakeOutput(),
    sha256: claim!.sha256,
    tenantId: claim!.tenantId,
    model: claim!.model,
    modelVersion: claim!.modelVersion,
    parameters: claim!.parameters,
    threshold: claim!.threshold,
    processingMs: 6,
    stages: { infer: 2 },
  },
  ...rest,
});
const settleAll = (outcomes: Outcome[]) => fixture.sql.begin((tx) => settle(tx, outcomes, { failurePauseRatio: 0.2 }));
const eventsOf = (batchId: string) => fixture.sql`
  SELECT image_id, status, polygon_count, code FROM event_outbox WHERE batch_id = ${batchId} AND image_id IS NOT NULL ORDER BY id`;

describe('create', () => {
  it('queues every image, with jobs and events, when nothing is known', async () => {
    const { projectId, imageIds } = await fixture.project(5);
    const batch = await fixture.store.create(projectId, { all: true, priority: 3 });
    expect(batch).toMatchObject({ projectId, status: 'queued', total: 5, threshold: 0.5, priority: 3, eta: null });
    expect(batch.counts).toEqual({ queued: 5, processing: 0, completed: 0, failed: 0, cancelled: 0 });
    const jobs = await fixture.sql`SELECT image_id FROM job_outbox WHERE batch_id = ${batch.id} ORDER BY id`;
    expect(jobs.map((job) => job['image_id'])).toEqual(
      imageIds.toSorted((a, b) => imageIds.indexOf(a) - imageIds.indexOf(b)),
    );
    expect(await eventsOf(batch.id)).toHaveLength(5);
    const images = await fixture.sql`SELECT status, batch_id FROM images WHERE project_id = ${projectId}`;
    expect(images.every((image) => image['status'] === 'queued' && image['batch_id'] === batch.id)).toBe(true);
  });

  it('answers 1,000 known images in one transaction when a second batch asks the same', async () => {
    const { projectId } = await fixture.project(1000);
    const first = await fixture.store.create(projectId, { all: true });
    const claims = await claimAll(first.id);
    for (let start = 0; start < 1000; start += 100)
      await settleAll(claims.slice(start, start + 100).map((claim) => outcomeOf(claim)));
    const second = await fixture.store.create(projectId, { all: true });
    expect(second).toMatchObject({ status: 'completed', total: 1000 });
    expect(second.counts.completed).toBe(1000);
    const events = await eventsOf(second.id);
    expect(events).toHaveLength(1000);
    expect(events.every((event) => event['status'] === 'completed' && event['polygon_count'] === 3)).toBe(true);
    expect(await fixture.sql`SELECT 1 FROM job_outbox WHERE batch_id = ${second.id}`).toHaveLength(0);
    const forced = await fixture.store.create(projectId, { all: true, force: true });
    expect(forced.counts.queued).toBe(1000);
    const other = await fixture.store.create(projectId, { all: true, threshold: 0.6 });
    expect(other.counts.queued).toBe(1000);
    expect(await wrongCounters(fixture.sql)).toEqual([]);
  });

  it('refuses by name when ids, model or body are wrong', async () => {
    const { projectId, imageIds } = await fixture.project(1);
    const foreign = await fixture.project(1);
    const empty = await fixture.project(0);
    const create: typeof fixture.store.create = (...args) => fixture.store.create(...args);
    await expect(create(projectId, { imageIds: [imageIds[0]!, foreign.imageIds[0]!] })).rejects.toMatchObject({
      statusCode: 404,
      message: expect.stringContaining(foreign.imageIds[0]!),
    });
    await expect(create(randomUUID(), { all: true })).rejects.toMatchObject({ statusCode: 404 });
    await expect(create(empty.projectId, { all: true })).rejects.toMatchObject({ statusCode: 400 });
    await expect(create(projectId, {})).rejects.toMatchObject({ statusCode: 400 });
    await expect(create(projectId, { all: true, imageIds })).rejects.toMatchObject({ statusCode: 400 });
    await expect(create(projectId, { all: true, model: 'nope' })).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('nuclei'),
    });
  });
});

describe('claims and outcomes', () => {
  it('claims once per generation when a job is delivered twice', async () => {
    const { projectId } = await fixture.project(3);
    const batch = await fixture.store.create(projectId, { all: true });
    expect((await claimAll(batch.id)).every((claim) => claim !== null)).toBe(true);
    expect((await claimAll(batch.id)).every((claim) => claim === null)).toBe(true);
    expect((await fixture.store.get(batch.id)).counts).toMatchObject({ queued: 0, processing: 3 });
    expect((await fixture.store.get(batch.id)).status).toBe('running');
  });

  it('changes nothing and sends nothing when the worker holds an older generation', async () => {
    const { projectId } = await fixture.project(2);
    const batch = await fixture.store.create(projectId, { all: true });
    const claims = await claimAll(batch.id);
    await fixture.sql`UPDATE batch_items SET generation = 2 WHERE batch_id = ${batch.id} AND image_id = ${claims[0]!.imageId}`;
    const before = (await eventsOf(batch.id)).length;
    expect(await settleAll(claims.map((claim) => outcomeOf(claim)))).toEqual([false, true]);
    expect((await eventsOf(batch.id)).length).toBe(before + 1);
    expect((await fixture.store.get(batch.id)).counts).toMatchObject({ processing: 1, completed: 1 });
    expect(await settleAll(claims.map((claim) => outcomeOf(claim)))).toEqual([false, false]);
    expect(await wrongCounters(fixture.sql)).toEqual([]);
  });

  it('keeps one result and completes each item when two batches hold one image', async () => {
    const { projectId, imageIds } = await fixture.project(2);
    const older = await fixture.store.create(projectId, { all: true });
    const newer = await fixture.store.create(projectId, { all: true });
    const [late, early] = [await claimAll(older.id), await claimAll(newer.id)];
    await settleAll(early.map((claim) => outcomeOf(claim, { status: 'failed', code: 'TIMEOUT', message: 'slow' })));
    await settleAll(late.map((claim) => outcomeOf(claim)));
    expect((await fixture.store.get(older.id)).status).toBe('completed');
    expect((await fixture.store.get(newer.id)).counts.failed).toBe(2);
    const images =
      await fixture.sql`SELECT status, batch_id, error_code FROM images WHERE id = ANY(${imageIds}::uuid[])`;
    expect(images.every((image) => image['status'] === 'failed' && image['batch_id'] === newer.id)).toBe(true);
    expect(newer.id > older.id).toBe(true);
  });

  it('hands out again under a new generation when the outcome says so', async () => {
    const { projectId } = await fixture.project(1);
    const batch = await fixture.store.create(projectId, { all: true });
    await fixture.sql`DELETE FROM job_outbox WHERE batch_id = ${batch.id}`;
    const claims = await claimAll(batch.id);
    await settleAll(claims.map((claim) => outcomeOf(claim, { status: 'queued', code: 'CRASHED', crashed: true })));
    const jobs = await fixture.sql`SELECT generation FROM job_outbox WHERE batch_id = ${batch.id}`;
    expect(jobs.map((job) => job['generation'])).toEqual([2]);
    const [again] = await claimAll(batch.id);
    expect(again).toMatchObject({ generation: 2, attempts: 2, crashes: 1 });
  });

  it('pauses itself when too many of the last 200 images failed, and goes on after resume', async () => {
    const { projectId } = await fixture.project(300);
    const batch = await fixture.store.create(projectId, { all: true });
    const claims = await claimAll(batch.id);
    const fail = { status: 'failed', code: 'MODEL_ERROR', message: 'no' } as const;
    await settleAll(claims.slice(0, 160).map((claim) => outcomeOf(claim)));
    await settleAll(claims.slice(160, 200).map((claim) => outcomeOf(claim, fail)));
    expect((await fixture.store.get(batch.id)).status).toBe('running');
    await settleAll(claims.slice(200, 201).map((claim) => outcomeOf(claim, fail)));
    const paused = await fixture.store.get(batch.id);
    expect(paused.status).toBe('paused');
    expect(paused.pausedReason).toContain('41 of the last 200 images failed (MODEL_ERROR 41)');
    expect((await fixture.store.resume(batch.id)).pausedReason).toBeNull();
    await settleAll(claims.slice(201).map((claim) => outcomeOf(claim, fail)));
    const ended = await fixture.store.get(batch.id);
    expect(ended).toMatchObject({ status: 'completed', counts: { completed: 160, failed: 140 } });
    const failures = await fixture.store.failures(batch.id);
    expect(failures).toMatchObject({ total: 140, groups: [{ code: 'MODEL_ERROR', count: 140, sampleMessage: 'no' }] });
    const retry = await fixture.store.retry(batch.id, 'MODEL_ERROR');
    expect(retry).toMatchObject({ total: 140, retryOf: batch.id, status: 'queued' });
    await expect(fixture.store.retry(batch.id, 'TIMEOUT')).rejects.toMatchObject({ statusCode: 409 });
    expect(await wrongCounters(fixture.sql)).toEqual([]);
  });

  it('tries images again once at a time, whoever asks and how often', async () => {
    const { projectId } = await fixture.project(6);
    const { id } = await fixture.store.create(projectId, { all: true });
    const claims = await claimAll(id);
    const fail = (code: 'MODEL_ERROR' | 'TIMEOUT') => ({ status: 'failed', code, message: 'no' }) as const;
    await settleAll(claims.map((claim, at) => outcomeOf(claim, fail(at < 2 ? 'TIMEOUT' : 'MODEL_ERROR'))));
    const two = await fixture.store.retry(id, 'TIMEOUT');
    const rest = await Promise.all([fixture.store.retry(id), fixture.store.retry(id), fixture.store.retry(id)]);
    expect(new Set(rest.map((batch) => batch.id)).size).toBe(1);
    expect([two, rest[0]]).toMatchObject([{ total: 2 }, { total: 4, retryOf: id }]);
    expect((await fixture.store.retry(id, 'TIMEOUT')).id).toBe(two.id);
    expect((await fixture.store.retry(id, 'MODEL_ERROR')).id).toBe(rest[0]!.id);
    await fixture.store.pause(two.id);
    expect((await fixture.store.retry(id, 'TIMEOUT')).id).toBe(two.id);
    await fixture.store.cancel(two.id);
    const again = await fixture.store.retry(id);
    expect(again).toMatchObject({ total: 2, retryOf: id });
    expect([two.id, rest[0]!.id]).not.toContain(again.id);
    expect(await wrongCounters(fixture.sql)).toEqual([]);
  });
});

describe('pause, resume, cancel', () => {
  it('claims nothing while paused, and everything after resume', async () => {
    const { projectId } = await fixture.project(4);
    const batch = await fixture.store.create(projectId, { all: true });
    await fixture.sql`DELETE FROM job_outbox WHERE batch_id = ${batch.id}`;
    await fixture.sql`UPDATE batch_items SET lease_until = now() + interval '1 h' WHERE batch_id = ${batch.id}`;
    expect((await fixture.store.pause(batch.id)).status).toBe('paused');
    expect(await fixture.sql`SELECT 1 FROM job_outbox WHERE batch_id = ${batch.id} AND generation = 2`).toHaveLength(4);
    expect((await claimAll(batch.id)).every((claim) => claim === null)).toBe(true);
    expect((await fixture.store.resume(batch.id)).status).toBe('queued');
    expect((await claimAll(batch.id)).every((claim) => claim !== null)).toBe(true);
  });

  it('ends everything at once when cancelled, running images included', async () => {
    const { projectId } = await fixture.project(10);
    const batch = await fixture.store.create(projectId, { all: true });
    const keys = await fixture.sql<{ batchId: string; imageId: string; generation: number }[]>`
      SELECT batch_id AS "batchId", image_id AS "imageId", generation FROM batch_items WHERE batch_id = ${batch.id} LIMIT 3`;
    const claims = await claimItems(fixture.sql, keys, { worker: 'w1', leaseMs: 1000 });
    const cancelled = await fixture.store.cancel(batch.id);
    expect(cancelled).toMatchObject({ status: 'cancelled', counts: { cancelled: 10 } });
    expect(await settleAll(claims.map((claim) => outcomeOf(claim)))).toEqual([false, false, false]);
    const events =
      await fixture.sql`SELECT count(*) AS n FROM event_outbox WHERE batch_id = ${batch.id} AND status = 'cancelled'`;
    expect(events[0]!['n']).toBe(10);
    expect(await fixture.sql`SELECT 1 FROM job_outbox WHERE batch_id = ${batch.id}`).toHaveLength(0);
    await expect(fixture.store.resume(batch.id)).rejects.toMatchObject({ statusCode: 409 });
    expect(await wrongCounters(fixture.sql)).toEqual([]);
  });
});

it('claims what it had claimed already when the answer of the commit got lost, and nothing that it works on', async () => {
  const { projectId } = await fixture.project(4);
  const batch = await fixture.store.create(projectId, { all: true });
  const keys = await fixture.sql<{ batchId: string; imageId: string; generation: number }[]>`
    SELECT batch_id AS "batchId", image_id AS "imageId", generation FROM batch_items WHERE batch_id = ${batch.id} ORDER BY image_id`;
  const [worked] = await claimItems(fixture.sql, keys.slice(0, 1), { worker: 'w1', leaseMs: 30_000 });
  await claimItems(fixture.sql, keys.slice(1, 2), { worker: 'w2', leaseMs: 30_000 });
  let broken = false;
  const begin = async (work: (tx: Transaction) => Promise<unknown>): Promise<unknown> => {
    const result: unknown = await fixture.sql.begin(work);
    if (broken) return result;
    broken = true;
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  };
  const claims = await claimItems({ begin } as unknown as Sql, keys, {
    worker: 'w1',
    leaseMs: 30_000,
    holds: ({ imageId }) => imageId === worked?.imageId,
  });
  // the first is in work here, the second at another worker
  expect(claims.map((claim) => claim && claim.attempts)).toEqual([null, null, 1, 1]);
  expect((await fixture.store.get(batch.id)).counts).toMatchObject({ queued: 0, processing: 4 });
  expect(await wrongCounters(fixture.sql)).toEqual([]);
});
