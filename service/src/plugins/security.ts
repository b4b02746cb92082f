import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

/** What pages may load: from this server alone, pictures as blobs and from the CDN as well. No inline script or style, no eval. */
const pagePolicy = (cdnOrigin: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' blob: data:${cdnOrigin && ` ${cdnOrigin}`}`,
    "font-src 'self'",
    // Of the same host and port, sockets are meant too (CSP 3 section 6.7.2.8).
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** For answers that are no page: whoever opens one in a browser, an uploaded file for instance, runs nothing of it. */
const DATA_POLICY = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-permitted-cross-domain-policies': 'none',
  // The filter that it turns off made holes of its own.
  'x-xss-protection': '0',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};
/** What answers carry that no route, and no hook, has part in. */
export const BARE_HEADERS: Readonly<Record<string, string>> = { 'content-security-policy': DATA_POLICY, ...HEADERS };

/** A year; only said over TLS, where it holds (RFC 6797 section 7.2). */
const HSTS = 'max-age=31536000';

export default fp(
  async (app: FastifyInstance, { cdnBaseUrl = '' }: { cdnBaseUrl?: string }) => {
    const page = { ...BARE_HEADERS, 'content-security-policy': pagePolicy(cdnBaseUrl && new URL(cdnBaseUrl).origin) };
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(request.routeOptions.url?.startsWith('/api/') ? BARE_HEADERS : page);
      if (request.protocol === 'https') reply.header('strict-transport-security', HSTS);
    });
  },
  { name: 'security' },
);
