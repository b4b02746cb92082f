import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import '../plugins/decorators.ts';
import { createExportStore, type ExportStore } from './store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    exports: ExportStore;
  }
}

/** The exports of this process: whoever asks for one, over whatever route, wakes the same writer. */
export default fp(
  async (app: FastifyInstance) => {
    const store = createExportStore({
      sql: app.connections.service,
      ownerOf: app.tenantOf,
      storage: app.storage,
      leaseMs: app.config.leaseMs,
      keepMs: app.config.exportKeepMs,
      log: (error, exportId) =>
        app.log.error(
          { err: error, exportId },
          exportId === undefined ? 'exports could not be looked for' : 'export failed',
        ),
    });
    app.decorate('exports', store);
    app.addHook('onReady', async () => store.start());
    app.addHook('onClose', () => store.close());
  },
  { name: 'exports', dependencies: ['services', 'tenants'] },
);
