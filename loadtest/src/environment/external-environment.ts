import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { EnvironmentError } from './errors.ts';
import { externalAddresses } from './external.ts';
import { startKeeper } from './keeper-client.ts';
import type { Environment, EnvironmentOptions } from './types.ts';

const WAIT_SECONDS = 5;

async function withDatabase<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: WAIT_SECONDS, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: WAIT_SECONDS * 1000 });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function unreachable(what: string, setting: string) {
  return (error: unknown): never => {
    const cause = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
    throw new EnvironmentError(`${what} in ${setting} cannot be used: ${cause}`);
  };
}

async function redisFacts(url: string): Promise<{ version: string; policy: string }> {
  return await withRedis(url, async (redis) => {
    const info = await redis.info();
    const field = (name: string) => info.match(new RegExp(`^${name}:(.*)$`, 'm'))?.[1]?.trim() ?? '';
    return { version: field('redis_version'), policy: field('maxmemory_policy') };
  });
}

async function deleteKeys(url: string, pattern: string): Promise<void> {
  await withRedis(url, async (redis) => {
    for await (const keys of redis.scanStream({ match: pattern, count: 1000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  });
}

/**
 * Uses running servers, named by SEGBENCH_DATABASE_URL, SEGBENCH_QUEUE_REDIS_URL and SEGBENCH_CACHE_REDIS_URL. The run
 * works in a database and under a queue prefix of its own, which `stop` removes; nothing else on them is touched.
 */
export async function startExternal({ log, signal }: EnvironmentOptions): Promise<Environment> {
  const addresses = externalAddresses('SEGBENCH_');
  if (!addresses) {
    throw new EnvironmentError(
      'the environment "external" needs SEGBENCH_DATABASE_URL, SEGBENCH_QUEUE_REDIS_URL and SEGBENCH_CACHE_REDIS_URL',
    );
  }
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = addresses;
  const name = `segbench_${randomBytes(6).toString('hex')}`;
  log('checking the running servers');
  const version = await withDatabase(databaseUrl, async (sql) => {
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
    return row?.version ?? 'unknown';
  }).catch(unreachable('PostgreSQL', 'SEGBENCH_DATABASE_URL'));
  const queue = await redisFacts(queueRedisUrl).catch(unreachable('Redis', 'SEGBENCH_QUEUE_REDIS_URL'));
  await redisFacts(cacheRedisUrl).catch(unreachable('Redis', 'SEGBENCH_CACHE_REDIS_URL'));
  if (queue.policy !== 'noeviction') {
    throw new EnvironmentError(
      `SEGBENCH_QUEUE_REDIS_URL has maxmemory-policy ${queue.policy}, which may evict jobs: set noeviction (CONFIG SET maxmemory-policy noeviction)`,
    );
  }
  const keeper = await startKeeper({ servers: 'none', log, signal });
  const { tempDir, notes } = keeper.started;
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  const drop = () => withDatabase(databaseUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await Promise.allSettled([drop(), deleteKeys(queueRedisUrl, `${name}:*`)]);
    await keeper.stop();
  };
  try {
    await withDatabase(databaseUrl, (sql) => sql.unsafe(`create database ${name}`));
  } catch (error) {
    await keeper.stop();
    return unreachable('PostgreSQL', 'SEGBENCH_DATABASE_URL')(error);
  }
  return {
    kind: 'external',
    databaseUrl: url.href,
    queueRedisUrl,
    cacheRedisUrl,
    tempDir,
    servers: [],
    versions: { postgres: version, redis: queue.version },
    notes: [...notes, 'running servers; other work on them is not told apart from this run'],
    env: { ...keeper.env, QUEUE_PREFIX: name },
    died: keeper.died,
    watchGroup: keeper.watchGroup,
    stop: () => (stopped ??= stop()),
  };
}
