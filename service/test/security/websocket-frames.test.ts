import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';

let service: TestApp;
let projectId: string;
const open: Socket[] = [];
beforeAll(async () => {
  service = await startTestApp();
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'frames' } });
  ({ id: projectId } = (await made.json()) as { id: string });
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => service.close());

interface Shape {
  fin?: boolean;
  rsv?: number;
  opcode: number;
  payload?: Buffer;
  masked?: boolean;
  /** What the frame says of its length, where it lies. */
  says?: Buffer;
}
/** One frame as RFC 6455 section 5.2 draws it, also where it may not be so. */
function frame({ fin = true, rsv = 0, opcode, payload = Buffer.alloc(0), masked = true, says }: Shape): Buffer {
  const length =
    says ??
    (payload.length < 126
      ? Buffer.from([payload.length])
      : payload.length < 65_536
        ? Buffer.from([126, payload.length >> 8, payload.length & 255])
        : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), u32(payload.length)]));
  const head = Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]), length]);
  if (!masked) return Buffer.concat([head, payload]);
  head[1]! |= 0x80;
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ mask[at % 4]!)]);
}
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const text = (value: string) => Buffer.from(value);
const closeWith = (code: number, reason = '') =>
  frame({ opcode: 8, payload: Buffer.concat([Buffer.from([code >> 8, code & 255]), text(reason)]) });

interface Received {
  opcode: number;
  payload: Buffer;
}
/** The frames of a server, none of which may be masked (RFC 6455 section 5.1). */
function framesOf(bytes: Buffer): Received[] {
  const all: Received[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    if (bytes[at + 1]! & 0x80) throw new Error('a frame of the server is masked');
    const short = bytes[at + 1]! & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    const size = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? bytes.readUInt32BE(at + 6) : short;
    if (at + head + size > bytes.length) break;
    all.push({ opcode: bytes[at]! & 15, payload: bytes.subarray(at + head, at + head + size) });
    at += head + size;
  }
  return all;
}
const KINDS: [string, () => string, string][] = [
  ['events', () => `/api/events?projectId=${projectId}`, ''],
  ['GraphQL', () => '/graphql', 'sec-websocket-protocol: graphql-transport-ws\r\n'],
];

async function dial(path: string, more = '') {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  open.push(socket);
  let bytes = Buffer.alloc(0);
  let head = '';
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => (closed = true));
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TEST_KEY}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n${more}\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error(`closed: ${bytes.toString('latin1').slice(0, 200)}`)));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\r\n\r\n');
      if (head !== '' || end < 0) return;
      head = bytes.toString('latin1', 0, end);
      bytes = bytes.subarray(end + 4);
      resolve();
    });
  });
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const waitFor = async (done: () => boolean) => {
    const end = Date.now() + 10_000;
    while (!done()) {
      if (Date.now() > end) throw new Error(`not within 10 s: ${JSON.stringify(framesOf(bytes))}`);
      await sleep(10);
    }
  };
  return {
    socket,
    head,
    accept,
    frames: () => framesOf(bytes),
    waitFor,
    /** The code that the server closed with, once its side is over. */
    async ended(): Promise<number | null> {
      await waitFor(() => closed);
      const close = framesOf(bytes).findLast(({ opcode }) => opcode === 8);
      return close === undefined ? null : close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
    },
    /** The payload of the first pong. */
    async pong(): Promise<Buffer> {
      const first = () => framesOf(bytes).find(({ opcode }) => opcode === 10);
      await waitFor(() => first() !== undefined);
      return first()!.payload;
    },
  };
}

describe.each(KINDS)('a socket of %s', (_, path, more) => {
  it('opens with the accept value of RFC 6455 section 4.2.2 and no extension', async () => {
    const peer = await dial(path(), `${more}sec-websocket-extensions: permessage-deflate\r\n`);
    expect(peer.head).toMatch(/^HTTP\/1\.1 101 /);
    expect(peer.head.toLowerCase()).toContain(`sec-websocket-accept: ${peer.accept.toLowerCase()}`);
    expect(peer.head.toLowerCase()).not.toContain('extensions');
  });

  it.each([0, 1, 125])('answers a ping of %i bytes with a pong of the same (5.5.2)', async (size) => {
    const peer = await dial(path(), more);
    const payload = Buffer.alloc(size, 7);
    peer.socket.write(frame({ opcode: 9, payload }));
    expect(await peer.pong()).toEqual(payload);
  });

  it('takes a frame byte by byte, and a pong that nobody asked for (5.5.3)', async () => {
    const peer = await dial(path(), more);
    peer.socket.write(frame({ opcode: 10, payload: text('unasked') }));
    for (const byte of frame({ opcode: 9, payload: text('slow') })) {
      peer.socket.write(Buffer.from([byte]));
      await sleep(2);
    }
    expect(await peer.pong()).toEqual(text('slow'));
  });

  it.each<[string, () => Buffer, number]>([
    ['that is not masked (5.1)', () => frame({ opcode: 1, payload: text('x'), masked: false }), 1002],
    ['with RSV1 and no extension (5.2)', () => frame({ opcode: 1, payload: text('x'), rsv: 4 }), 1002],
    ['with RSV2', () => frame({ opcode: 1, payload: text('x'), rsv: 2 }), 1002],
    ['with RSV3 on a ping', () => frame({ opcode: 9, rsv: 1 }), 1002],
    ['of opcode 3', () => frame({ opcode: 3 }), 1002],
    ['of opcode 7', () => frame({ opcode: 7, payload: text('x') }), 1002],
    ['of opcode 11', () => frame({ opcode: 11 }), 1002],
    ['of opcode 15', () => frame({ opcode: 15 }), 1002],
    ['that goes on with nothing (5.4)', () => frame({ opcode: 0, payload: text('x') }), 1002],
    [
      'that begins within another (5.4)',
      () => Buffer.concat([frame({ opcode: 1, fin: false }), frame({ opcode: 1 })]),
      1002,
    ],
    ['that is a ping in pieces (5.5)', () => frame({ opcode: 9, fin: false, payload: text('x') }), 1002],
    ['that is a ping of 126 bytes (5.5)', () => frame({ opcode: 9, payload: Buffer.alloc(126) }), 1002],
    ['that closes in pieces', () => frame({ opcode: 8, fin: false }), 1002],
    ['that closes with one byte (5.5.1)', () => frame({ opcode: 8, payload: Buffer.from([3]) }), 1002],
    ['that closes with 999', () => closeWith(999), 1002],
    ['that closes with 1004', () => closeWith(1004), 1002],
    ['that closes with 1005 (7.4.1)', () => closeWith(1005), 1002],
    ['that closes with 1006', () => closeWith(1006), 1002],
    ['that closes with 5000', () => closeWith(5000), 1002],
    [
      'that closes with text that is no UTF-8',
      () => frame({ opcode: 8, payload: Buffer.from([3, 232, 0xff, 0xfe]) }),
      1007,
    ],
    ['of text that is no UTF-8 (8.1)', () => frame({ opcode: 1, payload: Buffer.from([0xc3, 0x28]) }), 1007],
    ['of a lone surrogate', () => frame({ opcode: 1, payload: Buffer.from([0xed, 0xa0, 0x80]) }), 1007],
    ['of 64 KiB and one byte', () => frame({ opcode: 1, payload: Buffer.alloc(65_537, 65) }), 1009],
    ['that says 2^62 bytes', () => frame({ opcode: 2, says: Buffer.from([127, 0x40, 0, 0, 0, 0, 0, 0, 0]) }), 1009],
    ['that says 2^63 bytes', () => frame({ opcode: 2, says: Buffer.from([127, 0x80, 0, 0, 0, 0, 0, 0, 0]) }), 1009],
    [
      'of 64 KiB and more, in pieces',
      () =>
        Buffer.concat([
          frame({ opcode: 1, fin: false, payload: Buffer.alloc(40_000, 65) }),
          frame({ opcode: 0, payload: Buffer.alloc(40_000, 65) }),
        ]),
      1009,
    ],
  ])('ends at a frame %s', async (_what, bytes, code) => {
    const peer = await dial(path(), more);
    peer.socket.write(bytes());
    expect(await peer.ended()).toBe(code);
  });

  it.each([1000, 1001, 1003, 1007, 1011, 3000, 4999])('closes with %i when the client does (7.1.5)', async (code) => {
    const peer = await dial(path(), more);
    peer.socket.write(closeWith(code, 'good bye'));
    expect(await peer.ended()).toBe(code);
  });

  it('sends nothing after it closed, whatever comes (5.5.1)', async () => {
    const peer = await dial(path(), more);
    peer.socket.write(Buffer.concat([closeWith(1000), frame({ opcode: 9, payload: text('late') })]));
    expect(await peer.ended()).toBe(1000);
    expect(peer.frames().some(({ opcode }) => opcode === 10)).toBe(false);
  });

  it('of a client that pings and never reads ends, and holds no answers for it', async () => {
    const peer = await dial(path(), more);
    const sockets = [...service.app.websocketServer.clients];
    peer.socket.pause();
    let ended = false;
    peer.socket.on('close', () => (ended = true));
    const flood = Buffer.concat(
      Array.from({ length: 2000 }, () => frame({ opcode: 9, payload: Buffer.alloc(125, 1) })),
    );
    let held = 0;
    const end = Date.now() + 30_000;
    while (sockets.some(({ readyState }) => readyState === 1) && Date.now() < end) {
      if (!ended && peer.socket.writable && peer.socket.writableLength < 1e6) peer.socket.write(flood);
      held = Math.max(held, ...sockets.map(({ bufferedAmount }) => bufferedAmount));
      await sleep(1);
    }
    expect(sockets.filter(({ readyState }) => readyState === 1)).toEqual([]);
    expect(held).toBeLessThan(16e6);
    expect((await service.call('/healthz')).status).toBe(200);
  }, 60_000);
});

it.each([
  ['version 7', 'sec-websocket-version: 7\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n', 426],
  ['no key', 'sec-websocket-version: 13\r\n', 400],
  ['a key of 15 bytes', 'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAA\r\n', 400],
])('a handshake of %s is refused', async (_, lines, status) => {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  open.push(socket);
  let seen = '';
  socket.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
  socket.write(
    `GET /api/events?projectId=${projectId} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TEST_KEY}\r\nconnection: upgrade\r\nupgrade: websocket\r\n${lines}\r\n`,
  );
  while (!seen.includes('\r\n\r\n')) await sleep(10);
  expect([400, status]).toContain(Number(/^HTTP\/1\.1 (\d{3})/.exec(seen)?.[1]));
});
