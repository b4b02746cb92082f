import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONSUMER_JOBS, CONSUMER_REDIS } from '../../src/batches/queue.ts';
import { SEGMENT_QUEUE } from '../../src/contract/jobs.ts';
import { fakeBackend, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { ends, follow, startPath, type Path } from './path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath();
});
afterEach(() => path.close());

it('hands images out again when Redis lost everything', async () => {
  const { projectId } = await insertProject(path.sql, 150);
  await path.relay();
  const batch = await path.start(projectId);
  const redis = new Redis(path.server.app.config.queueRedisUrl);
  const keys = () => redis.keys(`${path.server.app.config.queuePrefix}:*`);
  await until(async () => (await path.sql`SELECT 1 FROM batch_items WHERE lease_until IS NOT NULL`).length === 64);
  // the servers are shared: this empties what is ours, as FLUSHALL would
  await redis.del(...(await keys()));
  redis.disconnect();
  const fake = fakeBackend();
  await path.worker(fake.backend);
  await path.ended(batch.id);
  expect((await path.get(batch.id)).counts.completed).toBe(150);
  expect(fake.asked).toHaveLength(150);
  expect(await wrongCounters(path.sql)).toEqual([]);
});

it('hands out again soon what a worker had taken from Redis and not yet claimed when it died', async () => {
  const { projectId } = await insertProject(path.sql, 12);
  await path.relay();
  const { queueRedisUrl, queuePrefix: prefix } = path.server.app.config;
  const connection = new Redis(queueRedisUrl, CONSUMER_REDIS);
  let taken = 0;
  const options = { connection, prefix, concurrency: 8, ...CONSUMER_JOBS };
  const dead = new Worker(SEGMENT_QUEUE, () => new Promise(() => taken++), options);
  dead.on('error', () => {});
  const batch = await path.start(projectId);
  await until(() => taken === 8);
  connection.disconnect();
  await dead.close(true).catch(() => {});
  const diedAt = performance.now();
  await path.worker(fakeBackend().backend);
  await path.ended(batch.id);
  expect((await path.get(batch.id)).counts.completed).toBe(12);
  // by BullMQ's own intervals: a minute
  expect(performance.now() - diedAt).toBeLessThan(25_000);
});

it('ignores a worker that comes back late, after its images were handed to another', async () => {
  const { projectId } = await insertProject(path.sql, 20);
  const reader = await openSocket(path.server.url, { query: `projectId=${projectId}` });
  await path.relay();
  const gate = Promise.withResolvers<void>();
  const dead = fakeBackend(() => gate.promise);
  const first = await path.worker(dead.backend);
  const batch = await path.start(projectId);
  await until(() => dead.asked.length === 4);
  // as if its process had been stopped: whatever it renews has passed already
  await until(async () => {
    await path.sql`
        UPDATE batch_items SET lease_until = now() - interval '1 s' WHERE status = 'processing' AND generation = 1`;
    return (await path.sql`SELECT 1 FROM batch_items WHERE generation = 2`).length === 4;
  });
  const fake = fakeBackend();
  await path.worker(fake.backend);
  await until(async () => (await path.get(batch.id)).counts.completed >= 1);
  gate.resolve();
  await path.ended(batch.id);
  await path.end(first);
  await follow(reader, batch.id);
  expect(ends(reader, batch.id)).toHaveLength(20);
  expect(await path.sql`SELECT 1 FROM results`).toHaveLength(20);
  expect(await wrongCounters(path.sql)).toEqual([]);
  await reader.close();
});

it('elects another leader when the first one goes', async () => {
  const first = await path.relay();
  await path.relay();
  const { projectId } = await insertProject(path.sql, 40);
  await path.worker(fakeBackend().backend);
  await path.ended((await path.start(projectId)).id);
  await path.end(first);
  const batch = await path.start(projectId, { all: true, threshold: 0.4 });
  await path.ended(batch.id);
  expect((await path.get(batch.id)).counts.completed).toBe(40);
});

it('steps down and is elected again when its connection is cut', async () => {
  const relay = await path.relay();
  const leads = async () => /segbench_relay_leader\b.* 1$/m.test(await (await fetch(relay.metricsUrl)).text());
  await until(leads);
  const { projectId } = await insertProject(path.sql, 30);
  await path.worker(fakeBackend().backend);
  await path.ended((await path.start(projectId)).id);
  const cut = await path.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name IN ('segbench-leader', 'segbench-listener')`;
  expect(cut.length).toBeGreaterThanOrEqual(2);
  // a term that ends half begun leaves its loops behind, which work on beside those of the next
  await until(async () => !(await leads()));
  await until(leads);
  const reader = await openSocket(path.server.url, { query: `projectId=${projectId}` });
  const batch = await path.start(projectId, { all: true, threshold: 0.4 });
  await follow(reader, batch.id);
  expect(ends(reader, batch.id)).toHaveLength(30);
  await reader.close();
});

it('lets a small batch through while a huge one waits', async () => {
  const huge = await insertProject(path.sql, 2000);
  const small = await insertProject(path.sql, 10);
  await path.relay();
  const big = await path.start(huge.projectId);
  await until(async () => (await path.sql`SELECT 1 FROM batch_items WHERE lease_until IS NOT NULL`).length === 64);
  const fake = fakeBackend();
  await path.worker(fake.backend);
  const little = await path.start(small.projectId);
  await path.ended(little.id);
  expect((await path.get(big.id)).counts.queued).toBeGreaterThan(1000);
});
