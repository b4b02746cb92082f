import { request as httpRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

/** One address in front of several servers: each new connection goes to the next one. Counts them by server. */
export async function roundRobin(urls: readonly string[]) {
  const sockets = new Set<Socket>();
  const connections = urls.map(() => 0);
  let next = 0;
  const server = createServer((near) => {
    const at = next++ % urls.length;
    connections[at]!++;
    const { hostname, port } = new URL(urls[at]!);
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url,
    connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A request on a connection of its own, so that the next one meets the next server. */
export function requestOnce(url: string, options: { method?: string; key: string; json?: object }) {
  const body = options.json === undefined ? undefined : JSON.stringify(options.json);
  const headers = {
    authorization: `Bearer ${options.key}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const request = httpRequest(url, { method: options.method ?? 'GET', agent: false, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('error', reject);
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
