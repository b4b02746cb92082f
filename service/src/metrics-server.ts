import { createServer, type Server } from 'node:http';
import { expose } from './exposition.ts';
import type { Metrics } from './metrics.ts';

/**
 * `/metrics` and `/healthz` of one process on its own port (loopback by default), without a key.
 * @param health answers `/healthz`; false or a rejection is a 503.
 */
export async function startMetricsServer(
  metrics: Metrics,
  port: number,
  options: { host?: string; health?: () => boolean | Promise<boolean> } = {},
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const host = options.host ?? '127.0.0.1';
  const answer = async (path: string, accept?: string): Promise<{ status: number; type: string; body: string }> => {
    if (path === '/metrics') return { status: 200, ...(await expose(metrics.registry, accept)) };
    if (path !== '/healthz') return { status: 404, type: 'text/plain', body: 'only /metrics and /healthz\n' };
    const healthy = (await options.health?.()) ?? true;
    return {
      status: healthy ? 200 : 503,
      type: 'application/json',
      body: JSON.stringify({ healthy, role: metrics.role }),
    };
  };
  const server: Server = createServer((request, reply) => {
    answer((request.url ?? '/').split('?')[0] ?? '/', request.headers.accept).then(
      ({ status, type, body }) => reply.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => reply.writeHead(503, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  // what listens on every address is reached at this one
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return {
    url: `http://${reached.includes(':') ? `[${reached}]` : reached}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
