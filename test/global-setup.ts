import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEnvironment } from '../loadtest/src/environment/index.ts';
import { externalAddresses } from '../loadtest/src/environment/external.ts';
import { migrate } from '../service/src/database/migrate.ts';
import { databaseOf, type ServerAddresses } from './servers.ts';

/**
 * Starts PostgreSQL and two Redis once a run, or uses running ones where all three of SEGBENCH_TEST_DATABASE_URL,
 * SEGBENCH_TEST_QUEUE_REDIS_URL and SEGBENCH_TEST_CACHE_REDIS_URL are set (faster while developing).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // `npm test` was killed: end our whole group, test files and what they started included.
  process.once('disconnect', () => process.kill(-process.pid, 'SIGTERM'));
  process.channel?.unref();
  // Hundreds of service processes start in a run; what Node compiled for one, types taken out, is there for the next.
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/segbench-tests');
  // Copied by whoever wants a database with tables: half a second less for each of hundreds of tests.
  const provide = async (addresses: ServerAddresses): Promise<() => Promise<void>> => {
    const migrated = await databaseOf(addresses.databaseUrl);
    await migrate(migrated.url);
    project.provide('servers', { ...addresses, migrated: migrated.name });
    return () => migrated.drop();
  };
  const running = externalAddresses('SEGBENCH_TEST_');
  if (running) return await provide(running);
  const environment = await startEnvironment({ kind: 'embedded', log: () => {} });
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = environment;
  await provide({ databaseUrl, queueRedisUrl, cacheRedisUrl });
  void environment.died.then(({ what, detail }) => {
    process.stderr.write(`the tests' ${what} is gone: ${detail}\n`);
  });
  return () => environment.stop();
}
