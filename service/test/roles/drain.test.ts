import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeBackend, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { scriptedPool } from '../inference/pool/scripted.ts';
import { startPath, type Path } from './path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath({ LEASE_MS: '600000' });
});
afterEach(() => path.close());

/** The service's own pool before two workers that run until the gate opens. */
function gatedPool() {
  const gate = Promise.withResolvers<undefined>();
  return { ...scriptedPool(() => gate.promise, { executors: 2 }), open: () => gate.resolve(undefined) };
}
const processing = () => path.sql`SELECT 1 FROM batch_items WHERE status = 'processing'`;

it('finishes what runs and hands back the rest at once when a worker ends', async () => {
  const { projectId } = await insertProject(path.sql, 40);
  await path.relay();
  const { pool, log, open } = gatedPool();
  const worker = await path.worker(pool);
  const batch = await path.start(projectId);
  await until(() => log.length === 2 && pool.stats().queued >= 2);
  const ending = path.end(worker);
  await until(() => pool.stats().queued === 0);
  expect(pool.stats().running).toBe(2);
  await until(async () => (await processing()).length === 2);
  open();
  await ending;
  expect((await path.get(batch.id)).counts).toMatchObject({ completed: 2, queued: 38, processing: 0 });
  expect(log).toHaveLength(2);
  const next = fakeBackend();
  await path.worker(next.backend);
  await path.ended(batch.id);
  expect(next.asked).toHaveLength(38);
  const attempts = await path.sql<{ most: number }[]>`SELECT max(attempts) AS most FROM batch_items`;
  expect(attempts[0]!.most).toBe(1);
  expect(await path.sql`SELECT 1 FROM results`).toHaveLength(40);
  expect(await wrongCounters(path.sql)).toEqual([]);
});

it('hands back also what runs when it does not end in time', async () => {
  const { projectId } = await insertProject(path.sql, 10);
  await path.relay();
  const { pool, log } = gatedPool();
  const worker = await path.worker(pool);
  const batch = await path.start(projectId);
  await until(() => log.length === 2);
  await path.end(worker);
  expect((await path.get(batch.id)).counts).toMatchObject({ completed: 0, queued: 10, processing: 0 });
  expect(await wrongCounters(path.sql)).toEqual([]);
});
