import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

/** Duration of each request, by route pattern, into the histogram and the last-minute window. Sockets are not requests. */
export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onResponse', async (request, reply) => {
      if (request.headers.upgrade !== undefined) return;
      const route = request.routeOptions.url ?? 'unknown';
      const { method } = request;
      app.metrics.httpDuration.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
      app.metrics.windows.http.record(reply.elapsedTime, reply.statusCode >= 500, `${method} ${route}`);
    });
  },
  { name: 'http-metrics', dependencies: ['services'] },
);
