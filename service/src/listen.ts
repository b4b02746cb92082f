import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';

/** Connections of which the system says that they stand, and that wait to be accepted; the kernel's own bound may be lower. */
const BACKLOG = 4096;
/** Listening sockets of one address. */
const SOCKETS = 8;

export interface Listening {
  url: string;
  /** Resolves when everything that came in by the further sockets has ended as well; `app.close()` waits for its own only. */
  ended: () => Promise<void>;
}

/**
 * Listens with several sockets on one address. libuv accepts one connection of a socket in each turn of the event loop
 * (https://github.com/libuv/libuv/pull/3696), so that one socket of a busy process lets in a hundred a second, and whoever comes with
 * a crowd waits for seconds before the process even knows of him. Linux spreads connections over sockets with SO_REUSEPORT; elsewhere
 * there is one.
 *
 * @throws EADDRINUSE as without: SO_REUSEPORT alone would share the port with another process of the same user
 */
export async function listen(
  app: FastifyInstance,
  { host, port, sockets = SOCKETS }: { host: string; port: number; sockets?: number },
): Promise<Listening> {
  const isShared = process.platform === 'linux' && sockets > 1;
  const further: Server[] = [];
  const ends: Promise<unknown>[] = [];
  app.addHook('preClose', async () => {
    for (const server of further) {
      ends.push(once(server, 'close'));
      server.close();
    }
  });
  if (isShared && port !== 0) await probe(host, port);
  const url = await app.listen({ host, port, backlog: BACKLOG, ...(isShared ? { reusePort: true } : {}) });
  const at = app.server.address() as AddressInfo;
  for (let count = 1; isShared && count < sockets; count++) {
    const server = createServer({ noDelay: true }, (socket: Socket) => void app.server.emit('connection', socket));
    further.push(server);
    server.listen({ host: at.address, port: at.port, backlog: BACKLOG, reusePort: true });
    await once(server, 'listening');
  }
  return { url, ended: () => Promise.all(ends).then(() => undefined) };
}

/** A socket without SO_REUSEPORT finds out whether anybody has the port. */
async function probe(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
