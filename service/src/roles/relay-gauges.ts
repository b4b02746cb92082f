import { Gauge } from 'prom-client';
import type { Redis } from 'ioredis';
import type { JobQueue } from '../batches/queue.ts';
import type { QueueCounts } from '../batches/read.ts';
import { readReports } from '../batches/worker-report.ts';
import type { CacheServer } from '../cache.ts';
import type { Sql } from '../database/client.ts';
import type { Metrics } from '../metrics.ts';
import { createProbe } from '../probe.ts';

interface Deps {
  metrics: Metrics;
  sql: Sql;
  queue: Pick<JobQueue, 'redis' | 'oldestWaitMs'>;
  cache: CacheServer;
  prefix: string;
  /** As last read; by the batches' own counters. */
  counts: () => QueueCounts;
}

/** Bytes in use, and how many there may be: `maxmemory`, or the machine's memory where that is not set. */
export async function readMemory(redis: Pick<Redis, 'info'>): Promise<{ used: number; limit: number }> {
  const text = await redis.info('memory');
  const of = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { used: of('used_memory'), limit: of('maxmemory') || of('total_system_memory') };
}

function showRedis({ metrics, queue, cache }: Deps): void {
  const servers = Object.entries({ queue: queue.redis, cache: cache.redis }).map(([server, redis]) => ({
    server,
    memory: createProbe(() => readMemory(redis)),
  }));
  const gauge = (name: string, help: string, field: 'used' | 'limit') =>
    new Gauge({
      name,
      help,
      labelNames: ['server'] as const,
      registers: metrics.registers,
      async collect() {
        const read = await Promise.all(servers.map(async ({ server, memory }) => ({ server, value: await memory() })));
        this.reset();
        for (const { server, value } of read) if (value !== null) this.set({ server }, value[field]);
      },
    });
  gauge('segbench_redis_memory_used_bytes', 'Memory that a Redis uses; absent while it does not answer.', 'used');
  gauge(
    'segbench_redis_memory_limit_bytes',
    'Its maxmemory, or the memory of its machine where there is none.',
    'limit',
  );
}

function showQueue({ metrics, queue, cache, prefix, counts }: Deps): void {
  metrics.gauge('segbench_queue_depth', 'Images that wait for a worker.', () => counts().waiting);
  metrics.gauge('segbench_queue_active', 'Images in work.', () => counts().active);
  metrics.gauge('segbench_queue_paused', 'Images of paused batches.', () => counts().delayed);
  metrics.gauge(
    'segbench_queue_oldest_age_seconds',
    'Age of the oldest batch with images that wait.',
    () => counts().oldestAgeMs / 1000,
  );
  const oldest = createProbe(() => queue.oldestWaitMs());
  metrics.gauge(
    'segbench_queue_oldest_job_age_seconds',
    'How long the oldest job in Redis has waited for a worker; absent while Redis does not answer.',
    async () => {
      const ms = await oldest();
      return ms === null ? null : ms / 1000;
    },
  );
  const workers = createProbe(async () => {
    if (!cache.ready()) throw new Error('nobody could report');
    return new Set((await readReports(cache.redis, prefix)).map(({ id }) => id.split('/', 1)[0])).size;
  });
  metrics.gauge(
    'segbench_workers_reporting',
    'Worker processes that have reported in the last seconds; absent while the cache does not answer.',
    workers,
  );
}

interface DatabaseFacts {
  bytes: number;
  connections: number;
  connectionsLimit: number;
  oldestTransactionSeconds: number;
  oldestEventSeconds: number;
  commits: number;
  rollbacks: number;
  deadlocks: number;
  blocksHit: number;
  blocksRead: number;
}
const readDatabase = async (sql: Sql): Promise<DatabaseFacts> => {
  const [row] = await sql<DatabaseFacts[]>`
    SELECT pg_database_size(d.datid)::float8 AS bytes,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
           current_setting('max_connections')::int AS "connectionsLimit",
           (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())::float8 AS "oldestTransactionSeconds",
           coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM event_outbox ORDER BY id LIMIT 1), 0)::float8
             AS "oldestEventSeconds",
           d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.deadlocks, d.blks_hit AS "blocksHit", d.blks_read AS "blocksRead"
    FROM pg_stat_database d WHERE d.datname = current_database()`;
  return row!;
};

const GAUGES: readonly [name: string, help: string, field: keyof DatabaseFacts][] = [
  ['segbench_postgres_size_bytes', 'Size of the database on its disk.', 'bytes'],
  ['segbench_postgres_connections', 'Connections that PostgreSQL has.', 'connections'],
  ['segbench_postgres_connections_limit', 'Its max_connections.', 'connectionsLimit'],
  ['segbench_postgres_oldest_transaction_seconds', 'Age of the oldest open transaction.', 'oldestTransactionSeconds'],
  ['segbench_events_oldest_age_seconds', 'Age of the oldest event that has no number yet.', 'oldestEventSeconds'],
];
const COUNTERS: readonly [name: string, help: string, field: keyof DatabaseFacts][] = [
  ['segbench_postgres_commits_total', 'Committed transactions of the database.', 'commits'],
  ['segbench_postgres_rollbacks_total', 'Transactions that were rolled back.', 'rollbacks'],
  ['segbench_postgres_deadlocks_total', 'Deadlocks that PostgreSQL broke.', 'deadlocks'],
  ['segbench_postgres_blocks_hit_total', 'Blocks found in shared buffers.', 'blocksHit'],
  ['segbench_postgres_blocks_read_total', 'Blocks that had to be read.', 'blocksRead'],
];

function showDatabase({ metrics, sql }: Deps): void {
  const facts = createProbe(() => readDatabase(sql));
  const read = (field: keyof DatabaseFacts) => async () => (await facts())?.[field] ?? null;
  for (const [name, help, field] of GAUGES) metrics.gauge(name, help, read(field));
  for (const [name, help, field] of COUNTERS) metrics.counter(name, help, read(field));
}

/**
 * What belongs to no single process: queue, both Redis, PostgreSQL. Each relay shows the same, so that they are seen as long as one
 * of them lives; whoever sums over instances counts them twice. They are asked when somebody scrapes, and only then.
 */
export function showServers(deps: Deps): void {
  showQueue(deps);
  showRedis(deps);
  showDatabase(deps);
}
