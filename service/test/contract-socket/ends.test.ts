import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import { createHub } from '../../src/events/hub.ts';
import { purgeStep } from '../../src/deletion/purge.ts';
import { insertProject, until } from '../batches/fixture.ts';
import { subscriber } from '../graphql/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { createReaders, emit, newProject, range } from './kit.ts';
import { stuckSocket } from './stuck-socket.ts';

let server: TestApp;
let beside: TestApp;
const readers = createReaders();
beforeAll(async () => {
  server = await startTestApp();
  beside = await startTestApp({}, { beside: server });
});
afterEach(() => readers.close());
afterAll(async () => {
  await beside.close();
  await server.close();
});

it('closes with 4404 when its project is deleted, in every process, and no other socket does', async () => {
  const [gone, stays] = [await newProject(server), await newProject(server)];
  const steady = await readers.open(server, `projectId=${stays}`);
  const [here, there] = [
    await readers.open(server, `projectId=${gone}`),
    await readers.open(beside, `projectId=${gone}`),
  ];
  expect((await server.call(`/api/projects/${gone}`, { method: 'DELETE' })).status).toBe(204);
  expect(await Promise.all([here.closed, there.closed])).toEqual([4404, 4404]);
  for (const app of [server, beside]) await expect(readers.open(app, `projectId=${gone}`)).rejects.toThrow('HTTP 404');
  while (await purgeStep({ sql: server.sql, storage: server.app.storage }));
  await emit(server, stays, 3);
  await until(() => steady.events().length === 3);
  expect(steady.socket.readyState).toBe(steady.socket.OPEN);
});

it('ends only the subscription of a GraphQL socket whose project is deleted', async () => {
  const [gone, stays] = [await insertProject(server.sql, 1), await insertProject(server.sql, 1)];
  const start = async ({ projectId }: { projectId: string }) =>
    (
      (await (
        await server.call(`/api/projects/${projectId}/batches`, { method: 'POST', json: { all: true } })
      ).json()) as Batch
    ).id;
  const client = subscriber(server);
  const follow = (id: string) =>
    client.iterate({
      query: 'subscription ($id: String!) { segmentationProgress(taskId: $id) { status } }',
      variables: { id },
    });
  const [ending, lasting] = [follow(await start(gone)), follow(await start(stays))];
  const queued = { value: { data: { segmentationProgress: { status: 'queued' } } } };
  expect(await ending.next()).toMatchObject(queued);
  expect(await lasting.next()).toMatchObject(queued);
  await server.call(`/api/projects/${gone.projectId}`, { method: 'DELETE' });
  const end = await ending.next().catch((error: unknown) => error);
  expect(JSON.stringify(end)).toContain('NOT_FOUND');
  const [batch] = await server.sql<{ id: string }[]>`select id from batches where project_id = ${stays.projectId}`;
  await server.call(`/api/batches/${batch!.id}/pause`, { method: 'POST' });
  await emit(server, stays.projectId, 1);
  expect(await lasting.next()).toMatchObject({ value: { data: { segmentationProgress: { status: 'paused' } } } });
  await client.dispose();
});

it('closes with 1001 when its process ends, and goes on at another where it left off', async () => {
  const projectId = await newProject(server);
  const ending = await startTestApp({}, { beside: server });
  const sockets = await Promise.all(range(1, 20).map(() => readers.open(ending, `projectId=${projectId}`)));
  await emit(server, projectId, 5);
  await until(() => sockets.every((reader) => reader.events().length === 5));
  await ending.close();
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual(sockets.map(() => 1001));
  await emit(server, projectId, 4, 50);
  const { epoch } = sockets[0]!.hello()!;
  const back = await readers.open(beside, `projectId=${projectId}&epoch=${epoch}&since=5`);
  await until(() => back.events().length === 4);
  expect(back.events().map(({ seq }) => seq)).toEqual(range(6, 9));
});

it('is forgotten when it closes before it was attached, and those who waited with it are served', async () => {
  const projectId = await newProject(server);
  const { sql } = server;
  const { config } = server.app;
  const hub = createHub({ databaseUrl: config.databaseUrl, log: () => {} });
  const [left, stays] = [stuckSocket(), stuckSocket()];
  const options = { projectId, sql, resume: null, unbatched: false };
  const attaching = [hub.attach(left, options), hub.attach(stays, options)];
  left.emit('close');
  await Promise.all(attaching);
  expect(await hub.clients()).toBe(1);
  // A reader that shares its socket may be told twice.
  left.emit('close');
  await emit(server, projectId, 2);
  await until(() => stays.sent.length === 2);
  expect(left.sent).toEqual([]);
  stays.emit('close');
  expect(await hub.clients()).toBe(0);
  // Who asks while the hub ends is told so.
  const late = stuckSocket();
  await hub.close();
  await hub.attach(late, { ...options, projectId: await newProject(server) });
  expect(late.closedWith).toBe(1001);
  await expect(hub.attach(stuckSocket(), { ...options, projectId: randomUUID() })).rejects.toThrow('foreign key');
});
