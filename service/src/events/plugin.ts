import websocket from '@fastify/websocket';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import '../plugins/decorators.ts';
import { createHub, type Hub } from './hub.ts';

declare module 'fastify' {
  interface FastifyInstance {
    events: Hub;
  }
}

/** A client has next to nothing to say; `ws` closes with 1009 above this. */
const MAX_CLIENT_FRAME_BYTES = 64 * 1024;

export default fp(
  async (app: FastifyInstance) => {
    const hub = createHub({
      databaseUrl: app.config.databaseUrl,
      log: (message) => app.log.warn(message),
    });
    app.decorate('events', hub);
    const { metrics } = app;
    metrics.gauge('segbench_event_readers', 'Sockets that follow the events of a project.', () => hub.counts.clients);
    metrics.gauge(
      'segbench_event_readers_behind',
      'Of these, those that did not keep up and are fed from the log.',
      () => hub.counts.behind,
    );
    metrics.counter(
      'segbench_event_readers_ended_total',
      'Readers that were ended because they took nothing for too long.',
      () => hub.counts.ended,
    );
    // A refused upgrade is no connection of the HTTP server any more: nobody else would ever close its socket. (The plugin does so
    // only for requests that came past its own onRequest hook; a refused key ends before it.)
    app.addHook('onResponse', async ({ raw }) => {
      if ('upgrade' in raw && raw.upgrade === true) raw.socket.destroySoon();
    });
    await app.register(websocket, {
      errorHandler(error, socket, request) {
        request.log.info(error, 'a socket failed');
        // after a frame that breaks the rules ws has said why (1009) and is closing already
        if (socket.readyState === socket.OPEN) socket.terminate();
      },
      // deflating batched frames costs six times the CPU of sending them
      options: { maxPayload: MAX_CLIENT_FRAME_BYTES, perMessageDeflate: false },
      async preClose() {
        await hub.close();
        app.websocketServer.close();
      },
    });
  },
  { name: 'events', dependencies: ['services', 'tenants'] },
);
