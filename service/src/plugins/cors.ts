import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

const METHODS = 'GET, HEAD, POST, PATCH, DELETE';
/** What a page of another origin may send, and may read, beside what the Fetch standard allows anyhow. */
const ASKS =
  'authorization, content-type, idempotency-key, if-match, if-modified-since, if-none-match, if-range, range, traceparent, tracestate';
const TELLS = [
  'accept-ranges, content-disposition, content-range, etag, idempotency-replayed, image-counts, retry-after',
  'ratelimit, ratelimit-policy, ratelimit-limit, ratelimit-remaining, ratelimit-reset',
].join(', ');
const MAX_AGE_SECONDS = '600';

/**
 * Cross-origin requests from the pages of `CORS_ORIGINS`, each named in full; there is no `*`, and no other page may read an answer.
 * Such a page shows a key of its own: the session's cookie is never for it (no credentials), and neither are sockets.
 */
export default fp(
  async (app: FastifyInstance) => {
    const allowed = new Set(app.config.corsOrigins);
    if (allowed.size === 0) return;
    app.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers;
      // Also without an origin, or a cache would give one page the answer that was made for another.
      reply.header('vary', 'Origin');
      if (origin === undefined || !allowed.has(origin)) return undefined;
      reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': TELLS });
      if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
        return undefined;
      reply.headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': ASKS,
        'access-control-max-age': MAX_AGE_SECONDS,
      });
      return reply.code(204).send();
    });
  },
  { name: 'cors', dependencies: ['services'] },
);
