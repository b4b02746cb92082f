import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import { TEST_KEY } from '../support/app.ts';
import { problemsOfRefusal } from './judge.ts';
import { parseAnswer, sendBytes } from './wire.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let before: string;
beforeAll(async () => {
  // Shedding has tests of its own; on a busy machine it would refuse some of fifty requests at once.
  world = await createWorld({ LOAD_SHEDDING: 'off', HEADERS_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: '2000' });
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

const KEY = `authorization: Bearer ${TEST_KEY}\r\n`;
const HOST = 'host: x\r\n';
const POST = `POST /api/projects HTTP/1.1\r\n${HOST}${KEY}content-type: application/json\r\n`;
const BODY = '{"name":"smuggled"}';
/** A second request that must never be taken for one. */
const INNER = `POST /api/projects HTTP/1.1\r\n${HOST}${KEY}content-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
const CHUNKED = '0\r\n\r\n';
const statusesOf = (bytes: Buffer) =>
  [...bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

describe('requests that two readers would cut in two places', () => {
  it.each([
    ['both lengths', `${POST}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKED}${INNER}`],
    [
      'both lengths, the other first',
      `${POST}transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n${CHUNKED}${INNER}`,
    ],
    ['two Content-Lengths', `${POST}content-length: 0\r\ncontent-length: ${INNER.length}\r\n\r\n${INNER}`],
    ['a list of Content-Lengths', `${POST}content-length: 0, ${INNER.length}\r\n\r\n${INNER}`],
    ['a Content-Length below 0', `${POST}content-length: -1\r\n\r\n${INNER}`],
    ['a Content-Length with a plus', `${POST}content-length: +0\r\n\r\n${INNER}`],
    ['a Content-Length in hex', `${POST}content-length: 0x0\r\n\r\n${INNER}`],
    ['a Content-Length of 30 digits', `${POST}content-length: ${'9'.repeat(30)}\r\n\r\n${INNER}`],
    ['a blank before the colon', `${POST}content-length : 0\r\n\r\n${INNER}`],
    ['chunked twice', `${POST}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKED}${INNER}`],
    ['chunked with something behind it', `${POST}transfer-encoding: chunked, identity\r\n\r\n${CHUNKED}${INNER}`],
    ['chunked misspelt', `${POST}transfer-encoding: xchunked\r\n\r\n${CHUNKED}${INNER}`],
    ['chunked after a tab', `${POST}transfer-encoding:\tchunked\r\ncontent-length: 6\r\n\r\n${CHUNKED}${INNER}`],
    ['a folded header', `${POST}transfer-encoding:\r\n chunked\r\ncontent-length: 6\r\n\r\n${CHUNKED}${INNER}`],
    ['a bare line feed', `${POST}x: y\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n${CHUNKED}${INNER}`],
    [
      'a bare carriage return',
      `${POST}x: y\rtransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n${CHUNKED}${INNER}`,
    ],
    ['a chunk of a size that is none', `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n${INNER}`],
    ['a chunk of a size below 0', `${POST}transfer-encoding: chunked\r\n\r\n-1\r\n${INNER}`],
    ['a chunk longer than it says', `${POST}transfer-encoding: chunked\r\n\r\n1\r\n${INNER}\r\n${CHUNKED}`],
    ['a chunk of a size that overflows', `${POST}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${INNER}`],
    ['a null in a header', `${POST}x: a\0b\r\ncontent-length: 0\r\n\r\n${INNER}`],
    ['HTTP/2 in clear', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${INNER}`],
    ['an unknown version', `GET /healthz HTTP/9.9\r\n${HOST}\r\n${INNER}`],
    ['an unknown method', `SMUGGLE /healthz HTTP/1.1\r\n${HOST}\r\n${INNER}`],
    ['TLS', `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${'x'.repeat(200)}`],
  ])('%s is refused, the connection closed, and what lies behind it not read', async (_, bytes) => {
    const answer = await sendBytes(world.service.url, [bytes]);
    // One refusal, and perhaps one more for the rest: nothing that was done.
    expect(statusesOf(answer).filter((status) => status !== 400)).toEqual([]);
    const { code, message } = JSON.parse(parseAnswer(answer).body.toString()) as ErrorBody;
    expect(problemsOfRefusal(parseAnswer(answer), { status: 400 }, world)).toEqual([]);
    expect(['BAD_REQUEST', 'VALIDATION']).toContain(code);
    expect(message).toMatch(/HTTP\/1\.1|body is missing|host is/);
  });

  it('a request line without a version is answered as HTTP/0.9 was: once, and the connection closed', async () => {
    expect(statusesOf(await sendBytes(world.service.url, [`GET /healthz\r\n\r\n${INNER}`]))).toEqual([200]);
  });

  it('a body that is longer than its Content-Length is cut there, and the rest is no request', async () => {
    const bytes = await sendBytes(world.service.url, [`${POST}content-length: 2\r\n\r\n{}${BODY}\r\n\r\n`]);
    expect(statusesOf(bytes)).toEqual([400, 400]);
  });

  it('a body that is shorter is waited for until REQUEST_TIMEOUT_MS, then 408', async () => {
    const bytes = await sendBytes(world.service.url, [`${POST}content-length: 100\r\n\r\n${BODY}`]);
    const expected = { status: 408, code: 'REQUEST_TIMEOUT', names: ['in time'] };
    expect(problemsOfRefusal(parseAnswer(bytes), expected, world)).toEqual([]);
  });

  it('a body whose sender is gone half way is given up', async () => {
    const bytes = await sendBytes(world.service.url, [`${POST}content-length: 100\r\n\r\n${BODY}`], {
      halfClose: true,
    });
    expect(statusesOf(bytes).every((status) => status === 400)).toBe(true);
  });
});

describe('a client that takes its time', () => {
  it.each([
    ['nothing at all', ''],
    ['half a request line', 'GET /hea'],
    ['headers without an end', `GET /healthz HTTP/1.1\r\n${HOST}x: y\r\n`],
  ])('and sends %s is cut after HEADERS_TIMEOUT_MS', async (_, bytes) => {
    const answer = await sendBytes(world.service.url, bytes === '' ? [] : [bytes]);
    const expected = { status: 408, code: 'REQUEST_TIMEOUT', names: ['in time'] };
    expect(problemsOfRefusal(parseAnswer(answer), expected, world)).toEqual([]);
  });

  it('and sends a byte now and then is cut all the same, and others are answered meanwhile', async () => {
    const sockets: Socket[] = [];
    const answers: Promise<string>[] = [];
    for (let at = 0; at < 100; at++) {
      const socket = connect(Number(new URL(world.service.url).port), '127.0.0.1');
      let text = '';
      sockets.push(socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => {}));
      answers.push(new Promise((resolve) => socket.on('close', () => resolve(text))));
      socket.write(`GET /healthz HTTP/1.1\r\n${HOST}`);
    }
    const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('x: y\r\n')), 100);
    try {
      expect((await world.service.call('/api/projects')).status).toBe(200);
      for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
    } finally {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('several requests on one connection', () => {
  const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${HOST}${KEY}${more}\r\n`;
  it('are answered in their order when they come at once', async () => {
    const ids = world.ids.projects;
    const wanted = Array.from({ length: 50 }, (_, at) => ids[at % ids.length]!);
    const bytes = await sendBytes(world.service.url, [
      wanted.map((id) => get(`/api/projects/${id}`)).join(''),
      get('/healthz', 'connection: close\r\n'),
    ]);
    const seen = [...bytes.toString().matchAll(/\{"id":"([0-9a-f-]{36})"/g)].map(([, id]) => id);
    expect(seen).toEqual(wanted);
  });

  it('go on after one that is refused by its route, and end in their turn at one that is not HTTP', async () => {
    const bytes = await sendBytes(world.service.url, [
      get('/api/projects/x'),
      get('/api/projects?limit=0'),
      get('/healthz'),
      'nonsense\r\n\r\n',
      get('/healthz'),
    ]);
    expect(statusesOf(bytes)).toEqual([400, 400, 200, 400]);
  });

  it('are answered or cut, never mixed, when the client says that it will send no more', async () => {
    const bytes = await sendBytes(world.service.url, [get('/healthz'), get(`/api/projects/${world.ids.projects[0]}`)], {
      halfClose: true,
    });
    expect(statusesOf(bytes).filter((status) => status !== 200)).toEqual([]);
  });

  it('a tunnel is not built', async () => {
    const bytes = await sendBytes(world.service.url, [
      `CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n`,
    ]);
    expect(statusesOf(bytes).filter((status) => status < 400)).toEqual([]);
  });

  it('an upgrade to nothing known, or to a socket without its key, is refused in plain HTTP', async () => {
    const upgrade = (path: string, more: string) =>
      sendBytes(world.service.url, [
        `GET ${path} HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\n${more}\r\n`,
      ]);
    const handshake = 'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const events = `/api/events?projectId=${world.ids.projects[0]}`;
    const seen = [
      await upgrade(events, handshake),
      await upgrade('/api/events?projectId=x', handshake + KEY),
      await upgrade(`${events}&since=1`, handshake + KEY),
      await upgrade('/nothing', handshake + KEY),
      await upgrade(events, KEY),
      await upgrade(events, `${KEY}sec-websocket-version: 99\r\nsec-websocket-key: x\r\n`),
    ].map((bytes) => statusesOf(bytes)[0]);
    expect(seen).toEqual([401, 400, 400, 404, 400, 400]);
  });
});
