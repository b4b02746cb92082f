import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { testServers } from '../../../test/servers.ts';
import { CONSUMER_REDIS, createJobQueue, PRODUCER_REDIS } from '../../src/batches/queue.ts';
import { jobIdOf, SEGMENT_QUEUE, type SegmentJob } from '../../src/contract/jobs.ts';
import { until } from './fixture.ts';

const servers = testServers();
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const job = (generation = 1): SegmentJob => ({ batchId: randomUUID(), imageId: randomUUID(), generation });
const open = (prefix: string) => {
  const queue = createJobQueue({ url: servers.queueRedisUrl, prefix });
  closers.push(() => queue.close());
  return queue;
};
const ready = (queue: ReturnType<typeof open>) => until(() => queue.redis.status === 'ready');

describe('what BullMQ does, and this project relies on', () => {
  it('refuses ":" in an id, which ours therefore has not', async () => {
    const redis = new Redis(servers.queueRedisUrl, PRODUCER_REDIS);
    const queue = new Queue('traps', { connection: redis, prefix: servers.prefix() });
    closers.push(() => redis.disconnect());
    await expect(queue.add('x', {}, { jobId: 'a:b:c:d' })).rejects.toThrow(/:/);
    expect(jobIdOf(job())).not.toContain(':');
  });

  it('silently ignores an id that sits in the failed set', async () => {
    const prefix = servers.prefix();
    const redis = new Redis(servers.queueRedisUrl, PRODUCER_REDIS);
    const blocking = new Redis(servers.queueRedisUrl, CONSUMER_REDIS);
    const queue = new Queue('traps', { connection: redis, prefix });
    let runs = 0;
    const worker = new Worker(
      'traps',
      async () => {
        runs++;
        throw new Error('no');
      },
      { connection: blocking, prefix },
    );
    closers.push(
      () => redis.disconnect(),
      () => blocking.disconnect(),
      () => worker.close(),
    );
    await queue.add('x', {}, { jobId: 'same' });
    await until(async () => (await queue.getFailedCount()) === 1);
    await queue.add('x', {}, { jobId: 'same' });
    await queue.add('x', {}, { jobId: 'other' });
    await until(async () => (await queue.getFailedCount()) === 2);
    expect(runs).toBe(2);
  });
});

describe('createJobQueue', () => {
  it('adds a job again after it failed or ended, because nothing of it stays', async () => {
    const prefix = servers.prefix();
    const queue = open(prefix);
    await ready(queue);
    const blocking = new Redis(servers.queueRedisUrl, CONSUMER_REDIS);
    const seen: number[] = [];
    const worker = new Worker<SegmentJob>(
      SEGMENT_QUEUE,
      async ({ data }) => {
        seen.push(data.generation);
        if (seen.length === 1) throw new Error('no');
      },
      { connection: blocking, prefix, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
    );
    closers.push(
      () => blocking.disconnect(),
      () => worker.close(),
    );
    const one = job();
    for (let round = 1; round <= 3; round++) {
      await queue.add([{ ...one, priority: 0 }]);
      await until(() => seen.length === round);
      await until(async () => (await queue.depth()).waiting + (await queue.depth()).active === 0);
    }
    expect(await queue.known([one])).toEqual([false]);
  });

  it('serves urgent jobs first, and knows which are still there', async () => {
    const prefix = servers.prefix();
    const queue = open(prefix);
    await ready(queue);
    const jobs = [0, 10, 5].map((priority, index) => ({ ...job(index), priority }));
    await queue.add(jobs);
    await queue.add(jobs);
    expect(await queue.depth()).toEqual({ waiting: 3, active: 0 });
    expect(await queue.known([jobs[0]!, job(), jobs[2]!])).toEqual([true, false, true]);
    const blocking = new Redis(servers.queueRedisUrl, CONSUMER_REDIS);
    const seen: number[] = [];
    const worker = new Worker<SegmentJob>(SEGMENT_QUEUE, async ({ data }) => void seen.push(data.generation), {
      connection: blocking,
      prefix,
    });
    closers.push(
      () => blocking.disconnect(),
      () => worker.close(),
    );
    await until(() => seen.length === 3);
    expect(seen).toEqual([1, 2, 0]);
  });

  it('says how long the oldest job has waited, in a paused queue too, and 0 for none', async () => {
    const prefix = servers.prefix();
    const queue = open(prefix);
    await ready(queue);
    expect(await queue.oldestWaitMs()).toBe(0);
    const began = Date.now();
    await queue.add([{ ...job(), priority: 0 }]);
    await until(() => Date.now() > began + 20);
    // urgent ones go first, and are not older for it
    await queue.add([{ ...job(), priority: 10 }]);
    const age = await queue.oldestWaitMs(began + 60_000);
    expect(age).toBeGreaterThan(59_000);
    expect(age).toBeLessThanOrEqual(60_000);
    const bull = new Queue(SEGMENT_QUEUE, { connection: queue.redis, prefix });
    await bull.pause();
    expect(await queue.oldestWaitMs(began + 60_000)).toBe(age);
  });

  it('says once that Redis was emptied', async () => {
    const prefix = servers.prefix();
    const queue = open(prefix);
    await ready(queue);
    expect(await queue.wasEmptied()).toBe(true);
    expect(await queue.wasEmptied()).toBe(false);
    await queue.redis.del(`${prefix}:filled`);
    expect(await queue.wasEmptied()).toBe(true);
  });

  it('rejects at once while Redis is down, instead of waiting for ever', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    const queue = createJobQueue({ url: `redis://127.0.0.1:${port}`, prefix: 'down' });
    closers.push(() => queue.close());
    await expect(queue.depth()).rejects.toThrow(/does not answer/);
    await expect(queue.add([{ ...job(), priority: 0 }])).rejects.toThrow(/does not answer/);
    // and without our own check: BullMQ on these options
    await expect(queue.redis.get('x')).rejects.toThrow(/enableOfflineQueue|Connection is closed/);
  });
});
