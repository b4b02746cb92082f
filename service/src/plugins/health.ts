import { statfs } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { HealthReply } from '#contract/metrics.ts';

type Part = HealthReply['services']['database'];
type Status = Part['status'];

/** A server that answers slower than this still works, and something is wrong. */
const SLOW_MS = 500;
const TIMEOUT_MS = 2000;

async function probe(work: () => Promise<unknown>, down: Status): Promise<Part> {
  const begin = performance.now();
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error('timed out')), TIMEOUT_MS);
  try {
    await Promise.race([work(), timeout.promise]);
    const latencyMs = performance.now() - begin;
    return { status: latencyMs > SLOW_MS ? 'degraded' : 'healthy', latencyMs };
  } catch {
    return { status: down, latencyMs: performance.now() - begin };
  } finally {
    clearTimeout(timer);
  }
}

/** Without the database nothing works; without queue, cache, workers or room on the disk the service answers, and something waits or is refused. */
export async function checkHealth(app: FastifyInstance): Promise<Pick<HealthReply, 'status' | 'services'>> {
  let workers = 0;
  const [database, cache, queue, inference, storage] = await Promise.all([
    probe(() => app.connections.service`select 1`.execute(), 'unhealthy'),
    probe(() => app.cache.redis.ping(), 'degraded'),
    probe(() => app.queueRedis.ping(), 'degraded'),
    probe(async () => {
      workers = (await app.queue()).workers.length;
      if (workers === 0) throw new Error('no worker reports');
    }, 'degraded'),
    probe(async () => {
      const { bsize, bavail } = await statfs(app.storage.dataDir);
      if (bsize * bavail < app.config.maxFileBytes) throw new Error('no room for an upload');
    }, 'degraded'),
  ]);
  const all = [database, cache, queue, inference, storage].map(({ status }) => status);
  const status = all.includes('unhealthy') ? 'unhealthy' : all.includes('degraded') ? 'degraded' : 'healthy';
  return { status, services: { database, queue, cache, inference: { ...inference, workers }, storage } };
}
