import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pipeline, Transform } from 'node:stream';

export interface ProxyTarget {
  host: string;
  port: number;
}

/**
 * A TCP proxy on 127.0.0.1 that can be told to misbehave. What it holds back is late, never lost or reordered: as on a line
 * whose packets are sent again. What is said of connections holds for those that there are and for new ones.
 */
export async function startProxy(target: ProxyTarget) {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  let delayMs = 0;
  let bytesPerSecond = Infinity;
  let refusing = false;
  let hole: PromiseWithResolvers<void> | undefined;
  let accepted = 0;

  /** Lets a chunk pass when it may. */
  const holding = () =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (!hole && delayMs === 0 && bytesPerSecond === Infinity) return done(null, chunk);
        const pass = async () => {
          await hole?.promise;
          const waitMs = delayMs + (chunk.length / bytesPerSecond) * 1000;
          if (waitMs > 0) await sleep(waitMs);
          done(null, chunk);
        };
        void pass();
      },
    });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    if (refusing) return client.resetAndDestroy();
    accepted++;
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => client.resetAndDestroy());
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    let open = 2;
    const ended = (error: Error | null | undefined) => (error || --open === 0 ? end() : undefined);
    pipeline(client, holding(), upstream, ended);
    pipeline(upstream, holding(), client, ended);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');

  const cut = (): number => {
    const count = pairs.size;
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    return count;
  };
  return {
    port: address.port,
    /** Resets every connection; new ones are taken. @returns how many there were */
    cut,
    /** Each chunk is held this long before it goes on; 0: not at all. */
    delay: (ms: number): void => void (delayMs = ms),
    /** Bytes a second that each connection passes in each direction; Infinity: all. */
    throttle: (rate: number): void => void (bytesPerSecond = rate),
    /** On: connections stay and are taken, and nothing passes. Off: what was held goes on. */
    blackHole(on: boolean): void {
      if (on) hole ??= Promise.withResolvers();
      else {
        hole?.resolve();
        hole = undefined;
      }
    },
    /** On: nobody gets a connection. */
    refuse: (on: boolean): void => void (refusing = on),
    /** Everything as if nothing had been said. */
    heal(): void {
      this.blackHole(false);
      delayMs = 0;
      bytesPerSecond = Infinity;
      refusing = false;
    },
    connections: (): number => pairs.size,
    accepted: (): number => accepted,
    async close(): Promise<void> {
      this.heal();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** The same URL by way of a proxy on this machine. */
export function through(url: string, { port }: Pick<Proxy, 'port'>): string {
  const other = new URL(url);
  other.hostname = '127.0.0.1';
  other.port = String(port);
  return other.href.replace(/\/$/, url.endsWith('/') ? '/' : '');
}

/** Where a URL of a server leads to. */
export function targetOf(url: string): ProxyTarget {
  const { hostname, port, protocol } = new URL(url);
  const usual: Record<string, number> = { 'postgres:': 5432, 'postgresql:': 5432, 'redis:': 6379, 'http:': 80 };
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (usual[protocol] ?? 80) };
}
