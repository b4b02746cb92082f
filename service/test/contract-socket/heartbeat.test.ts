import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../batches/fixture.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { createReaders, emit, newProject } from './kit.ts';

let server: TestApp;
const readers = createReaders();
/** Intervals of the service tick by hand; everything else takes its time as ever. */
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  server = await startTestApp();
});
afterEach(async () => {
  await readers.close();
  await server.close();
  vi.useRealTimers();
});
const answered = () =>
  Promise.all(
    [...server.app.websocketServer.clients].map((socket) => new Promise((done) => socket.once('pong', done))),
  );

it('sends a heartbeat every 15 s, to each socket', async () => {
  const projectId = await newProject(server);
  const both = [
    await readers.open(server, `projectId=${projectId}`),
    await readers.open(server, `projectId=${projectId}`),
  ];
  const beats = () => both.map(({ frames }) => frames.filter(({ type }) => type === 'heartbeat').length);
  vi.advanceTimersByTime(14_999);
  // What comes after it says that no heartbeat came before.
  await emit(server, projectId, 1);
  await until(() => both.every((reader) => reader.events().length === 1));
  expect(beats()).toEqual([0, 0]);
  for (const beat of [1, 2, 3]) {
    const pongs = answered();
    vi.advanceTimersByTime(beat === 1 ? 1 : 15_000);
    await pongs;
    await until(() => beats().every((count) => count >= beat));
    expect(beats()).toEqual([beat, beat]);
    expect(both.map(({ frames }) => frames.at(-1))).toEqual([{ type: 'heartbeat' }, { type: 'heartbeat' }]);
  }
});

it('closes with 1013 who has not answered to the last one, and no other', async () => {
  const projectId = await newProject(server);
  const good = await readers.open(server, `projectId=${projectId}`);
  const silent = new WebSocket(`${server.url.replace('http', 'ws')}/api/events?projectId=${projectId}`, {
    headers: { authorization: `Bearer ${TEST_KEY}` },
    autoPong: false,
  });
  const closed = new Promise<number>((resolve) => silent.once('close', resolve));
  const pinged = new Promise((resolve) => silent.once('ping', resolve));
  await until(async () => (await server.app.events.clients()) === 2);
  const pong = Promise.race(
    [...server.app.websocketServer.clients].map((socket) => new Promise((done) => socket.once('pong', done))),
  );
  vi.advanceTimersByTime(15_000);
  await Promise.all([pinged, pong]);
  expect(silent.readyState).toBe(silent.OPEN);
  vi.advanceTimersByTime(15_000);
  expect(await closed).toBe(1013);
  await emit(server, projectId, 1);
  await until(() => good.events().length === 1);
  expect(good.socket.readyState).toBe(good.socket.OPEN);
});
