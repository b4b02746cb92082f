import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

/** Per key and minute. Reads of single results and pictures, uploads and exports count apart from other requests. */
export const RATE_LIMITS = { requests: 600, uploads: 120, reads: 3000, exports: 60 } as const;
export type RateKind = keyof typeof RATE_LIMITS;
const WINDOW_SECONDS = 60;

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts `cost` requests of the key's minute beside the one that every request is. What does not fit is refused and not counted.
     * @returns what is left of the minute; null where nothing is limited.
     * @throws ApiError RATE_LIMITED with the time to wait
     */
    charge(request: FastifyRequest, kind: RateKind, cost: number): Promise<number | null>;
  }
}

/** Fixed windows in the cache's Redis, shared by all API processes; without Redis nothing is limited. */
export default fp(
  async (app: FastifyInstance) => {
    app.decorate('charge', async (request: FastifyRequest, kind: RateKind, cost: number) => {
      if (!app.config.rateLimits || request.apiKey.id === '' || !app.cache.ready()) return null;
      const now = Date.now() / 1000;
      const window = Math.floor(now / WINDOW_SECONDS);
      const name = `${app.config.queuePrefix}:rate:${request.apiKey.id}:${kind}:${window}`;
      const { redis } = app.cache;
      const results = await redis
        .multi()
        .incrby(name, cost)
        .expire(name, WINDOW_SECONDS * 2)
        .exec()
        .catch(() => null);
      const count = Number(results?.[0]?.[1] ?? 0);
      const limit = RATE_LIMITS[kind];
      if (count <= limit) return limit - count;
      if (cost > 1) await redis.decrby(name, cost).catch(() => null);
      const waitSeconds = Math.ceil((window + 1) * WINDOW_SECONDS - now);
      const worth = cost > 1 ? `${cost} more are ` : '';
      throw new ApiError('RATE_LIMITED', `${worth}over ${limit} ${kind} a minute; try again in ${waitSeconds} s`, {
        headers: {
          'retry-after': String(waitSeconds),
          'ratelimit-limit': String(limit),
          'ratelimit-remaining': String(Math.max(0, limit - (cost > 1 ? count - cost : count))),
        },
      });
    });
    app.addHook('onRequest', async (request, reply) => {
      const kind = request.routeOptions.config.rate ?? 'requests';
      const left = await app.charge(request, kind, 1);
      if (left !== null) void reply.headers({ 'ratelimit-limit': RATE_LIMITS[kind], 'ratelimit-remaining': left });
    });
  },
  { name: 'rate-limit', dependencies: ['services', 'auth'] },
);
