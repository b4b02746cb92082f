import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { traceIdOf } from '../trace-id.ts';
import './traces.ts';

/** Duration of each request, by route pattern, into the histogram and the last-minute window. Sockets are not requests. */
export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onResponse', async (request, reply) => {
      if (request.headers.upgrade !== undefined) return;
      const route = request.routeOptions.url ?? 'unknown';
      const { method } = request;
      const labels = { method, route, status: String(reply.statusCode) };
      // of a request that is traced here its own span, and none where that is not recorded; else what the caller says
      const traceparent = request.span ? request.span.traceparent : request.headers['traceparent'];
      app.metrics.http(labels, reply.elapsedTime / 1000, traceIdOf(traceparent ?? undefined));
      app.metrics.windows.http.record(reply.elapsedTime, reply.statusCode >= 500, `${method} ${route}`);
    });
  },
  { name: 'http-metrics', dependencies: ['services'] },
);
