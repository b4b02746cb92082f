import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_STATUSES } from '#contract/common.ts';
import { decodeIndex } from '#contract/index-format.ts';
import { pruneFrames } from '../../src/events/sequencer.ts';
import { insertProject, until } from '../batches/fixture.ts';
import { createReaders, endWindow, newProject } from '../contract-socket/kit.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';

/** Two API processes; no relay runs: `endWindow` numbers what was committed. */
let api: TestApp;
let other: TestApp;
const readers = createReaders();
const reads = new Map<TestApp, number>();
beforeAll(async () => {
  api = await startTestApp();
  other = await startTestApp({}, { beside: api });
  for (const app of [api, other]) countReads(app);
});
afterEach(() => readers.close());
afterAll(async () => {
  await other?.close();
  await api?.close();
});

function countReads(app: TestApp): void {
  reads.set(app, 0);
  const { metrics } = app.app;
  const query = metrics.query.bind(metrics);
  metrics.query = (text, ...rest) => {
    if (text.includes('string_agg')) reads.set(app, reads.get(app)! + 1);
    query(text, ...rest);
  };
}
async function ask(app: TestApp, projectId: string, query = 'behind=1000', headers: Record<string, string> = {}) {
  const before = app.app.metrics.cacheTotals.hits;
  const reply = await app.call(`/api/projects/${projectId}/index?${query}`, { headers });
  const kept = app.app.metrics.cacheTotals.hits > before;
  if (reply.status !== 200)
    return { status: reply.status, kept, tag: reply.headers.get('etag'), ids: [], statuses: [] };
  const index = decodeIndex(await reply.bytes());
  const text = Buffer.from(index.ids).toString('hex');
  const ids = Array.from({ length: index.count }, (_, i) =>
    text.slice(i * 32, i * 32 + 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  );
  const statuses = [...index.statuses].map((at) => IMAGE_STATUSES[at]!);
  return { status: 200, kept, tag: reply.headers.get('etag'), epoch: index.epoch, seq: index.seq, ids, statuses };
}
/** What a page shows that took this index and then the feed from its number on. */
async function followed(app: TestApp, projectId: string, index: Awaited<ReturnType<typeof ask>>) {
  const [head] = await api.sql<{ seq: number }[]>`select seq from event_streams where project_id = ${projectId}`;
  const reader = await readers.open(app, `projectId=${projectId}&epoch=${index.epoch}&since=${index.seq}`);
  await until(() => (reader.events().at(-1)?.seq ?? index.seq) === head!.seq);
  expect(reader.snapshot()).toBeUndefined();
  const statuses = new Map(index.ids.map((id, i) => [id, index.statuses[i]!]));
  for (const { imageId, status } of reader.events()) statuses.set(imageId, status);
  return [...statuses];
}
const rowsOf = async (projectId: string) =>
  (
    await api.sql<{ id: string; status: string }[]>`
      select id, status from images where project_id = ${projectId} order by created_at, id`
  ).map(({ id, status }) => [id, status]);
const post = async (app: TestApp, path: string, json: object) => {
  const reply = await app.call(path, { method: 'POST', json });
  expect(reply.status).toBe(202);
  return (await reply.json()) as { id: string };
};
const remove = async (app: TestApp, path: string) =>
  expect((await app.call(path, { method: 'DELETE' })).status).toBe(204);
/** A project of a few images, asked for once, so that `api` has its index. */
async function known(images = 3) {
  const { projectId, imageIds } = await insertProject(api.sql, images);
  // the numbering begins with the first who asks
  await ask(api, projectId);
  expect((await ask(api, projectId)).kept).toBe(false);
  return { projectId, imageIds };
}

describe('an index that was kept', () => {
  it('is given out without reading the images again, whole or its beginning', async () => {
    const { projectId } = await known();
    const { hits, misses } = api.app.metrics.cacheTotals;
    const before = reads.get(api);
    const whole = await ask(api, projectId);
    expect(whole).toMatchObject({ kept: true, statuses: ['uploaded', 'uploaded', 'uploaded'] });
    expect(whole.ids).toEqual((await rowsOf(projectId)).map(([id]) => id));
    expect(await ask(api, projectId, 'behind=0&first=2')).toMatchObject({ kept: true, ids: whole.ids.slice(0, 2) });
    expect(api.app.metrics.cacheTotals).toEqual({ hits: hits + 2, misses });
    expect(reads.get(api)).toBe(before);
    expect(await api.app.metrics.registry.metrics()).toMatch(/segbench_index_cache_bytes\{role="api"\} [1-9]/);
  });

  it('lacks no image that came, and has none that went, through another process', async () => {
    const { projectId, imageIds } = await known();
    const [image] = await uploadPictures(other, projectId, 1);
    expect((await ask(api, projectId)).ids).toEqual([...imageIds, image!.id]);
    await endWindow(api);
    await ask(api, projectId);
    // As many as before, but not the same.
    await remove(other, `/api/images/${imageIds[0]}`);
    await uploadPictures(other, projectId, 1, 7);
    const now = await ask(api, projectId);
    expect(now.ids).toEqual((await rowsOf(projectId)).map(([id]) => id));
    expect(now.ids).not.toContain(imageIds[0]);
    await endWindow(api);
    await ask(api, projectId);
    await remove(other, `/api/images/${now.ids[1]}`);
    expect((await ask(api, projectId)).ids).toEqual(now.ids.toSpliced(1, 1));
  });

  it('is right with the feed from its own number on while a batch runs through another process', async () => {
    const { projectId, imageIds } = await known();
    const before = await ask(api, projectId);
    const batch = await post(other, `/api/projects/${projectId}/batches`, { all: true });
    const unnumbered = await ask(api, projectId);
    expect(unnumbered).toMatchObject({ kept: true, seq: before.seq, statuses: before.statuses });
    await endWindow(api);
    await other.call(`/api/batches/${batch.id}/cancel`, { method: 'POST' });
    await endWindow(api);
    const late = await ask(api, projectId);
    expect(late).toMatchObject({ kept: true, seq: before.seq });
    for (const index of [unnumbered, late])
      expect(await followed(other, projectId, index)).toEqual(await rowsOf(projectId));
    expect(await rowsOf(projectId)).toEqual(imageIds.map((id) => [id, 'cancelled']));
    // Read anew meanwhile, for who comes next.
    await until(async () => (await ask(api, projectId)).seq! > before.seq!);
    expect(await ask(api, projectId)).toMatchObject({ kept: true, statuses: Array(3).fill('cancelled') });
  });

  it('is read anew when it lacks more events than its reader wants to take from the feed', async () => {
    const { projectId } = await known();
    await post(other, `/api/projects/${projectId}/batches`, { all: true });
    await endWindow(api);
    expect(await ask(api, projectId, 'behind=2')).toMatchObject({ kept: false, statuses: Array(3).fill('queued') });
    expect((await ask(api, projectId, 'behind=0')).kept).toBe(true);
  });

  it('is right with the feed when transactions commit in another order than they wrote their events', async () => {
    const { projectId, imageIds } = await known();
    const [first, second] = imageIds;
    const fail = (sql: TestApp['sql'], id: string) => sql`
      with changed as (update images set status = 'failed' where id = ${id} returning id, project_id)
      insert into event_outbox (project_id, image_id, status) select project_id, id, 'failed' from changed`;
    let commit!: () => void;
    let written!: () => void;
    const isWritten = new Promise<void>((resolve) => (written = resolve));
    const slow = api.sql.begin(async (tx) => {
      await fail(tx as unknown as TestApp['sql'], first!);
      written();
      await new Promise<void>((resolve) => (commit = resolve));
    });
    await isWritten;
    await fail(api.sql, second!);
    await endWindow(api);
    const between = await ask(api, projectId, 'behind=0');
    expect(between).toMatchObject({ kept: false, statuses: ['uploaded', 'failed', 'uploaded'] });
    commit();
    await slow;
    const unnumbered = await ask(api, projectId, 'behind=0');
    expect(unnumbered).toMatchObject({ kept: true, seq: between.seq });
    await endWindow(api);
    expect(await followed(other, projectId, unnumbered)).toEqual(await rowsOf(projectId));
  });

  it('is read anew when the events since then cannot be replayed any more', async () => {
    const { projectId } = await known();
    await post(other, `/api/projects/${projectId}/batches`, { all: true });
    await endWindow(api);
    await pruneFrames(api.sql, { maxAgeMs: 0, maxFrames: 1000 });
    expect(await ask(api, projectId)).toMatchObject({ kept: false, statuses: Array(3).fill('queued') });
  });

  it('is not given to who does not say that it may be behind', async () => {
    const { projectId } = await known();
    await post(other, `/api/projects/${projectId}/batches`, { all: true });
    expect(await ask(api, projectId, '')).toMatchObject({ kept: false, tag: null, statuses: Array(3).fill('queued') });
  });

  it('goes with its project', async () => {
    const { projectId } = await known();
    await remove(other, `/api/projects/${projectId}`);
    expect((await ask(api, projectId)).status).toBe(404);
  });

  it('need not be sent to who has it, whichever process he asks, until an image goes', async () => {
    const { projectId, imageIds } = await known();
    const { tag } = await ask(api, projectId);
    const headers = { 'if-none-match': tag! };
    expect(await ask(other, projectId, 'behind=1000', headers)).toMatchObject({ status: 304, kept: true, tag });
    await post(other, `/api/projects/${projectId}/batches`, { all: true });
    await endWindow(api);
    // The tag of what he has: its number is what his feed goes on from.
    expect(await ask(api, projectId, 'behind=1000', headers)).toMatchObject({ status: 304, tag });
    expect(await ask(api, projectId, 'behind=0', headers)).toMatchObject({ status: 200 });
    await remove(other, `/api/images/${imageIds[0]}`);
    expect(await ask(api, projectId, 'behind=1000', headers)).toMatchObject({ status: 200, ids: { length: 2 } });
  });
});

describe('many who ask at once', () => {
  it('share one read', async () => {
    const projectId = await newProject(api);
    await ask(api, projectId);
    await uploadPictures(api, projectId, 2);
    const before = reads.get(api)!;
    const held = await holdReads();
    const asked = Array.from({ length: 6 }, () => ask(api, projectId));
    await held.missed(6);
    await held.waiting(1);
    await held.release();
    for (const index of await Promise.all(asked)) expect(index.ids).toHaveLength(2);
    expect(reads.get(api)! - before).toBe(1);
  });

  it('do not share one that began before something changed', async () => {
    const { projectId, imageIds } = await known();
    await uploadPictures(api, projectId, 1);
    const held = await holdReads();
    const early = ask(api, projectId);
    await held.waiting(1);
    await remove(other, `/api/images/${imageIds[0]}`);
    const late = ask(api, projectId);
    await held.missed(2);
    await held.release();
    expect((await early).ids).toHaveLength(4);
    expect((await late).ids).toHaveLength(3);
    expect((await ask(api, projectId)).ids).toHaveLength(3);
  });
});

/** Reads of images wait for a lock until they are let go. */
async function holdReads() {
  let release!: () => void;
  let locked!: () => void;
  const isLocked = new Promise<void>((resolve) => (locked = resolve));
  const done = api.sql.begin(async (tx) => {
    await tx`lock table blobs in access exclusive mode`;
    locked();
    await new Promise<void>((resolve) => (release = resolve));
  });
  await isLocked;
  const misses = api.app.metrics.cacheTotals.misses;
  return {
    waiting: (count: number) =>
      until(async () => {
        const waiting = await other.sql`select from pg_locks where not granted and relation = 'blobs'::regclass`;
        return waiting.length >= count;
      }),
    /** So many have found that nothing kept holds. */
    missed: (count: number) => until(() => api.app.metrics.cacheTotals.misses >= misses + count),
    async release() {
      release();
      await done;
    },
  };
}

describe('INDEX_CACHE_BYTES', () => {
  it('bounds what is kept: the least recently used goes, and what is larger is never kept', async () => {
    const small = await startTestApp({ INDEX_CACHE_BYTES: '400' }, { beside: api });
    countReads(small);
    try {
      const projects = [];
      for (const images of [5, 6, 50]) {
        const { projectId } = await insertProject(api.sql, images);
        await ask(small, projectId);
        await ask(small, projectId);
        projects.push(projectId);
      }
      const [five, six, fifty] = projects as [string, string, string];
      expect((await ask(small, fifty)).kept).toBe(false);
      expect((await ask(small, five)).kept).toBe(true);
      expect((await ask(small, six)).kept).toBe(true);
      const { projectId } = await insertProject(api.sql, 7);
      await ask(small, projectId);
      await ask(small, projectId);
      expect((await ask(small, six)).kept).toBe(true);
      expect((await ask(small, five)).kept).toBe(false);
      const text = await small.app.metrics.registry.getSingleMetricAsString('segbench_index_cache_bytes');
      expect(Number(/\} (\d+)/.exec(text)?.[1] ?? / (\d+)$/m.exec(text)?.[1])).toBeLessThanOrEqual(400);
    } finally {
      await small.close();
    }
  });

  it('keeps nothing at 0, nor without caches', async () => {
    for (const env of [{ INDEX_CACHE_BYTES: '0' }, { CACHE: 'off' }] as Record<string, string>[]) {
      const without = await startTestApp(env, { beside: api });
      countReads(without);
      try {
        const { projectId } = await known();
        expect((await ask(without, projectId)).kept).toBe(false);
        expect((await ask(without, projectId)).kept).toBe(false);
      } finally {
        await without.close();
      }
    }
  });
});
