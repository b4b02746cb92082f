import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import '../plugins/decorators.ts';
import { readQueue } from './read.ts';
import type { QueueReply } from '../contract/queue.ts';
import { readReports } from './worker-report.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Of all tenants, for figures of the processes. */
    queue(): Promise<QueueReply>;
  }
}

export default fp(
  async (app: FastifyInstance) => {
    const { connections, cache, config } = app;
    app.decorate('queue', async () => {
      const [counts, workers] = await Promise.all([
        readQueue(connections.service, null),
        readReports(cache.redis, config.queuePrefix),
      ]);
      return { ...counts, workers };
    });
  },
  { name: 'batches', dependencies: ['services'] },
);
