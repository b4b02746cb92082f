import { Agent, createServer, request as httpRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

interface Upstream {
  url: URL;
  agent: Agent;
  ready: boolean;
  /** Looks in a row that got no answer. */
  silent: number;
  /** Requests that it was given. */
  served: number;
}

const LOOK_MS = 2000;
/** One that says no is believed at once; one that says nothing, when it has said nothing so often. */
const SILENT_LOOKS = 3;

/**
 * A small balancer: each request and each socket goes to the next process whose `/readyz` said 200 at the last look. It tries
 * nothing again; a process that refuses what it is given is a 502 for the client.
 */
export async function startBalancer({ checkMs }: { checkMs: number }) {
  const upstreams = new Map<string, Upstream>();
  const sockets = new Set<Socket>();
  const failures: Record<string, number> = {};
  const fail = (why: string) => void (failures[why] = (failures[why] ?? 0) + 1);
  let turn = 0;

  const choose = (): Upstream | undefined => {
    const ready = [...upstreams.values()].filter((one) => one.ready);
    const chosen = ready[turn++ % Math.max(1, ready.length)];
    if (chosen) chosen.served++;
    return chosen;
  };
  async function look(one: Upstream): Promise<void> {
    const status = await fetch(new URL('/readyz', one.url), { signal: AbortSignal.timeout(LOOK_MS) }).then(
      async (reply) => {
        await reply.arrayBuffer();
        return reply.status;
      },
      () => null,
    );
    one.silent = status === null ? one.silent + 1 : 0;
    if (status !== null) one.ready = status === 200;
    else if (one.silent >= SILENT_LOOKS) one.ready = false;
  }
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void Promise.all([...upstreams.values()].map(look)).finally(() => (looking = false));
  }, checkMs);

  const server = createServer((request, reply) => {
    const to = choose();
    if (!to) {
      fail('no process is ready');
      return void reply.writeHead(502).end();
    }
    const { hostname, port } = to.url;
    const call = httpRequest(
      { hostname, port, agent: to.agent, method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        const { connection: _hop, 'keep-alive': _too, ...headers } = answer.headers;
        reply.writeHead(answer.statusCode ?? 502, headers);
        answer.pipe(reply);
        answer.on('error', () => reply.destroy());
      },
    );
    call.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.code ?? error.message);
      if (reply.headersSent) reply.destroy();
      else reply.writeHead(502).end(String(error));
    });
    request.pipe(call);
  });
  server.on('upgrade', (request, client: Socket) => {
    const to = choose();
    if (!to) return void client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n');
    const upstream = connect(Number(to.url.port), to.url.hostname, () => {
      const lines = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.pipe(client).pipe(upstream);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroySoon();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when the process was seen to be ready. */
    async add(url: string): Promise<void> {
      const one = { url: new URL(url), agent: new Agent({ keepAlive: true }), ready: false, silent: 0, served: 0 };
      upstreams.set(url, one);
      while (!one.ready && upstreams.has(url)) await look(one).then(() => new Promise((go) => setTimeout(go, 20)));
    },
    /** Resolves when it has seen by itself that the process is not ready any more, and has forgotten it. */
    async remove(url: string): Promise<void> {
      const one = upstreams.get(url);
      while (one?.ready) await new Promise((go) => setTimeout(go, 20));
      one?.agent.destroy();
      upstreams.delete(url);
    },
    /** Why it answered 502, or cut an answer off. */
    failures: (): Readonly<Record<string, number>> => failures,
    served: (): Record<string, number> => Object.fromEntries([...upstreams].map(([url, { served }]) => [url, served])),
    async close(): Promise<void> {
      clearInterval(timer);
      for (const { agent } of upstreams.values()) agent.destroy();
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
