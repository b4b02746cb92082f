import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProxy, targetOf, through, type Proxy } from '../../src/faults/proxy.ts';

/** What a line is: bytes go to a server that sends them back. */
let echo: Server;
let proxy: Proxy;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  proxy = await startProxy({ host: '127.0.0.1', port: address.port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function open(): Promise<{ socket: Socket; received: () => string; closed: Promise<string> }> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  const closed = new Promise<string>((resolve) => {
    socket.once('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
  await once(socket, 'connect');
  return { socket, received: () => text, closed };
}
async function until(check: () => boolean): Promise<void> {
  for (let waitedMs = 0; !check(); waitedMs += 5) {
    if (waitedMs > 20_000) throw new Error('not within 20 s');
    await sleep(5);
  }
}

describe('startProxy', () => {
  it('passes everything in both directions, unchanged and in order', async () => {
    const line = await open();
    const sent = Array.from({ length: 20_000 }, (_, index) => `${index},`).join('');
    line.socket.write(sent);
    await until(() => line.received().length === sent.length);
    expect(line.received()).toBe(sent);
    expect(proxy.connections()).toBe(1);
  });

  it('passes the end of one direction and leaves the other open', async () => {
    const line = await open();
    line.socket.end('last words');
    await until(() => line.received() === 'last words');
    expect(await line.closed).toBe('closed');
    await until(() => proxy.connections() === 0);
  });

  it('cuts what is there with a reset, and takes new connections', async () => {
    const line = await open();
    await until(() => proxy.connections() === 1);
    expect(proxy.cut()).toBe(1);
    expect(await line.closed).toBe('ECONNRESET');
    const next = await open();
    next.socket.write('again');
    await until(() => next.received() === 'again');
    expect(proxy.accepted()).toBe(2);
  });

  it('holds everything while it is a black hole, and loses none of it', async () => {
    const before = await open();
    before.socket.write('a');
    await until(() => before.received() === 'a');
    proxy.blackHole(true);
    before.socket.write('b');
    const during = await open();
    during.socket.write('c');
    await sleep(200);
    expect([before.received(), during.received()]).toEqual(['a', '']);
    proxy.blackHole(false);
    await until(() => before.received() === 'ab' && during.received() === 'c');
  });

  it('delays each chunk, and does not when it is healed', async () => {
    const line = await open();
    proxy.delay(150);
    const startedAt = performance.now();
    line.socket.write('slow');
    await until(() => line.received() === 'slow');
    // once on the way there, once on the way back; timers fire early by less than a millisecond
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    proxy.heal();
    line.socket.write('!');
    await until(() => line.received() === 'slow!');
  });

  it('throttles to a number of bytes a second', async () => {
    const line = await open();
    proxy.throttle(20_000);
    const startedAt = performance.now();
    line.socket.write('x'.repeat(5_000));
    await until(() => line.received().length === 5_000);
    expect(performance.now() - startedAt).toBeGreaterThan(240);
  });

  it('refuses while it is told to', async () => {
    proxy.refuse(true);
    const line = await open().catch(() => undefined);
    expect((await line?.closed) ?? 'ECONNRESET').toBe('ECONNRESET');
    proxy.heal();
    const next = await open();
    next.socket.write('ok');
    await until(() => next.received() === 'ok');
  });

  it('resets a client whose server is gone', async () => {
    await new Promise((resolve) => echo.close(resolve));
    const line = await open();
    expect(await line.closed).toBe('ECONNRESET');
  });
});

describe('through', () => {
  it('keeps user, password and database of an address', () => {
    expect(through('postgres://me:pw@db.example:5432/name', { port: 7 })).toBe('postgres://me:pw@127.0.0.1:7/name');
    expect(through('redis://:pw@127.0.0.1:6379', { port: 8 })).toBe('redis://:pw@127.0.0.1:8');
    expect(through('http://127.0.0.1:80', { port: 9 })).toBe('http://127.0.0.1:9');
  });

  it('knows the usual ports', () => {
    expect(targetOf('postgres://db/name')).toEqual({ host: 'db', port: 5432 });
    expect(targetOf('redis://:pw@cache:1234')).toEqual({ host: 'cache', port: 1234 });
  });
});
