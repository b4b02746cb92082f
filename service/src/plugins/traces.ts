import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import type { RequestSpan, Traces } from '../traces/traces.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Null while nothing is traced. */
    traces: Traces | null;
  }
  interface FastifyRequest {
    span: RequestSpan | null;
  }
}

/** Sockets last for hours, and who only looks at figures is nobody's way to anything. */
const isTraced = (url: string | undefined) =>
  url !== undefined && /^\/(api|graphql)(\/|$)/.test(url) && !/^\/api\/(events|metrics)/.test(url);

/** A span for each request, which continues the caller's trace; what follows from the request hangs on it. */
export default fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('span', null);
    const { traces } = app;
    if (traces === null) return;
    app.addHook('onRequest', async (request) => {
      const { method, headers, routeOptions } = request;
      if (!isTraced(routeOptions.url) || headers.upgrade !== undefined) return;
      const route = routeOptions.url!;
      request.span = traces.request(`${method} ${route}`, headers, {
        'http.request.method': method,
        'http.route': route,
        'url.path': request.url.split('?', 1)[0]!,
      });
    });
    app.addHook('onResponse', async ({ span }, { statusCode }) => span?.end(statusCode));
  },
  { name: 'traces', dependencies: ['services'] },
);
