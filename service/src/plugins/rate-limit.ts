import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { limitHeaders, refusal } from './limiter.ts';

export type RateKind = 'requests' | 'uploads' | 'reads' | 'exports';

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

/**
 * Limits of keys, a minute each. Reads of single results and pictures, uploads and exports count apart from other requests.
 * Those of addresses are asked for where a key is looked up (`auth.ts`).
 */
export default fp(
  async (app: FastifyInstance) => {
    const { rateRequests, rateUploads, rateReads, rateExports } = app.config;
    const limits = { requests: rateRequests, uploads: rateUploads, reads: rateReads, exports: rateExports };

    async function take({ apiKey }: FastifyRequest, kind: RateKind, cost: number) {
      if (apiKey.id === '') return null;
      const admission = await app.limiter.take(`${apiKey.id}:${kind}`, limits[kind], cost);
      if (admission?.admitted === false) throw refusal(kind, kind, admission, cost);
      return admission;
    }
    app.decorate('charge', async (request: FastifyRequest, kind: RateKind, cost: number) => {
      const admission = await take(request, kind, cost);
      return admission?.remaining ?? null;
    });
    app.addHook('onRequest', async (request, reply) => {
      const kind = request.routeOptions.config.rate ?? 'requests';
      const admission = await take(request, kind, 1);
      if (admission) void reply.headers(limitHeaders(kind, admission));
    });
  },
  { name: 'rate-limit', dependencies: ['services', 'limiter', 'auth'] },
);
