import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Scope } from '#contract/common.ts';
import { until } from '../batches/fixture.ts';
import { newKey } from '../graphql/support.ts';
import type { Reader } from '../events/socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { createReaders, emit, expectStream, newProject, range } from './kit.ts';

let server: TestApp;
let unbatched: TestApp;
let projectId: string;
let steady: Reader;
const readers = createReaders();
const steadies = createReaders();
const bearer = { authorization: `Bearer ${TEST_KEY}` };

beforeAll(async () => {
  server = await startTestApp();
  unbatched = await startTestApp({ ALLOW_UNBATCHED_EVENTS: '1' }, { beside: server });
  projectId = await newProject(server);
  steady = await steadies.open(server, `projectId=${projectId}`);
});
afterEach(() => readers.close());
afterAll(async () => {
  await steadies.close();
  await unbatched.close();
  await server.close();
});
/** The reader beside all this is served as ever. */
async function expectUnharmed() {
  const at = steady.lastSeq();
  await emit(server, projectId, 2);
  await until(() => steady.lastSeq() === at + 2);
  expectStream(steady.frames, projectId);
}

describe('an upgrade', () => {
  const own = () => new URL(server.url).host;
  it.each([
    ['another host', () => 'http://evil.example'],
    ['another port', () => 'http://127.0.0.1:1'],
    ['no host', () => 'null'],
    ['a host that only begins alike', () => `http://${own()}.evil.example`],
    ['a host that only ends alike', () => `http://evil.example/@${own()}`],
    ['another scheme', () => `file://${own()}`],
    ['nothing', () => ''],
  ])('is refused with 403 when its Origin names %s, a good key or not', async (_, origin) => {
    const query = `projectId=${projectId}`;
    await expect(readers.open(server, query, { ...bearer, origin: origin() })).rejects.toThrow('HTTP 403');
    const reply = await server.call('/api/session', { method: 'POST', json: { key: TEST_KEY }, key: null });
    const cookie = reply.headers.get('set-cookie')!.split(';')[0]!;
    await expect(readers.open(server, query, { cookie, origin: origin() })).rejects.toThrow('HTTP 403');
    await expect(readers.open(server, query, { cookie, origin: server.url })).resolves.toBeDefined();
  });

  it('is taken from its own Origin, and without one with a bearer key', async () => {
    for (const headers of [bearer, { ...bearer, origin: server.url }, { ...bearer, origin: `https://${own()}` }])
      expect((await readers.open(server, `projectId=${projectId}`, headers)).hello()).toBeDefined();
  });

  it('is refused with 401 without a key or with a wrong one, and with 403 where the key cannot read', async () => {
    const query = `projectId=${projectId}`;
    for (const headers of [
      {},
      { authorization: 'Bearer nobody' },
      { authorization: TEST_KEY },
      { cookie: 'segbench_session=x' },
    ])
      await expect(readers.open(server, query, headers as Record<string, string>)).rejects.toThrow('HTTP 401');
    // A key in the address would end in the logs of every proxy.
    await expect(readers.open(server, `${query}&key=${TEST_KEY}`, {})).rejects.toThrow('HTTP 401');
    for (const scope of ['write', 'admin', 'metrics'] satisfies Scope[]) {
      const { token } = await newKey(server, [scope]);
      await expect(readers.open(server, query, { authorization: `Bearer ${token}` })).rejects.toThrow('HTTP 403');
    }
    const { token } = await newKey(server, ['read']);
    expect((await readers.open(server, query, { authorization: `Bearer ${token}` })).hello()).toBeDefined();
  });

  it('is what a plain request is told to ask for, with 426', async () => {
    const reply = await server.call(`/api/events?projectId=${projectId}`);
    expect(reply.status).toBe(426);
    expect(reply.headers.get('upgrade')).toBe('websocket');
    expect(await reply.json()).toEqual({
      statusCode: 426,
      code: 'UPGRADE_REQUIRED',
      error: 'Upgrade Required',
      message: expect.stringContaining('WebSocket'),
    });
    expect((await server.call(`/api/events?projectId=${projectId}`, { key: null })).status).toBe(401);
  });

  it('takes one event a frame only where the server allows it, and then loses nothing', async () => {
    const query = `projectId=${projectId}&window=0`;
    await expect(readers.open(server, query)).rejects.toThrow('HTTP 400');
    for (const bad of ['1', '100', '-1', '', 'x'])
      await expect(readers.open(unbatched, `projectId=${projectId}&window=${bad}`)).rejects.toThrow('HTTP 400');
    const single = await readers.open(unbatched, query);
    const batched = await readers.open(unbatched, `projectId=${projectId}`);
    const { epoch, seq } = single.hello()!;
    await emit(server, projectId, 640);
    await until(() => single.events().length === 640 && batched.events().length === 640);
    expectStream(single.frames, projectId);
    expect(single.eventFrames().every(({ events }) => events.length === 1)).toBe(true);
    expect(single.events()).toEqual(batched.events());
    expect(batched.eventFrames().map(({ events }) => events.length)).toEqual([500, 140]);
    const back = await readers.open(unbatched, `${query}&epoch=${epoch}&since=${seq + 490}`);
    await until(() => back.events().length === 150);
    expect(back.eventFrames().map(({ from, to }) => [from, to])).toEqual(
      range(seq + 491, seq + 640).map((one) => [one, one]),
    );
  });
});

/** A socket below `ws`, which sends whatever bytes it is told to. */
async function rawSocket(): Promise<{ socket: Socket; closed: Promise<number>; head: string }> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const lines = [
    `GET /api/events?projectId=${projectId} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${TEST_KEY}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const opened = Promise.withResolvers<string>();
  let bytes = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0) opened.resolve(bytes.subarray(0, end).toString());
  });
  // A close frame of the server: 0x88, its length, then the code.
  const closed = new Promise<number>((resolve) =>
    socket.on('close', () => {
      const at = bytes.lastIndexOf(0x88);
      resolve(at < 0 ? 1006 : bytes.readUInt16BE(at + 2));
    }),
  );
  return { socket, closed, head: await opened.promise };
}
/** A masked client frame (RFC 6455 section 5.2), its mask zero; `first` has FIN, RSV and opcode. */
function frame(first: number, payload: Uint8Array, mask = 0x80): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = first;
  head[1] = mask | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(mask === 0 ? 0 : 4), payload]);
}
const KIB = 1024;

describe('what a client sends', () => {
  it('is borne up to 64 KiB, whatever it says, and changes nothing', async () => {
    const reader = await readers.open(server, `projectId=${projectId}`);
    for (const text of ['', 'x', '{"type":"events"}', '{', 'x'.repeat(64 * KIB)]) reader.socket.send(text);
    for (let round = 0; round < 2_000; round++) reader.socket.send(randomBytes(round % 200));
    await new Promise((resolve) => {
      reader.socket.once('pong', resolve);
      reader.socket.ping();
    });
    await emit(server, projectId, 1);
    await until(() => reader.events().length === 1);
    expectStream(reader.frames, projectId);
    expect(reader.socket.readyState).toBe(reader.socket.OPEN);
    await expectUnharmed();
  });

  it('closes the socket with 1009 when one message is longer, also in pieces that are not', async () => {
    const whole = await readers.open(server, `projectId=${projectId}`);
    whole.socket.send(Buffer.alloc(64 * KIB + 1));
    const pieces = await readers.open(server, `projectId=${projectId}`);
    for (let index = 0; index < 3; index++) pieces.socket.send('x'.repeat(30 * KIB), { fin: index === 2 });
    expect(await Promise.all([whole.closed, pieces.closed])).toEqual([1009, 1009]);
    await expectUnharmed();
  });

  it.each([
    [
      'a length that no memory holds',
      1009,
      () => Buffer.from([0x82, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    ],
    ['no mask', 1002, () => frame(0x81, Buffer.from('x'), 0)],
    ['an opcode that nobody knows', 1002, () => frame(0x83, Buffer.from('x'))],
    ['a continuation of nothing', 1002, () => frame(0x80, Buffer.from('x'))],
    ['text that is not UTF-8', 1007, () => frame(0x81, Buffer.from([0xc3, 0x28]))],
    ['a deflated frame of 8 MB in 8 KB', 1002, () => frame(0xc1, deflateRawSync(Buffer.alloc(8_000_000)))],
  ])('closes the socket when it has %s (%i)', async (_, code, bytes) => {
    const { socket, closed, head } = await rawSocket();
    expect(head).toContain('101 Switching Protocols');
    // Nothing is deflated in either direction, though the client offers it.
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions');
    socket.write(bytes());
    expect(await closed).toBe(code);
    await expectUnharmed();
  });

  it('is no harm when the line just breaks, before, in and after a frame', async () => {
    for (const sent of [Buffer.alloc(0), Buffer.from([0x81, 0xfe]), frame(0x01, Buffer.from('begun'))]) {
      const { socket, closed } = await rawSocket();
      socket.write(sent);
      socket.resetAndDestroy();
      await closed;
    }
    await until(async () => (await server.app.events.clients()) === 1);
    expect(steady.socket.readyState).toBe(steady.socket.OPEN);
    await expectUnharmed();
  });

  it('names a subprotocol at its own risk: none is chosen', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/events?projectId=${projectId}`, {
      headers: bearer,
    });
    await new Promise((resolve) => socket.once('open', resolve));
    expect([socket.protocol, socket.extensions]).toEqual(['', '']);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
  });
});
