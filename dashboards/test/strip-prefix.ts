import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** What a proxy tells of who asked for what; `host` stays the browser's. */
const headLines = ({ method, url, rawHeaders }: IncomingMessage, path: string): string => {
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
  return [`${method} ${url === undefined ? '/' : path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
};

/**
 * A site of which the service is one folder: what is below `prefix` goes on without it, as with nginx's
 * `location /segbench/ { proxy_pass http://service/; }`, sockets too; everything else is another application's, and a 404 here.
 */
export async function startSite(target: string, prefix: string) {
  const to = new URL(target);
  const strays: string[] = [];
  const sockets = new Set<Socket>();
  const inside = (url = '/'): string | null => {
    if (url.startsWith(`${prefix}/`)) return url.slice(prefix.length);
    strays.push(url);
    return null;
  };
  const server = createServer((incoming, outgoing) => {
    const path = inside(incoming.url);
    if (path === null) return void outgoing.writeHead(404).end();
    const { method, headers } = incoming;
    const call = httpRequest({ host: to.hostname, port: to.port, path, method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    call.on('error', () => outgoing.destroy());
    incoming.pipe(call);
  });
  server.on('upgrade', (incoming, socket: Socket, head) => {
    const path = inside(incoming.url);
    if (path === null) return void socket.destroy();
    const upstream = connect(Number(to.port), to.hostname, () => {
      upstream.write(headLines(incoming, path));
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) {
      sockets.add(end);
      end.on('error', () => [upstream, socket].forEach((each) => each.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    /** Of the folder, without a slash at its end. */
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    /** What was asked of the site outside of the folder: nothing should be. */
    strays,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
