import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';

/** Per key and minute. Reads of single results and pictures, uploads and exports count apart from other requests. */
export const RATE_LIMITS = { requests: 600, uploads: 120, reads: 3000, exports: 60 } as const;
const WINDOW_SECONDS = 60;

/** Fixed windows in the cache's Redis, shared by all API processes; without Redis nothing is limited. */
export default fp(
  async (app: FastifyInstance) => {
    if (!app.config.rateLimits) return;
    app.addHook('onRequest', async (request, reply) => {
      if (request.apiKey.id === '' || !app.cache.ready()) return;
      const kind = request.routeOptions.config.rate ?? 'requests';
      const now = Date.now() / 1000;
      const window = Math.floor(now / WINDOW_SECONDS);
      const name = `${app.config.queuePrefix}:rate:${request.apiKey.id}:${kind}:${window}`;
      const results = await app.cache.redis
        .multi()
        .incr(name)
        .expire(name, WINDOW_SECONDS * 2)
        .exec()
        .catch(() => null);
      const count = Number(results?.[0]?.[1] ?? 0);
      const limit = RATE_LIMITS[kind];
      void reply.headers({ 'ratelimit-limit': limit, 'ratelimit-remaining': Math.max(0, limit - count) });
      if (count <= limit) return;
      const waitSeconds = Math.ceil((window + 1) * WINDOW_SECONDS - now);
      throw new ApiError('RATE_LIMITED', `over ${limit} ${kind} a minute; try again in ${waitSeconds} s`, {
        headers: { 'retry-after': String(waitSeconds) },
      });
    });
  },
  { name: 'rate-limit', dependencies: ['services', 'auth'] },
);
