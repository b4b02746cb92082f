import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { testServers } from '../../../test/servers.ts';
import { EnvironmentError, startEnvironment } from '../../src/environment/index.ts';
import { freePort } from '../../src/environment/ports.ts';
import { withDatabase } from '../../src/environment/server-facts.ts';

const { adminUrl, queueRedisUrl, cacheRedisUrl } = testServers();
const RUNNING = {
  SEGBENCH_DATABASE_URL: adminUrl,
  SEGBENCH_QUEUE_REDIS_URL: queueRedisUrl,
  SEGBENCH_CACHE_REDIS_URL: cacheRedisUrl,
};
const EXAMPLES: Record<string, string> = {
  SEGBENCH_DATABASE_URL: 'postgres://user:password@host:5432/postgres',
  SEGBENCH_QUEUE_REDIS_URL: 'redis://:password@host:6379',
  SEGBENCH_CACHE_REDIS_URL: 'redis://:password@host:6380',
};
const start = (addresses: Record<string, string>) => {
  for (const [name, value] of Object.entries({ ...RUNNING, ...addresses })) vi.stubEnv(name, value);
  return startEnvironment({ kind: 'external', log: () => {} });
};
const databases = async () =>
  (await withDatabase(adminUrl, (sql) => sql<{ datname: string }[]>`SELECT datname FROM pg_database`)).map(
    ({ datname }) => datname,
  );

afterEach(() => void vi.unstubAllEnvs());

describe('the environment external', () => {
  it.each([
    ['SEGBENCH_DATABASE_URL', 'PostgreSQL', 'postgres://u:hunter2@127.0.0.1:PORT/postgres'],
    ['SEGBENCH_QUEUE_REDIS_URL', 'Redis', 'redis://:hunter2@127.0.0.1:PORT'],
    ['SEGBENCH_CACHE_REDIS_URL', 'Redis', 'redis://:hunter2@127.0.0.1:PORT'],
  ])('names %s, the cause and what is allowed when nobody is there', async (name, what, url) => {
    const port = await freePort();
    const starting = start({ [name]: url.replace('PORT', String(port)) });
    await expect(starting).rejects.toThrow(EnvironmentError);
    await expect(starting).rejects.toThrow(
      `${what} in ${name} cannot be used: connect ECONNREFUSED 127.0.0.1:${port}; expected a running server, like ${EXAMPLES[name]}`,
    );
    await expect(starting).rejects.toThrow(/^((?!hunter2).)*$/s);
  });

  it.each(['SEGBENCH_DATABASE_URL', 'SEGBENCH_QUEUE_REDIS_URL'])(
    'names %s when its password is wrong',
    async (name) => {
      const url = new URL(RUNNING[name as keyof typeof RUNNING]);
      url.password = 'wrong';
      await expect(start({ [name]: url.href })).rejects.toThrow(
        new RegExp(`in ${name} cannot be used: .*(password authentication failed|WRONGPASS)`),
      );
    },
  );

  it('refuses a queue that evicts, with what to set', async () => {
    const swapped = { SEGBENCH_QUEUE_REDIS_URL: cacheRedisUrl, SEGBENCH_CACHE_REDIS_URL: queueRedisUrl };
    await expect(start(swapped)).rejects.toThrow(
      'SEGBENCH_QUEUE_REDIS_URL has maxmemory-policy allkeys-lru, which may evict jobs: set noeviction',
    );
  });

  it('has a database and a queue prefix of its own, and takes nothing else away', async () => {
    const before = await databases();
    const environment = await start({});
    const prefix = environment.env['QUEUE_PREFIX'] ?? '';
    const queue = new Redis(queueRedisUrl);
    try {
      expect((await databases()).filter((name) => !before.includes(name))).toContain(prefix);
      expect(new URL(environment.databaseUrl).pathname).toBe(`/${prefix}`);
      await queue.set(`${prefix}:inference:1`, 'ours');
      await queue.set(`not-${prefix}:1`, 'theirs');
      await environment.stop();
      expect(await databases()).not.toContain(prefix);
      expect(await queue.keys(`*${prefix}*`)).toEqual([`not-${prefix}:1`]);
      await queue.del(`not-${prefix}:1`);
    } finally {
      queue.disconnect();
    }
  });
});
