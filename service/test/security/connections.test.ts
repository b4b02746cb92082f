import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createPlaces } from '../../src/limits/places.ts';
import { proxyTest } from '../../src/plugins/connections.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { until } from '../batches/fixture.ts';

const apps: TestApp[] = [];
const sockets: (Socket | WebSocket)[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.on('error', () => {});
    if (socket instanceof WebSocket) socket.terminate();
    else socket.destroy();
  }
  for (const app of apps.splice(0)) await app.close();
});
const start = async (env: Record<string, string>) => {
  const app = await startTestApp(env);
  apps.push(app);
  return app;
};

/** A connection that says nothing; whether it was closed at once. */
function dial(app: TestApp): Promise<{ socket: Socket; refused: () => boolean }> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    sockets.push(socket);
    let closed = false;
    socket.on('error', () => {});
    socket.on('close', () => (closed = true));
    socket.on('connect', () => resolve({ socket, refused: () => closed }));
  });
}
/** The status of a handshake: 101 where it became a socket. */
function handshake(app: TestApp, path: string, key = TEST_KEY, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      app.url.replace('http', 'ws') + path,
      path.startsWith('/graphql') ? 'graphql-transport-ws' : [],
      {
        headers: { authorization: `Bearer ${key}`, ...headers },
      },
    );
    sockets.push(socket);
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, reply) => {
      resolve(reply.statusCode ?? 0);
      reply.resume();
    });
    socket.on('error', reject);
  });
}
const events = async (app: TestApp) => {
  const made = await app.call('/api/projects', { method: 'POST', json: { name: 'sockets' } });
  return `/api/events?projectId=${((await made.json()) as { id: string }).id}`;
};
const keyOf = async (app: TestApp) => {
  const made = await app.call('/api/keys', { method: 'POST', json: { name: 'other', scopes: ['read'] } });
  return ((await made.json()) as { token: string }).token;
};

describe('connections', () => {
  it.each([
    ['in all', { CONNECTIONS: '20' }],
    ['of an address', { CONNECTIONS_PER_ADDRESS: '20' }],
  ])('over the limit %s are closed at once, and free places are given again', async (_, env) => {
    const app = await start(env);
    // They come through several sockets: which of them are the last is open.
    const dialled = await Promise.all(Array.from({ length: 25 }, () => dial(app)));
    const over = () => dialled.filter(({ refused }) => refused());
    await until(() => over().length >= 5);
    expect(await (await app.call('/healthz').catch(() => null))?.text()).toBeUndefined();
    expect(over()).toHaveLength(5);
    for (const { socket } of dialled) socket.destroy();
    await until(async () => (await app.call('/healthz').catch(() => null))?.status === 200);
  });

  it('of a proxy that is trusted are everybody’s, and count in all alone', async () => {
    const app = await start({ CONNECTIONS_PER_ADDRESS: '3', TRUSTED_PROXIES: 'loopback' });
    const held = await Promise.all(Array.from({ length: 10 }, () => dial(app)));
    expect((await app.call('/healthz')).status).toBe(200);
    expect(held.filter(({ refused }) => refused())).toEqual([]);
  });

  it('know proxies by address, by range and by name, and nobody else', () => {
    const isProxy = proxyTest(['10.1.0.0/16', '192.0.2.7', 'loopback', '2001:db8::/32']);
    expect(
      ['10.1.200.3', '192.0.2.7', '127.0.0.1', '::1', '::ffff:10.1.0.9', '2001:db8:1::5'].filter(
        (one) => !isProxy(one),
      ),
    ).toEqual([]);
    expect(['10.2.0.1', '192.0.2.8', '2001:db9::1', '::ffff:10.2.0.9'].filter(isProxy)).toEqual([]);
    expect(proxyTest([])('127.0.0.1')).toBe(false);
  });
});

describe('sockets', () => {
  it('of a key, and of an address, are bounded over both kinds, and a place is free again when one closes', async () => {
    const app = await start({ SOCKETS_EACH: '3' });
    const path = await events(app);
    expect([await handshake(app, path), await handshake(app, '/graphql'), await handshake(app, path)]).toEqual([
      101, 101, 101,
    ]);
    expect([await handshake(app, path), await handshake(app, '/graphql')]).toEqual([429, 429]);
    const other = await keyOf(app);
    expect(await handshake(app, path, other)).toBe(429); // the same address
    (sockets.find((socket) => socket instanceof WebSocket) as WebSocket).close();
    await until(async () => (await handshake(app, path)) === 101);
    expect(await handshake(app, path)).toBe(429);
  });

  it('of other keys and addresses have places of their own', async () => {
    const app = await start({ SOCKETS_EACH: '2', TRUSTED_PROXIES: 'loopback' });
    const path = await events(app);
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const seen = [
      await handshake(app, path, TEST_KEY, from('192.0.2.1')),
      await handshake(app, path, TEST_KEY, from('192.0.2.2')),
      await handshake(app, path, TEST_KEY, from('192.0.2.3')),
      await handshake(app, path, await keyOf(app), from('192.0.2.3')),
    ];
    expect(seen).toEqual([101, 101, 429, 101]);
  });

  it('are bounded in all', async () => {
    const app = await start({ SOCKETS: '2' });
    const path = await events(app);
    expect([await handshake(app, path), await handshake(app, '/graphql'), await handshake(app, path)]).toEqual([
      101, 101, 503,
    ]);
  });

  it('that are refused for another reason take no place', async () => {
    const app = await start({ SOCKETS_EACH: '2' });
    const path = await events(app);
    const unknown = '/api/events?projectId=01980000-0000-7000-8000-0000000000ff';
    for (let at = 0; at < 4; at++) expect(await handshake(app, unknown)).toBe(404);
    const foreign = { origin: 'https://evil.example' };
    for (const where of [path, '/graphql']) expect(await handshake(app, where, TEST_KEY, foreign)).toBe(403);
    expect([await handshake(app, path), await handshake(app, path)]).toEqual([101, 101]);
  });
});

describe('createPlaces', () => {
  it('takes under every name or none, and gives back once', () => {
    const places = createPlaces({ total: 3, each: 2 });
    const back = places.take(['a', 'b']);
    places.take(['a', 'c']);
    expect(places.take(['d', 'a'])).toEqual({ full: 'a' });
    expect([places.of('d'), places.of('a'), places.total()]).toEqual([0, 2, 2]);
    for (let at = 0; at < 2; at++) (back as () => void)();
    expect([places.of('a'), places.of('b'), places.total()]).toEqual([1, 0, 1]);
  });
});
