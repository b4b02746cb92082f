import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openSocket } from '../events/socket.ts';
import { createReaders, emit, expectStream, newProject, range } from './kit.ts';

let server: TestApp;
let beside: TestApp;
const readers = createReaders();
beforeAll(async () => {
  server = await startTestApp();
  beside = await startTestApp({}, { beside: server });
});
afterEach(async () => {
  vi.useRealTimers();
  await readers.close();
});
afterAll(async () => {
  await beside.close();
  await server.close();
});

it('gives each of 300 sockets everything, over two processes', async () => {
  const projectId = await newProject(server);
  const all = await Promise.all(
    range(1, 300).map((index) => readers.open(index % 2 ? server : beside, `projectId=${projectId}`)),
  );
  for (const count of [1, 620, 579]) await emit(server, projectId, count);
  await until(() => all.every((reader) => reader.lastSeq() === 1200));
  expectStream(all[0]!.frames, projectId);
  expect(all[0]!.events()).toHaveLength(1200);
  const expected = JSON.stringify(all[0]!.frames);
  expect(all.filter(({ frames }) => JSON.stringify(frames) !== expected)).toEqual([]);
  const hubs = await Promise.all([server, beside].map(({ app }) => app.events.clients()));
  expect(hubs).toEqual([150, 150]);
  await readers.close();
  await until(async () => (await server.app.events.clients()) + (await beside.app.events.clients()) === 0);
});

/** The server's end of a client's connection. */
function farEndOf(socket: WebSocket) {
  const portOf = (one: unknown, name: 'localPort' | 'remotePort') =>
    (one as { _socket: Record<string, number> })._socket[name];
  const port = portOf(socket, 'localPort');
  return [...server.app.websocketServer.clients].find((one) => portOf(one, 'remotePort') === port)!;
}

it('closes who stops reading with 1013 after a bounded buffer, others notice nothing, and it may come back', async () => {
  const projectId = await newProject(server);
  const good = [
    await readers.open(server, `projectId=${projectId}`),
    await readers.open(beside, `projectId=${projectId}`),
  ];
  const stuck = await openSocket(server.url, { query: `projectId=${projectId}` });
  const { epoch } = stuck.hello()!;
  stuck.socket.pause();
  const far = farEndOf(stuck.socket);
  // The clock that says for how long nothing was taken stands still until the buffers of the system are full.
  vi.useFakeTimers({ toFake: ['performance'] });
  let total = 0;
  let most = 0;
  while (far.bufferedAmount <= 1024 * 1024) {
    await emit(server, projectId, 5_000, total);
    total += 5_000;
    await until(() => good[0]!.lastSeq() === total);
    most = Math.max(most, far.bufferedAmount);
  }
  await emit(server, projectId, 5_000, total);
  total += 5_000;
  await until(() => good.every((reader) => reader.lastSeq() === total));
  expect(far.readyState).toBe(far.OPEN);
  expect(Math.max(most, far.bufferedAmount)).toBeLessThan(1024 * 1024 + 200_000);
  await until(() => {
    vi.advanceTimersByTime(1_000);
    return far.readyState !== far.OPEN;
  });
  for (const reader of good) {
    expectStream(reader.frames, projectId);
    expect(reader.events()).toHaveLength(total);
  }
  expect(good[0]!.events()).toEqual(good[1]!.events());
  stuck.socket.resume();
  expect(await stuck.closed).toBe(1013);
  expectStream(stuck.frames, projectId);
  const had = stuck.events().length;
  expect(had).toBeLessThan(total);
  const back = await readers.open(server, `projectId=${projectId}&epoch=${epoch}&since=${had}`);
  await until(() => back.events().length === total - had);
  expect([...stuck.events(), ...back.events()]).toEqual(good[0]!.events());
});
