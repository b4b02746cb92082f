/** Which of two batches is the newer one: lists and readers of events go by their ids. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { firstIdAt, uuidv7 } from '../../src/batches/uuid.ts';
import { createFixture, until, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

it('lists batches newest first, by page and by cursor', async () => {
  const { projectId } = await fixture.project(1);
  const ids: string[] = [];
  for (let index = 0; index < 3; index++)
    ids.unshift((await fixture.store.create(projectId, { all: true, force: true })).id);
  const page = await fixture.store.list(projectId, { limit: 2, offset: 0 });
  expect(page).toMatchObject({ total: 3, limit: 2, offset: 0 });
  expect(page.items.map((batch) => batch.id)).toEqual(ids.slice(0, 2));
  const rest = await fixture.store.list(projectId, { limit: 2, offset: 0, cursor: page.nextCursor! });
  expect(rest.items.map((batch) => batch.id)).toEqual(ids.slice(2));
  expect(rest.nextCursor).toBeNull();
});

it('gives the batch that has an image the later id and time, though it was asked for first and had to wait', async () => {
  const { projectId, imageIds } = await fixture.project(2);
  const [low, high] = imageIds.toSorted() as [string, string];
  const held = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const lock = fixture.sql.begin(async (tx) => {
    await tx`SELECT 1 FROM images WHERE id = ${low} FOR UPDATE`;
    locked.resolve();
    await held.promise;
  });
  await locked.promise;
  const waits = fixture.store.create(projectId, { all: true });
  await until(async () => {
    const [row] = await fixture.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return row!.n > 0;
  });
  const passes = await fixture.store.create(projectId, { imageIds: [high] });
  held.resolve();
  await lock;
  const last = await waits;
  const [image] = await fixture.sql`SELECT batch_id FROM images WHERE id = ${high}`;
  expect(image!['batch_id']).toBe(last.id);
  expect(last.id > passes.id).toBe(true);
  const { items } = await fixture.store.list(projectId, { limit: 2, offset: 0 });
  expect(items.map((batch) => batch.id)).toEqual([last.id, passes.id]);
});

it('gives ids by the clock of the database, which is the same for every API', async () => {
  const { projectId } = await fixture.project(1);
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + 3_600_000);
  const { id } = await fixture.store.create(projectId, { all: true });
  expect(id > firstIdAt(now - 60_000) && id < firstIdAt(now + 60_000)).toBe(true);
});

it('gives ids that sort by time, even within one millisecond', () => {
  const ids = Array.from({ length: 6000 }, () => uuidv7(1_700_000_000_000));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(6000);
});
