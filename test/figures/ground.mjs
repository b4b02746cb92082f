import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEnvironment } from '../../loadtest/src/environment/index.ts';
import { migrate } from '../../service/src/database/migrate.ts';
import { startRole } from '../../service/src/role-process.ts';

export const KEY = 'figures-key-figures-key-figures-key-0001';

/**
 * What figures are taken on: servers and a folder of its own, an API process, a connection beside it, and `role`, which starts
 * further processes of the same service.
 * @param {Record<string, string>} [settings] of all processes
 */
export async function startGround(settings = {}) {
  const environment = await startEnvironment({ kind: 'auto', log: () => {} });
  const dataDir = await mkdtemp(join(tmpdir(), 'segbench-figures-'));
  const sql = postgres(environment.databaseUrl, { max: 1 });
  const env = {
    ...process.env,
    DATABASE_URL: environment.databaseUrl,
    QUEUE_REDIS_URL: environment.queueRedisUrl,
    CACHE_REDIS_URL: environment.cacheRedisUrl,
    DATA_DIR: dataDir,
    BOOTSTRAP_API_KEY: KEY,
    RATE_LIMITS: 'off',
    PORT: '0',
    ...settings,
  };
  const role = (name, more = {}) =>
    startRole({ role: name, log: () => {}, onGroup: () => {}, env: { ...env, ...more } });
  let api;
  const stop = async () => {
    await api?.stop();
    await sql.end({ timeout: 1 });
    await environment.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await migrate(environment.databaseUrl);
    api = await role('api');
    return { dataDir, sql, api, role, env, servers: environment.servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
