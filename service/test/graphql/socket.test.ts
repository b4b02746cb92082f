import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LIMITS } from '../../src/graphql/limits.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { PROGRESS, UNKNOWN, progressOf, socketKit } from './socket-kit.ts';
import { newKey } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());
const { open, newBatch, verb, publish, listeners } = socketKit(() => service);

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
