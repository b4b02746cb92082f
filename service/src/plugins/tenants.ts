import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createIndexCache } from '../database/index-cache.ts';
import { createTenants } from '../tenants/tenant.ts';

/** Gives each request the tenant of its key, and nothing else of the database. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, connections, cache, metrics, storage } = app;
    const tenantOf = createTenants({
      config,
      connections,
      cache,
      indexes: createIndexCache({ maxBytes: config.cache ? config.indexCacheBytes : 0, metrics }),
      storage,
      exportAsked: () => app.exports.wake(),
      auditLost: (error, action) => app.log.error({ err: error, action }, 'audit row lost'),
    });
    app.decorate('tenantOf', tenantOf);
    app.decorateRequest('tenant', {
      getter(this: FastifyRequest) {
        return tenantOf(this.apiKey.tenantId);
      },
    });
  },
  { name: 'tenants', dependencies: ['services'] },
);
