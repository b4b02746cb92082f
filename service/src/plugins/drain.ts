import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';

declare module 'fastify' {
  interface FastifyInstance {
    drain: {
      /** True from the moment that this process was asked to end. */
      isEnding(): boolean;
      /** Says at `/readyz` that it ends, and goes on answering for `DRAIN_MS`: the time in which a balancer notices. */
      begin(): Promise<void>;
    };
  }
}

export default fp(
  async (app: FastifyInstance) => {
    const { drainMs, plant } = app.config;
    let ending = false;
    let closing = false;
    app.decorate('drain', {
      isEnding: () => ending && !plant.has('ready-while-ending'),
      async begin() {
        ending = true;
        if (drainMs > 0) await sleep(drainMs);
      },
    });
    app.addHook('preClose', async () => void (ending = closing = true));
    // A client that keeps its connection would meet its end in the middle of a request. One that is idle stays until the end: whoever
    // has it may be sending already.
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (ending) reply.header('connection', 'close');
      done(null, payload);
    });
    app.addHook('onResponse', (_request, _reply, done) => {
      // the server would wait for them to go
      if (closing) setImmediate(() => app.server.closeIdleConnections());
      done();
    });
  },
  { name: 'drain', dependencies: ['services'] },
);
