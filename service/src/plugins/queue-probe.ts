import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';

declare module 'fastify' {
  interface FastifyInstance {
    /** For probes only: jobs go through the outbox. */
    queueRedis: Redis;
  }
}

export default fp(
  async (app: FastifyInstance) => {
    const redis = new Redis(app.config.queueRedisUrl, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: 1000,
    });
    // The state is asked for; each failed attempt is not news.
    redis.on('error', () => {});
    app.decorate('queueRedis', redis);
    app.addHook('onClose', async () => redis.disconnect());
  },
  { name: 'queue-probe', dependencies: ['services'] },
);
