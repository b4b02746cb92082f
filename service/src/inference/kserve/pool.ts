import path from 'node:path';
import { readCard, type ModelCard } from '../model.ts';
import type { InferenceBackend, PoolHealth } from '../pool/backend.ts';
import { createLocalPool, type LocalPoolOptions } from '../pool/local.ts';
import type { EndpointStats } from './balancer.ts';
import { createEndpoints } from './endpoints.ts';
import { createLeases } from './leases.ts';

export interface KservePoolOptions extends Omit<LocalPoolOptions, 'provider' | 'servers'> {
  card: ModelCard;
  probeEveryMs?: number;
  loadTimeoutMs?: number;
}
/** Of what the whole run may take, one request may take so much: after a server that hangs there is time for another. */
const SHARE_OF_LIMIT = 0.8;

/**
 * Inference on servers of the Open Inference Protocol. Children of this machine decode and make polygons; this process knows the
 * servers and gives each request the one with the least to do.
 */
export function createKservePool(
  urls: readonly string[],
  options: KservePoolOptions,
): InferenceBackend & { endpoints(): EndpointStats[] } {
  const { card, probeEveryMs, loadTimeoutMs, log = () => {} } = options;
  const endpoints = createEndpoints({
    urls,
    card,
    version: path.basename(options.modelDir),
    log,
    ...(probeEveryMs === undefined ? {} : { probeEveryMs }),
    ...(loadTimeoutMs === undefined ? {} : { loadTimeoutMs }),
  });
  const leases = createLeases(endpoints);
  const servers = { leases, timeoutMs: Math.ceil(SHARE_OF_LIMIT * options.timeoutMs) };
  const pool = createLocalPool({ ...options, provider: 'kserve', servers });
  return {
    ...pool,
    async load() {
      await endpoints.load();
      await pool.load();
    },
    async reload(modelDir) {
      await endpoints.expect(await readCard(modelDir), path.basename(modelDir));
      await pool.reload(modelDir);
    },
    health(): PoolHealth {
      const own = pool.health();
      const up = endpoints.ready();
      if (up === urls.length || own.status === 'unhealthy') return own;
      const message = `${up} of ${urls.length} inference servers are ready`;
      return { ...own, status: up === 0 ? 'unhealthy' : 'degraded', message };
    },
    // A worker's memory is not what limits a batch on a server.
    stats: () => ({ ...pool.stats(), memory: null }),
    async close() {
      endpoints.close();
      await pool.close();
    },
    endpoints: () => endpoints.stats(),
  };
}
