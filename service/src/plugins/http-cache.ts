import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { NO_STORE } from '../cdn/cache-control.ts';

/** What a route says nothing of is kept by nobody, and neither is what went wrong. */
export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply, payload) => {
      if (reply.statusCode >= 400 || !reply.hasHeader('cache-control')) void reply.header('cache-control', NO_STORE);
      return payload;
    });
  },
  { name: 'http-cache' },
);
