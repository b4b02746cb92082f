import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import Fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../src/listen.ts';

const CROWD = new URL('fixtures/crowd.mjs', import.meta.url);
const CONNECTIONS = 120;
const ending: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Turns of the event loop until all of a crowd are in. */
async function turnsFor(server: Server, port: number): Promise<number> {
  let accepted = 0;
  server.on('connection', () => accepted++);
  const connected = new SharedArrayBuffer(4);
  const crowd = new Worker(CROWD, { workerData: { port, count: CONNECTIONS, connected } });
  ending.unshift(() => crowd.terminate());
  await once(crowd, 'online');
  // Nothing is accepted meanwhile: this thread stands still.
  const seen = new Int32Array(connected);
  for (let count = 0; count < CONNECTIONS; count = Atomics.load(seen, 0)) Atomics.wait(seen, 0, count, 10);
  let turns = 0;
  while (accepted < CONNECTIONS && turns < 10_000) {
    await turn();
    turns++;
  }
  expect(accepted).toBe(CONNECTIONS);
  return turns;
}

/** By a connection of its own, which ends with the answer. */
async function answerOf(url: string): Promise<string> {
  const [reply] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return text(reply);
}

describe('connections of a busy process', () => {
  it('come in one a turn through one socket: once libuv takes more, the further sockets can go', async () => {
    const server = createServer((socket) => socket.resume().on('error', () => {}));
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    ending.push(() => void server.close());
    expect(await turnsFor(server, (server.address() as AddressInfo).port)).toBeGreaterThanOrEqual(CONNECTIONS);
  });

  it.runIf(process.platform === 'linux')('come in several a turn', async () => {
    const app = Fastify();
    const { url } = await listen(app, { port: 0, host: '127.0.0.1' });
    ending.unshift(() => app.close());
    expect(await turnsFor(app.server, Number(new URL(url).port))).toBeLessThan(CONNECTIONS / 2);
  });
});

describe('a port', () => {
  it('is not shared with another process, and said to be in use', async () => {
    const app = Fastify();
    const { url } = await listen(app, { port: 0, host: '127.0.0.1' });
    ending.push(() => app.close());
    const other = Fastify();
    const port = Number(new URL(url).port);
    await expect(listen(other, { port, host: '127.0.0.1' })).rejects.toThrow('EADDRINUSE');
    await other.close();
  });

  it('answers through each of its sockets, ends what is in work and is free afterwards', async () => {
    const app = Fastify({ forceCloseConnections: 'idle' });
    const count = { arrived: 0, answered: 0 };
    app.get('/', async ({ socket }) => {
      count.arrived++;
      // Those of the further sockets last.
      const isFirst = Reflect.get(socket, '_server') === app.server;
      await new Promise((resolve) => setTimeout(resolve, isFirst ? 50 : 500));
      return 'here';
    });
    app.addHook('onResponse', async () => void count.answered++);
    const { url, ended } = await listen(app, { port: 0, host: '127.0.0.1' });
    const answers = Array.from({ length: 40 }, () => answerOf(url));
    await expect.poll(() => count.arrived).toBe(40);
    await app.close().then(ended);
    expect(count.answered).toBe(40);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['here']));
    const again = Fastify();
    ending.push(() => again.close());
    await listen(again, { port: Number(new URL(url).port), host: '127.0.0.1' });
    expect(again.server.listening).toBe(true);
  });
});
