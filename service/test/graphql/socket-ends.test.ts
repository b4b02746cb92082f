import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import type { WebSocket as Socket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSchema } from '../../src/graphql/schema.ts';
import { createSocketServer, serveSocket } from '../../src/graphql/socket.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { PROGRESS, progressOf, socketKit } from './socket-kit.ts';
import { newKey } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());
const { open, newBatch, verb, publish, listeners } = socketKit(() => service);

const portOf = (socket: WebSocket) => (socket as unknown as { _socket: { localPort: number } })._socket.localPort;

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
