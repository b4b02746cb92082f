import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/app.ts';
import { createCache } from '../../src/cache.ts';
import { loadConfig } from '../../src/config.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { createKeyStore } from '../../src/database/keys.ts';
import { migrate } from '../../src/database/migrate.ts';
import { listen } from '../../src/listen.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createStorage } from '../../src/storage.ts';
import { checkConnections, createConnections, type Connections } from '../../src/tenants/connections.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import type { Tenant } from '../../src/tenants/tenant.ts';
import { createTraces } from '../../src/traces/traces.ts';
import { testServers } from '../../../test/servers.ts';

export const TEST_KEY = 'test-key-test-key-test-key-test-key-0001';

export interface TestApp {
  app: FastifyInstance;
  /** Connected as the owner of the tables, who sees all rows. */
  sql: Sql;
  /** The operator's, whose the bootstrap key is. */
  tenant: Tenant;
  url: string;
  dataDir: string;
  /** `fetch` with the bootstrap key; `init.key` null sends none. */
  call(path: string, init?: RequestInit & { key?: string | null; json?: unknown }): Promise<Response>;
  close(): Promise<void>;
}

export interface TestSetting {
  /** Another app, whose database, cache and folder this one shares, like a second API process. It must be closed later. */
  beside?: TestApp;
  /** A database made by the test, which drops it. */
  databaseUrl?: string;
  /** Instead of connections of its own. */
  connections?: Connections;
  /** Clock of the last-minute figures. */
  now?: () => number;
}

/** The real app, listening, on a database and a folder of its own. */
export async function startTestApp(env: Record<string, string> = {}, setting: TestSetting = {}): Promise<TestApp> {
  const servers = testServers();
  const other = setting.beside?.app.config;
  const given = setting.databaseUrl ?? other?.databaseUrl;
  const database = given === undefined ? await servers.createMigrated() : { url: given, drop: async () => {} };
  const dataDir = other?.dataDir ?? (await mkdtemp(join(tmpdir(), 'segbench-test-')));
  const config = loadConfig({
    DATABASE_URL: database.url,
    QUEUE_REDIS_URL: servers.queueRedisUrl,
    CACHE_REDIS_URL: other?.cacheRedisUrl ?? servers.cacheRedisUrl,
    QUEUE_PREFIX: other?.queuePrefix ?? servers.prefix(),
    DATA_DIR: dataDir,
    DATABASE_POOL: '4',
    LOG_LEVEL: 'error',
    NODE_ENV: 'test',
    RATE_LIMITS: 'off',
    ...env,
  });
  await migrate(database.url, undefined, config.databaseRole);
  const metrics = createMetrics('api', setting.now);
  const sql = createDatabase(database.url, { max: 4 });
  const connections = setting.connections ?? createConnections(config, metrics);
  await checkConnections(connections, config.databaseRole);
  const cache = createCache({
    url: config.cacheRedisUrl,
    enabled: config.cache,
    metrics,
    prefix: config.queuePrefix,
    ttlSeconds: config.cacheTtlSeconds,
  });
  const storage = createStorage(dataDir);
  await cache.open();
  await storage.open();
  await createKeyStore(connections.service).ensureBootstrap(TEST_KEY);
  const traces = await createTraces(config, metrics);
  const app = await buildApp({ config, connections, metrics, cache, storage, traces });
  const { url, ended } = await listen(app, { port: 0, host: '127.0.0.1' });
  return {
    app,
    sql,
    tenant: app.tenantOf(FIRST_TENANT),
    url,
    dataDir,
    call(path, { key = TEST_KEY, json, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (key !== null) headers.set('authorization', `Bearer ${key}`);
      if (json !== undefined) headers.set('content-type', 'application/json');
      return fetch(url + path, { ...init, headers, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
    },
    async close() {
      await app.close();
      await ended();
      await traces?.close();
      await cache.close();
      await connections.end();
      await sql.end({ timeout: 5 });
      await database.drop();
      if (!other) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
