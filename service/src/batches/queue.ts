import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { SEGMENT_QUEUE, jobIdOf, type SegmentJob } from '../contract/jobs.ts';

/** Commands fail at once while Redis is down, instead of waiting in memory for ever, and work again when it is back. */
export const PRODUCER_REDIS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2_000,
  retryStrategy: (attempt: number) => Math.min(1_000, 50 * attempt),
} as const;

/** A consumer blocks on Redis: BullMQ requires that its commands wait for the connection to come back. */
export const CONSUMER_REDIS = {
  maxRetriesPerRequest: null,
  retryStrategy: (attempt: number) => Math.min(1_000, 50 * attempt),
} as const;

/**
 * How a worker holds its jobs. One that was taken and not yet claimed is nowhere but here: when its worker dies, it is handed to
 * another as soon as its lock has run out and a look for such jobs has seen that, twelve seconds at most. A lock lost to a blocked
 * event loop costs nothing but a second delivery, which claims nothing. Stalls never fail a job: what failed for good is decided
 * in PostgreSQL.
 */
export const CONSUMER_JOBS = {
  lockDuration: 8_000,
  stalledInterval: 2_000,
  maxStalledCount: 1_000_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const;

const LOWEST = 11;
/** Ours grows with urgency from 0 to 10; BullMQ's falls, and serves jobs without one first: so every job has one. */
export const bullPriority = (priority: number): number => LOWEST - priority;

export interface QueuedJob extends SegmentJob {
  priority: number;
}

/** Nothing of a job stays behind: what happened is in PostgreSQL, and an id that stayed could not be added again. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

function valuesOf(replies: [error: Error | null, value: unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

/** The producer's side of the queue in Redis. Every method rejects at once while Redis is down. */
export function createJobQueue(options: { url: string; prefix: string }) {
  const redis = new Redis(options.url, PRODUCER_REDIS);
  redis.on('error', () => {});
  const queue = new Queue<SegmentJob>(SEGMENT_QUEUE, { connection: redis, prefix: options.prefix });
  queue.on('error', () => {});
  const mark = `${options.prefix}:filled`;

  function assertReady(): void {
    if (redis.status !== 'ready') throw new Error(`the queue's Redis does not answer (${redis.status})`);
  }
  return {
    redis,
    /** Jobs in Redis that have not ended. */
    async depth(): Promise<{ waiting: number; active: number }> {
      assertReady();
      const { active = 0, ...waiting } = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed');
      return { waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0), active };
    },
    /** Adds jobs in order. One whose id is still in Redis is left as it is. */
    async add(jobs: readonly QueuedJob[]): Promise<void> {
      assertReady();
      await queue.addBulk(
        jobs.map(({ priority, ...data }) => ({
          name: SEGMENT_QUEUE,
          data,
          opts: { ...JOB_OPTIONS, jobId: jobIdOf(data), priority: bullPriority(priority) },
        })),
      );
    },
    /** How long the oldest job that no worker has taken has been in Redis (ms); 0 for none. There are at most `QUEUE_WINDOW`. */
    async oldestWaitMs(now: number = Date.now()): Promise<number> {
      assertReady();
      const lists = redis.pipeline().zrange(queue.toKey('prioritized'), '0', '-1');
      for (const name of ['wait', 'paused'] as const) lists.lrange(queue.toKey(name), 0, -1);
      const ids = valuesOf(await lists.exec()).flatMap((list) => list as string[]);
      const times = redis.pipeline();
      for (const id of ids) times.hget(queue.toKey(id), 'timestamp');
      // one that was taken between the two has no part in it
      const added = valuesOf(await times.exec()).flatMap((time) => (typeof time === 'string' ? [Number(time)] : []));
      return added.length === 0 ? 0 : Math.max(0, now - Math.min(...added));
    },
    /** Which of these jobs are still in Redis. */
    async known(jobs: readonly SegmentJob[]): Promise<boolean[]> {
      assertReady();
      const pipeline = redis.pipeline();
      for (const job of jobs) pipeline.exists(queue.toKey(jobIdOf(job)));
      return valuesOf(await pipeline.exec()).map((count) => count === 1);
    },
    /** True once after Redis lost everything (FLUSHALL, or a restart without its files), and on the very first call. */
    async wasEmptied(): Promise<boolean> {
      assertReady();
      return (await redis.set(mark, '1', 'NX')) === 'OK';
    },
    async close(): Promise<void> {
      await queue.close().catch(() => {});
      redis.disconnect();
    },
  };
}
export type JobQueue = ReturnType<typeof createJobQueue>;
