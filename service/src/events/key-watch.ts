import type { WebSocket } from '@fastify/websocket';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CLOSE_POLICY } from '../contract/events.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Closes the socket with 1008 when the key or session that opened it ends. */
    watchKey(socket: WebSocket, request: FastifyRequest): void;
  }
}

interface Group {
  request: FastifyRequest;
  sockets: Set<WebSocket>;
}

/** Revocations are told at once; that a key has expired, only asking finds out. */
const ASK_MS = 30_000;

/** One question for all sockets of a credential, however many there are. */
export default fp(
  async (app: FastifyInstance) => {
    const groups = new Map<string, Group>();
    let asking = false;
    let again = false;

    async function check({ request, sockets }: Group): Promise<void> {
      try {
        if ((await app.identify(request)) !== null) return;
        for (const socket of sockets) socket.close(CLOSE_POLICY, 'the key ended');
      } catch (error) {
        // Who cannot be asked about keeps what it has: the next question comes soon.
        request.log.warn({ err: error }, 'the key of an open socket could not be checked');
      }
    }
    async function ask(): Promise<void> {
      again = true;
      if (asking) return;
      asking = true;
      while (again) {
        again = false;
        for (const group of groups.values()) await check(group);
      }
      asking = false;
    }
    const stop = app.keys.onDoubt(() => void ask());
    const timer = setInterval(() => void ask(), ASK_MS).unref();
    app.addHook('onClose', async () => {
      stop();
      clearInterval(timer);
    });
    app.decorate('watchKey', (socket: WebSocket, request: FastifyRequest) => {
      const { authorization = '', cookie = '' } = request.headers;
      const name = JSON.stringify([authorization, authorization === '' ? cookie : '']);
      const group = groups.get(name) ?? { request, sockets: new Set() };
      groups.set(name, group);
      group.sockets.add(socket);
      socket.once('close', () => {
        group.sockets.delete(socket);
        if (group.sockets.size === 0 && groups.get(name) === group) groups.delete(name);
      });
      // It may have ended between the question that let it in and this line.
      void check(group);
    });
  },
  { name: 'key-watch', dependencies: ['auth'] },
);
