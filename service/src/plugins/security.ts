import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

/** Pictures come as blobs or from the CDN, events over a socket of the same origin; nothing else from anywhere. */
const policyOf = (cdnOrigin: string) => [
  "default-src 'self'",
  `img-src 'self' blob: data:${cdnOrigin && ` ${cdnOrigin}`}`,
  "connect-src 'self' ws: wss:",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
];

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export default fp(
  async (app: FastifyInstance, { cdnBaseUrl = '' }: { cdnBaseUrl?: string }) => {
    const policy = policyOf(cdnBaseUrl && new URL(cdnBaseUrl).origin).join('; ');
    const headers = { 'content-security-policy': policy, ...HEADERS };
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers(headers);
    });
  },
  { name: 'security' },
);
