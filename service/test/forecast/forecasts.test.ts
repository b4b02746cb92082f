import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimItems } from '../../src/batches/claim.ts';
import { settle } from '../../src/batches/settle.ts';
import { createBatchStore } from '../../src/batches/store.ts';
import { createFixture, fakeOutput, type Fixture } from '../batches/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());
// What one test measured is no ground for the next.
beforeEach(async () => {
  await fixture.sql`delete from batches`;
});

const store = (over: Partial<Parameters<typeof createBatchStore>[0]> = {}) =>
  createBatchStore({
    sql: fixture.sql,
    tenantId: '00000000-0000-7000-8000-000000000000',
    modelsDir: fixture.config.modelsDir,
    pool: 'local',
    resultCache: true,
    workers: async () => 2,
    changed: async () => {},
    ...over,
  });

/** Runs a batch as a worker does: each image takes `ms`, and the batch `seconds`. */
async function run(batchId: string, ms: number, seconds: number): Promise<void> {
  const { sql } = fixture;
  const items = await sql<{ imageId: string; generation: number }[]>`
    select image_id as "imageId", generation from batch_items where batch_id = ${batchId} and status = 'queued'`;
  const keys = items.map((item) => ({ batchId, ...item }));
  const claims = await claimItems(sql, keys, { worker: 'w', leaseMs: 60_000 });
  const outcomes = claims.map((claim) => {
    const result = { ...fakeOutput(), ...claim!, processingMs: ms, stages: { infer: ms } };
    return { ...claim!, status: 'completed' as const, attempt: 1, worker: 'w', stages: [], result };
  });
  await sql.begin((tx) => settle(tx, outcomes, { failurePauseRatio: 0.2 }));
  await sql`update batches set finished_at = created_at + ${seconds}::float8 * interval '1 second' where id = ${batchId}`;
}

/** A project of which `tried` images were segmented, at `ms` each. */
async function tried(images: number, ms = 100) {
  const made = await fixture.project(images);
  const batch = await fixture.store.create(made.projectId, { imageIds: made.imageIds.slice(0, 12) });
  await run(batch.id, ms, 1);
  return { ...made, batch };
}

/** What a new batch of a project keeps of its forecast, with what nobody is shown. */
async function createdForecast(projectId: string): Promise<unknown> {
  const { id } = await fixture.store.create(projectId, { all: true });
  const [row] = await fixture.sql<{ forecast: unknown }[]>`select forecast from batches where id = ${id}`;
  return row!.forecast;
}

describe('a forecast', () => {
  it('is none where nothing was measured, where no worker lives, and where all is known', async () => {
    const { projectId } = await fixture.project(3);
    const none = await fixture.store.forecast(projectId, { all: true });
    expect(none).toEqual({ images: 3, reused: 0, forecast: null, reason: 'NOTHING_MEASURED' });
    const known = await tried(12);
    const again = await fixture.store.forecast(known.projectId, { all: true });
    expect(again).toEqual({ images: 12, reused: 12, forecast: null, reason: 'NOTHING_TO_SEGMENT' });
    const alone = store({ workers: async () => 0 });
    const idle = await alone.forecast(known.projectId, { all: true, force: true });
    expect(idle).toMatchObject({ reused: 0, forecast: null, reason: 'NO_WORKER' });
  });

  it('follows from the images of the same project that were tried', async () => {
    const { projectId } = await tried(212, 100);
    const { images, reused, forecast, reason } = await fixture.store.forecast(projectId, { all: true });
    expect([images, reused, reason]).toEqual([212, 12, null]);
    // 200 images of 100 ms on two workers
    expect(forecast).toMatchObject({ images: 200, workers: 2, imagesAhead: 0, resultBytes: 200 * 3 });
    expect(forecast!.seconds).toBeGreaterThan(8);
    expect(forecast!.seconds).toBeLessThan(14);
    expect(forecast!.basis).toMatchObject({ images: 12, ownProject: true, outside: false });
    expect(Object.keys(forecast!)).not.toContain('workSeconds');
    expect(Object.keys(forecast!)).not.toContain('imageMs');
    const other = await fixture.store.forecast(projectId, { all: true, threshold: 0.7 });
    expect([other.reused, other.forecast?.images]).toEqual([0, 212]);
  });

  it('is kept with its batch, is held against what happened, and is learnt from', async () => {
    const { projectId } = await tried(120, 100);
    const said = (await fixture.store.forecast(projectId, { all: true })).forecast!;
    const batch = await fixture.store.create(projectId, { all: true });
    expect(batch.forecast).toEqual(said);
    expect((await fixture.store.forecasts()).items.map(({ batchId }) => batchId)).not.toContain(batch.id);
    await run(batch.id, 100, 4 * said.seconds);
    const { items, score } = await fixture.store.forecasts();
    const mine = items.find(({ batchId }) => batchId === batch.id)!;
    expect(mine).toMatchObject({ projectId, projectName: 'test', forecast: said, inside: false, gotBytes: 108 * 3 });
    expect(mine.tookSeconds).toBeCloseTo(4 * said.seconds, 3);
    expect(score!.batches).toBe(items.length);
    const later = await fixture.store.forecast(projectId, { all: true, force: true });
    expect(later.forecast!.basis.batches).toBe(1);
    expect(later.forecast!.seconds / said.seconds).toBeGreaterThan(1.5);
  });

  it('is not judged by a batch that somebody paused, and says nothing of a retry', async () => {
    const { projectId } = await tried(40);
    const batch = await fixture.store.create(projectId, { all: true });
    await fixture.store.pause(batch.id);
    await fixture.store.resume(batch.id);
    await run(batch.id, 100, 9999);
    expect((await fixture.store.forecasts()).items.map(({ batchId }) => batchId)).not.toContain(batch.id);
    await fixture.sql`update batch_items set status = 'failed', error_code = 'TIMEOUT' where batch_id = ${batch.id}`;
    expect((await fixture.store.retry(batch.id)).forecast).toBeNull();
  });

  it('counts what waits before it, of its own project and of others', async () => {
    const mine = await tried(112);
    await fixture.store.create(mine.projectId, { imageIds: mine.imageIds.slice(12, 62) });
    const rest = { imageIds: mine.imageIds.slice(62) };
    expect((await fixture.store.forecast(mine.projectId, rest)).forecast).toMatchObject({
      images: 50,
      imagesAhead: 50,
    });
    const other = await tried(32, 20);
    const { forecast } = await fixture.store.forecast(other.projectId, { all: true });
    expect(forecast).toMatchObject({ images: 20, imagesAhead: 20 });
    // 20 of 100 ms that take turns with 20 of 20 ms, on two workers
    const work = await createdForecast(other.projectId);
    expect(work).toMatchObject({ imageMs: 20, workSeconds: 0.2 + (20 * 20 + 20 * 100) / 2 / 1000 });
  });

  it('of a large project looks at some thousands of images and counts all', async () => {
    const { projectId } = await tried(15_012);
    const { images, reused, forecast } = await fixture.store.forecast(projectId, { all: true });
    expect(images).toBe(15_012);
    expect(reused).toBeLessThan(60);
    expect(forecast!.images).toBe(images - reused);
  });

  it('names what it cannot be made of', async () => {
    const { projectId, imageIds } = await fixture.project(1);
    const empty = (await fixture.project(0)).projectId;
    const ask = (id: string, body: object) => fixture.store.forecast(id, body);
    await expect(ask(empty, { all: true })).rejects.toMatchObject({ code: 'EMPTY_PROJECT' });
    const unknown = randomUUID();
    await expect(ask(unknown, { all: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask(projectId, { imageIds: [...imageIds, unknown] })).rejects.toThrow(unknown);
    await expect(ask(projectId, {})).rejects.toThrow('either imageIds or all: true');
    await expect(ask(projectId, { all: true, model: 'nonesuch' })).rejects.toThrow('nonesuch');
  });

  it('knows nothing of another tenant', async () => {
    await tried(12);
    const tenantId = randomUUID();
    await fixture.sql`insert into tenants (id, name) values (${tenantId}, 'other')`;
    const { projectId } = await fixture.project(20);
    await fixture.sql`update projects set tenant_id = ${tenantId} where id = ${projectId}`;
    const theirs = store({ tenantId });
    expect((await theirs.forecast(projectId, { all: true })).reason).toBe('NOTHING_MEASURED');
    expect(await theirs.forecasts()).toEqual({ items: [], score: null });
    await expect(fixture.store.forecast(projectId, { all: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
