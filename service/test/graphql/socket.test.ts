import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import type { WebSocket as Socket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { LIMITS } from '../../src/graphql/limits.ts';
import { createSchema } from '../../src/graphql/schema.ts';
import { createSocketServer, serveSocket } from '../../src/graphql/socket.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';
import { newKey, newProject, socketUrl } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

interface Message {
  id?: string;
  type: string;
  payload?: unknown;
}
interface Options {
  key?: string | null;
  headers?: Record<string, string>;
  protocol?: string | undefined;
  init?: boolean;
  at?: TestApp;
}
/** A socket that speaks the protocol by hand, so that it can break it. Rejects with the status of a refused upgrade. */
async function open({ key = TEST_KEY, headers = {}, init = true, at = service, ...rest }: Options = {}) {
  const protocol = 'protocol' in rest ? rest.protocol : 'graphql-transport-ws';
  const all = { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers };
  const socket = new WebSocket(socketUrl(at), protocol, { headers: all });
  const messages: Message[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  const send = (message: Message) => socket.send(JSON.stringify(message));
  if (init) {
    send({ type: 'connection_init' });
    await until(() => messages.some(({ type }) => type === 'connection_ack'));
  }
  const of = (id: string) => messages.filter((message) => message.id === id);
  return {
    socket,
    messages,
    closed,
    send,
    of,
    begin: (id: string, query: string, variables?: object) =>
      send({ id, type: 'subscribe', payload: { query, variables } }),
    async close() {
      socket.close();
      await closed;
    },
  };
}

const PROGRESS =
  'subscription ($id: String!) { segmentationProgress(taskId: $id) { taskId status percentage counts { queued } } }';
const UNKNOWN = '01980000-0000-7000-8000-0000000000ff';

async function newBatch(count = 2, at = service) {
  const project = await newProject(at);
  await uploadPictures(at, project.id, count);
  const reply = await at.call(`/api/projects/${project.id}/batches`, { method: 'POST', json: { all: true } });
  return { project, id: ((await reply.json()) as { id: string }).id };
}
const verb = async (id: string, name: string) =>
  expect((await service.call(`/api/batches/${id}/${name}`, { method: 'POST' })).status).toBe(202);
/** What the relay would do: committed events become frames. */
const publish = async () => {
  while (await sequenceOnce(service.app.sql));
};
const progressOf = ({ payload }: Message) =>
  (payload as { data: { segmentationProgress: { status: string; percentage: number } } }).data.segmentationProgress;
const listeners = async () => service.app.events.clients();

describe('who may open a socket', () => {
  it('needs a key that reads, before the upgrade', async () => {
    await expect(open({ key: null })).rejects.toThrow('HTTP 401');
    await expect(open({ key: 'x'.repeat(40) })).rejects.toThrow('HTTP 401');
    await expect(open({ key: (await newKey(service, ['write'])).token })).rejects.toThrow('HTTP 403');
    await (await open({ key: (await newKey(service, ['read'])).token })).close();
  });

  it('is this server’s own page where a session says who asks', async () => {
    const opened = await service.call('/api/session', { method: 'POST' });
    const cookie = opened.headers.getSetCookie()[0]!.split(';')[0]!;
    const { host } = new URL(service.url);
    await (await open({ key: null, headers: { cookie, origin: `http://${host}` } })).close();
    for (const origin of ['https://evil.example', `https://${host}.evil.example`, 'null'])
      await expect(open({ key: null, headers: { cookie, origin } })).rejects.toThrow('HTTP 403');
    await expect(open({ key: null, headers: { cookie } })).rejects.toThrow('HTTP 403');
    await expect(open({ headers: { origin: 'https://evil.example' } })).rejects.toThrow('HTTP 403');
  });

  it('speaks graphql-transport-ws, and says so in time', async () => {
    const none = await open({ protocol: undefined, init: false });
    expect((await none.closed).code).toBe(4406);
    const hasty = await open({ init: false });
    hasty.begin('1', PROGRESS, { id: UNKNOWN });
    expect((await hasty.closed).code).toBe(4401);
    const silent = await open({ init: false });
    expect((await silent.closed).code).toBe(4408);
  });
});

describe('a subscription', () => {
  it('tells the present state first, then every change, and ends with the batch', async () => {
    const { id } = await newBatch();
    const reader = await open();
    reader.begin('a', PROGRESS, { id: id.toUpperCase() });
    await until(() => reader.of('a').length === 1);
    expect(progressOf(reader.of('a')[0]!)).toEqual({
      taskId: id,
      status: 'queued',
      percentage: 0,
      counts: { queued: 2 },
    });
    await verb(id, 'pause');
    await publish();
    await until(() => reader.of('a').length === 2);
    expect(progressOf(reader.of('a')[1]!)).toMatchObject({ status: 'paused', percentage: 0 });
    await verb(id, 'cancel');
    await publish();
    await until(() => reader.of('a').at(-1)!.type === 'complete');
    expect(reader.of('a').map(({ type }) => type)).toEqual(['next', 'next', 'next', 'complete']);
    expect(progressOf(reader.of('a')[2]!)).toMatchObject({ status: 'cancelled', percentage: 100 });
    await until(async () => (await listeners()) === 0);
    await reader.close();
  });

  it('of a batch that has ended tells its state and ends', async () => {
    const { id } = await newBatch();
    await verb(id, 'cancel');
    const reader = await open();
    reader.begin('a', PROGRESS, { id });
    await until(() => reader.of('a').length === 2);
    expect(reader.of('a').map(({ type }) => type)).toEqual(['next', 'complete']);
    await reader.close();
  });

  it('hears nothing of other batches of the project', async () => {
    const { project, id } = await newBatch();
    const reader = await open();
    reader.begin('a', PROGRESS, { id });
    await until(() => reader.of('a').length === 1);
    const other = await service.call(`/api/projects/${project.id}/batches`, {
      method: 'POST',
      json: { all: true, force: true },
    });
    await verb(((await other.json()) as { id: string }).id, 'cancel');
    await publish();
    await verb(id, 'cancel');
    await publish();
    await until(() => reader.of('a').at(-1)!.type === 'complete');
    const told = reader.of('a').flatMap((message) => (message.type === 'next' ? [progressOf(message)] : []));
    expect(new Set(told.map((state) => (state as unknown as { taskId: string }).taskId))).toEqual(new Set([id]));
    await reader.close();
  });

  it('leaves the hub when it is completed by its reader, and when its socket closes', async () => {
    const { id } = await newBatch();
    const reader = await open();
    for (const name of ['a', 'b', 'c']) reader.begin(name, PROGRESS, { id });
    await until(() => ['a', 'b', 'c'].every((name) => reader.of(name).length === 1));
    expect(await listeners()).toBe(3);
    reader.send({ id: 'a', type: 'complete' });
    await until(async () => (await listeners()) === 2);
    await verb(id, 'pause');
    await publish();
    await until(() => reader.of('b').length === 2 && reader.of('c').length === 2);
    expect(reader.of('a')).toHaveLength(1);
    await reader.close();
    await until(async () => (await listeners()) === 0);
  });

  it.each([
    ['an unknown batch', PROGRESS, { id: UNKNOWN }, 'NOT_FOUND', 404],
    ['a malformed id', PROGRESS, { id: 'x' }, 'VALIDATION', 400],
    ['an unknown field', 'subscription { progress }', {}, 'DOCUMENT_INVALID', 400],
    ['no document', '{', {}, 'DOCUMENT_SYNTAX', 400],
    ['a query', '{ me { name } }', {}, 'OPERATION_NOT_ALLOWED', 400],
    ['a mutation', 'mutation { createProject(input: { name: "x" }) { id } }', {}, 'OPERATION_NOT_ALLOWED', 400],
  ])('is refused with an error of its own: %s', async (_name, query, variables, code, statusCode) => {
    const reader = await open();
    reader.begin('a', query, variables);
    await until(() => reader.of('a').length > 0);
    expect(reader.of('a')).toMatchObject([{ type: 'error', payload: [{ extensions: { code, statusCode } }] }]);
    expect(reader.socket.readyState).toBe(WebSocket.OPEN);
    await reader.close();
  });

  it(`is one of at most ${LIMITS.subscriptions} on a socket`, async () => {
    const { id } = await newBatch();
    const reader = await open();
    for (let index = 0; index <= LIMITS.subscriptions; index++) reader.begin(`s${index}`, PROGRESS, { id });
    await until(() => reader.messages.some(({ type }) => type === 'error'));
    const refused = reader.messages.find(({ type }) => type === 'error');
    expect(refused).toMatchObject({ payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] });
    await until(() => reader.messages.filter(({ type }) => type === 'next').length === LIMITS.subscriptions);
    await reader.close();
  });

  it('is counted as requests of its key', async () => {
    const limited = await startTestApp(
      { RATE_LIMITS: 'on', RATE_REQUESTS: '4', RATE_ADDRESS: '10000' },
      { beside: service },
    );
    const { token } = await newKey(service, ['read']);
    const { id } = await newBatch();
    // the handshake is one
    const reader = await open({ key: token, at: limited });
    for (const name of ['a', 'b', 'c', 'd']) reader.begin(name, PROGRESS, { id });
    await until(() => reader.messages.some(({ type }) => type === 'error'));
    const refused = reader.messages.filter(({ type }) => type === 'error');
    const extensions = { code: 'RATE_LIMITED', statusCode: 429, retryAfterSeconds: expect.any(Number) as number };
    expect(refused).toMatchObject([{ payload: [{ extensions }] }]);
    await reader.close();
    await expect(open({ key: token, at: limited })).rejects.toThrow('HTTP 429');
    await limited.close();
  });
});

describe('a client that breaks the rules', () => {
  it('is closed with 1009 after a frame over 64 KiB, and not for one below', async () => {
    const reader = await open();
    reader.send({ type: 'ping', payload: { text: 'x'.repeat(60 * 1024) } });
    await until(() => reader.messages.some(({ type }) => type === 'pong'));
    reader.send({ type: 'ping', payload: { text: 'x'.repeat(64 * 1024) } });
    expect((await reader.closed).code).toBe(1009);
  });

  it('is closed with 4400 after what is no message', async () => {
    for (const data of ['{', '{"type":"gone"}', Buffer.from('{}')]) {
      const reader = await open();
      reader.socket.send(data);
      expect((await reader.closed).code).toBe(4400);
    }
  });

  it('is closed with 1013 when it does not read, after a bounded buffer, and others notice nothing', async () => {
    const { id } = await newBatch();
    const good = await open();
    good.begin('a', PROGRESS, { id });
    await until(() => good.of('a').length === 1);
    const stuck = await open();
    stuck.socket.pause();
    const server = [...service.app.websocketServer.clients].find(
      (socket) =>
        (socket as unknown as { _socket: { remotePort: number } })._socket.remotePort === portOf(stuck.socket),
    )!;
    let most = 0;
    const ping = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60 * 1024) } });
    while (server.readyState === WebSocket.OPEN) {
      await new Promise<void>((resolve) => stuck.socket.send(ping, () => resolve()));
      await new Promise(setImmediate);
      most = Math.max(most, server.bufferedAmount);
    }
    expect(most).toBeGreaterThan(1024 * 1024);
    expect(most).toBeLessThan(1024 * 1024 + 200_000);
    await verb(id, 'pause');
    await publish();
    await until(() => good.of('a').length === 2);
    expect(progressOf(good.of('a')[1]!)).toMatchObject({ status: 'paused' });
    await good.close();
    stuck.socket.resume();
    expect((await stuck.closed).code).toBe(1013);
  });
});
describe('a client that answers no ping', () => {
  /** What its far side would see. */
  const deaf = (answers: boolean) => {
    const socket = Object.assign(new EventEmitter(), {
      OPEN: 1,
      readyState: 1,
      protocol: 'graphql-transport-ws',
      bufferedAmount: 0,
      pings: 0,
      closedWith: 0,
      send: (_data: string, done: () => void) => done(),
      ping() {
        socket.pings++;
        if (answers) socket.emit('pong');
      },
      close(code: number) {
        socket.closedWith = code;
        socket.readyState = 2;
      },
    });
    return socket;
  };

  it('is closed with 1013, and one that answers is not', async () => {
    const server = createSocketServer(service.app, createSchema(), true);
    const [one, other] = [deaf(false), deaf(true)];
    for (const socket of [one, other])
      serveSocket(server, socket as unknown as Socket, { log: service.app.log } as FastifyRequest, 20);
    await until(() => one.closedWith !== 0 && other.pings > 3);
    expect([one.closedWith, one.pings]).toEqual([1013, 1]);
    expect(other.closedWith).toBe(0);
    for (const socket of [one, other]) socket.emit('close', 1006, '');
  });
});

const portOf = (socket: WebSocket) => (socket as unknown as { _socket: { localPort: number } })._socket.localPort;

describe('the end of a key', () => {
  it('ends its sockets, of GraphQL and of events, in this process and in others, and nobody else’s', async () => {
    const other = await startTestApp({}, { beside: service });
    const { project, id } = await newBatch();
    const ending = await newKey(service, ['read']);
    const staying = await newKey(service, ['read']);
    const headers = { authorization: `Bearer ${ending.token}` };
    const [here, there, stays] = [
      await open({ key: ending.token }),
      await open({ key: ending.token, at: other }),
      await open({ key: staying.token }),
    ];
    const events = await openSocket(service.url, { query: `projectId=${project.id}`, headers });
    here.begin('a', PROGRESS, { id });
    stays.begin('a', PROGRESS, { id });
    await until(() => here.of('a').length === 1 && stays.of('a').length === 1);
    expect((await service.call(`/api/keys/${ending.id}`, { method: 'DELETE' })).status).toBe(204);
    expect([(await here.closed).code, (await there.closed).code, await events.closed]).toEqual([1008, 1008, 1008]);
    await verb(id, 'pause');
    await publish();
    await until(() => stays.of('a').length === 2);
    await stays.close();
    await until(async () => (await listeners()) === 0);
    await other.close();
  });

  it('ends the sockets of a session that is signed out', async () => {
    const opened = await service.call('/api/session', { method: 'POST' });
    const cookie = opened.headers.getSetCookie()[0]!.split(';')[0]!;
    const origin = `http://${new URL(service.url).host}`;
    const reader = await open({ key: null, headers: { cookie, origin } });
    await service.call('/api/session', { method: 'DELETE', key: null, headers: { cookie, origin } });
    expect((await reader.closed).code).toBe(1008);
  });
});

describe('the end of the server', () => {
  it('closes sockets with 1001, those without a subscription as well', async () => {
    const other = await startTestApp({}, { beside: service });
    const { id } = await newBatch();
    const [idle, busy] = [await open({ at: other }), await open({ at: other })];
    busy.begin('a', PROGRESS, { id });
    await until(() => busy.of('a').length === 1);
    await other.close();
    expect([(await idle.closed).code, (await busy.closed).code]).toEqual([1001, 1001]);
  });

  it('leaves a refused upgrade no open socket', async () => {
    const { port, hostname } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    const ended = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => (text += data.toString()));
      socket.on('close', () => resolve(text));
    });
    socket.write(
      'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    );
    expect(await ended).toMatch(/^HTTP\/1.1 401 /);
  });
});
