import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { addressGroup } from '../limits/address.ts';
import { createLimiter, type Limiter } from '../limits/limiter.ts';
import { WINDOW_MS, type Admission } from '../limits/window.ts';

declare module 'fastify' {
  interface FastifyInstance {
    limiter: Limiter;
    /** Counts a request that shows no key known to be good. @throws ApiError RATE_LIMITED */
    limitAddress(request: FastifyRequest): Promise<void>;
  }
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and the fields of its drafts up to 07 that are in wide use. */
export function limitHeaders(policy: string, { limit, remaining, seconds }: Admission): Record<string, string> {
  return {
    ratelimit: `"${policy}";r=${remaining};t=${seconds}`,
    'ratelimit-policy': `"${policy}";q=${limit};w=${WINDOW_MS / 1000}`,
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(seconds),
  };
}

export function refusal(policy: string, what: string, admission: Admission, cost = 1): ApiError {
  const { limit, seconds } = admission;
  const worth = cost > 1 ? `${cost} more are ` : '';
  return new ApiError('RATE_LIMITED', `${worth}over ${limit} ${what} a minute; try again in ${seconds} s`, {
    headers: { ...limitHeaders(policy, admission), 'retry-after': String(seconds) },
  });
}

/** What counts requests. Registered before anything that asks who sent them. */
export default fp(
  async (app: FastifyInstance) => {
    const { cache, config } = app;
    app.decorate(
      'limiter',
      createLimiter({ redis: cache.redis, prefix: config.queuePrefix, enabled: config.rateLimits }),
    );
    app.decorate('limitAddress', async (request: FastifyRequest) => {
      const admission = await app.limiter.take(`address:${addressGroup(request.ip)}`, config.rateAddress);
      if (admission?.admitted === false)
        throw refusal('address', 'requests of this address without a known key', admission);
    });
  },
  { name: 'limiter', dependencies: ['services'] },
);
