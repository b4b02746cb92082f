import { buildApp } from '../app.ts';
import { createCache } from '../cache.ts';
import type { Config } from '../config.ts';
import { crashInStorage, crashPointsOf } from '../crash-points.ts';
import { createKeyStore } from '../database/keys.ts';
import { listen } from '../listen.ts';
import { startMetricsServer } from '../metrics-server.ts';
import { createMetrics } from '../metrics.ts';
import { createStorage } from '../storage.ts';
import { checkConnections, createConnections } from '../tenants/connections.ts';
import { createTraces } from '../traces/traces.ts';
import { createLog, type RoleHandle } from './role.ts';

/** The API role: HTTP, sockets, pages. Opens what the app needs, and closes it after the app, in reverse. */
export async function startApi(config: Config): Promise<RoleHandle> {
  const log = createLog(config);
  const metrics = createMetrics('api');
  const connections = createConnections(config, metrics);
  const warning = await checkConnections(connections, config.databaseRole);
  if (warning !== null) process.stderr.write(`warn api: ${warning}\n`);
  metrics.gauge('segbench_row_security', '1 while PostgreSQL keeps tenants apart as well.', () =>
    warning === null ? 1 : 0,
  );
  const cache = createCache({
    url: config.cacheRedisUrl,
    enabled: config.cache,
    metrics,
    prefix: config.queuePrefix,
    ttlSeconds: config.cacheTtlSeconds,
  });
  const storage = crashInStorage(createStorage(config.dataDir), crashPointsOf(config));
  await Promise.all([cache.open(), storage.open()]);
  const key = await createKeyStore(connections.service).ensureBootstrap(config.bootstrapApiKey);
  if (key !== null) {
    // Shown this once: only its hash is kept.
    process.send?.({ type: 'bootstrap-key', key });
    process.stderr.write(`api: new key, shown only now: ${key}\n`);
  }
  const traces = await createTraces(config, metrics, log);
  const app = await buildApp({ config, connections, metrics, cache, storage, traces });
  const { url, ended } = await listen(app, { host: config.host, port: config.port }).catch((error: unknown) => {
    throw new Error(
      `cannot listen on ${config.host}:${config.port}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const server = await startMetricsServer(metrics, config.metricsPort, {
    host: config.metricsHost,
    health: async () => (await connections.service`select 1`).length === 1,
  });
  log('info', `listening on ${url}`);
  return {
    url,
    metricsUrl: `${server.url}/metrics`,
    async close() {
      await app.drain.begin();
      await app.close();
      await ended();
      await traces?.close();
      await cache.close();
      await connections.end();
      await server.close();
    },
  };
}
