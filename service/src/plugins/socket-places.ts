import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { apiError } from '../errors.ts';
import { addressGroup } from '../limits/address.ts';
import { createPlaces } from '../limits/places.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The last step before an upgrade: takes a place for the socket, which is free again when its connection closes.
     * @throws ApiError TOO_MANY_SOCKETS, SOCKETS_BUSY
     */
    admitSocket(request: FastifyRequest): Promise<void>;
  }
}

/** WebSockets stay open: a minute's rate limit says nothing of how many there are. */
export default fp(
  async (app: FastifyInstance) => {
    const { config, metrics } = app;
    const places = createPlaces({ total: config.sockets, each: config.socketsEach });
    metrics.gauge('segbench_sockets_held', 'Open WebSockets of events and of GraphQL.', () => places.total());
    metrics.gauge('segbench_sockets_limit', 'Open WebSockets that this process allows.', () => config.sockets);
    let refused = 0;
    metrics.counter(
      'segbench_sockets_refused_total',
      'WebSockets that were refused because there were too many.',
      () => refused,
    );
    app.decorate('admitSocket', async ({ apiKey, ip, raw }: FastifyRequest) => {
      const taken = places.take([`key ${apiKey.id}`, `address ${addressGroup(ip)}`]);
      if (typeof taken === 'function') {
        if (raw.socket.destroyed) taken();
        else raw.socket.once('close', taken);
        return;
      }
      refused++;
      if (taken.full === 'total')
        throw apiError('SOCKETS_BUSY', `this server has ${config.sockets} sockets open, as many as it may; try again`);
      const who = taken.full.startsWith('key') ? `key ${apiKey.name}` : 'this address';
      throw apiError('TOO_MANY_SOCKETS', `${who} has ${config.socketsEach} sockets open: no more are allowed`);
    });
  },
  { name: 'socket-places', dependencies: ['services'] },
);
