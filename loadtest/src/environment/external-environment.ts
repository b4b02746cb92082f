import { randomBytes } from 'node:crypto';
import { EnvironmentError } from './errors.ts';
import { exampleOf, externalAddresses } from './external.ts';
import { startKeeper } from './keeper-client.ts';
import { postgresVersion, redisFacts, withDatabase, withRedis } from './server-facts.ts';
import type { Environment, EnvironmentOptions } from './types.ts';

function unreachable(what: string, setting: string) {
  return (error: unknown): never => {
    const cause = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
    throw new EnvironmentError(
      `${what} in ${setting} cannot be used: ${cause}; expected a running server, like ${exampleOf(setting)}`,
    );
  };
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
  const version = await postgresVersion(databaseUrl).catch(unreachable('PostgreSQL', 'SEGBENCH_DATABASE_URL'));
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
