import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import '../plugins/decorators.ts';
import { readQueue } from './read.ts';
import { createBatchStore, type BatchStore } from './store.ts';
import type { QueueReply } from '../contract/queue.ts';
import { readReports } from './worker-report.ts';

declare module 'fastify' {
  interface FastifyInstance {
    batches: BatchStore & { queue(): Promise<QueueReply> };
  }
}

export default fp(
  async (app: FastifyInstance) => {
    const { sql, cache, config } = app;
    const store = createBatchStore({
      sql,
      modelsDir: config.modelsDir,
      pool: config.pool,
      resultCache: config.resultCache,
      changed: (projectId) => cache.bump(projectId),
    });
    app.decorate('batches', {
      ...store,
      async queue() {
        const [counts, workers] = await Promise.all([readQueue(sql), readReports(cache.redis, config.queuePrefix)]);
        return { ...counts, workers };
      },
    });
  },
  { name: 'batches', dependencies: ['services'] },
);
