import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import type { Services } from './decorators.ts';

/** Puts what the role opened within reach of every route. The role closes it after the app. */
export default fp(
  async (app: FastifyInstance, services: Services) => {
    app.decorate('config', services.config);
    app.decorate('connections', services.connections);
    app.decorate('metrics', services.metrics);
    app.decorate('cache', services.cache);
    app.decorate('storage', services.storage);
    app.decorate('traces', services.traces ?? null);
  },
  { name: 'services' },
);
