import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/contract/common.ts';
import { createHub } from '../../src/events/hub.ts';
import { createClient, type HubSocket } from '../../src/events/client.ts';
import { pruneFrames, sequenceOnce } from '../../src/events/sequencer.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { breaks, openSocket, type Reader } from './socket.ts';

let server: TestApp;
let unbatched: TestApp;
beforeAll(async () => {
  server = await startTestApp();
  unbatched = await startTestApp({ ALLOW_UNBATCHED_EVENTS: '1' });
});
afterAll(async () => {
  await server.close();
  await unbatched.close();
});
const readers: Reader[] = [];
afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});
const open = async (query: string, app = server) => {
  const reader = await openSocket(app.url, { query });
  readers.push(reader);
  return reader;
};
const newProject = async (app = server): Promise<string> => {
  const reply = await app.call('/api/projects', { method: 'POST', json: { name: 'events' } });
  return ((await reply.json()) as { id: string }).id;
};
/** Images that are no rows: the stream does not care. */
const emit = async (projectId: string, count: number, app = server) => {
  await app.sql`
    INSERT INTO event_outbox (project_id, image_id, status)
    SELECT ${projectId}::uuid, gen_random_uuid(), 'completed' FROM generate_series(1, ${count}::int)`;
  while (await sequenceOnce(app.sql));
};

describe('the stream', () => {
  it('greets first, then sends each frame to every reader', async () => {
    const projectId = await newProject();
    const [a, b] = [await open(`projectId=${projectId}`), await open(`projectId=${projectId}`)];
    expect(a.frames[0]).toEqual({ type: 'hello', projectId, epoch: expect.any(String), seq: 0 });
    await emit(projectId, 3);
    await emit(projectId, 700);
    await until(() => a.lastSeq() === 703 && b.lastSeq() === 703);
    expect(a.eventFrames().map((frame) => [frame.from, frame.to])).toEqual([
      [1, 3],
      [4, 503],
      [504, 703],
    ]);
    expect(breaks(a)).toEqual([]);
    expect(a.events()).toEqual(b.events());
  });

  it('gives a reader that returns exactly what it missed, and then what is new', async () => {
    const projectId = await newProject();
    const first = await open(`projectId=${projectId}`);
    await emit(projectId, 10);
    await until(() => first.lastSeq() === 10);
    const { epoch } = first.hello()!;
    await first.close();
    await emit(projectId, 20);
    const back = await open(`projectId=${projectId}&epoch=${epoch}&since=10`);
    expect(back.hello()!.seq).toBe(30);
    await until(() => back.lastSeq() === 30);
    await emit(projectId, 5);
    await until(() => back.lastSeq() === 35);
    expect(back.events().map((event) => event.seq)).toEqual(Array.from({ length: 25 }, (_, index) => 11 + index));
    const middle = await open(`projectId=${projectId}&epoch=${epoch}&since=25`);
    await until(() => middle.lastSeq() === 35 && middle.events().length === 10);
    expect(middle.eventFrames().map((frame) => [frame.from, frame.to])).toEqual([
      [26, 30],
      [31, 35],
    ]);
  });

  it('loses and doubles nothing when readers join while events flow', async () => {
    const projectId = await newProject();
    const first = await open(`projectId=${projectId}`);
    const { epoch } = first.hello()!;
    const flow = (async () => {
      for (let round = 0; round < 40; round++) await emit(projectId, 25);
    })();
    const joined: Reader[] = [];
    // What lies ahead of the numbering is no number that a reader can have.
    await until(() => first.lastSeq() >= 27);
    for (let index = 0; index < 10; index++)
      joined.push(await open(`projectId=${projectId}&epoch=${epoch}&since=${index * 3}`));
    await flow;
    await until(() => joined.every((reader) => reader.lastSeq() === 1000));
    for (const [index, reader] of joined.entries()) {
      expect(breaks(reader)).toEqual([]);
      expect(reader.events()).toHaveLength(1000 - index * 3);
    }
  });

  it('sends a snapshot when the epoch is none that was ever given out', async () => {
    const reader = await open(`projectId=${await newProject()}&epoch=yesterday&since=1`);
    await until(() => reader.frames.length >= 2);
    expect(reader.frames.map((frame) => frame.type)).toEqual(['hello', 'snapshot']);
  });

  it('sends a snapshot when the numbers cannot be replayed', async () => {
    const projectId = await newProject();
    await emit(projectId, 5);
    const other = await open(`projectId=${projectId}&epoch=${randomUUID()}&since=2`);
    await until(() => other.snapshot() !== undefined);
    expect(other.snapshot()).toMatchObject({
      seq: 5,
      epoch: other.hello()!.epoch,
      counts: { uploaded: 0 },
      batches: [],
    });
    await pruneFrames(server.sql, { maxAgeMs: 0, maxFrames: 1000 });
    const late = await open(`projectId=${projectId}&epoch=${other.hello()!.epoch}&since=2`);
    await until(() => late.snapshot() !== undefined);
    await emit(projectId, 1);
    await until(() => late.lastSeq() === 6);
    expect(late.events().map((event) => event.seq)).toEqual([6]);
  });

  it('sends one event a frame when asked to and allowed', async () => {
    const projectId = await newProject(unbatched);
    const reader = await open(`projectId=${projectId}&window=0`, unbatched);
    await emit(projectId, 12, unbatched);
    await until(() => reader.lastSeq() === 12);
    expect(reader.eventFrames().every((frame) => frame.events.length === 1 && frame.from === frame.to)).toBe(true);
    expect(reader.events().every((event) => isTerminal(event.status))).toBe(true);
  });
});

describe('what is refused', () => {
  const attempt = (query: string, headers?: Record<string, string>) =>
    openSocket(server.url, { query, ...(headers ? { headers } : {}) });
  const bearer = { authorization: `Bearer ${TEST_KEY}` };

  it('refuses a missing key, a foreign origin and bad queries before the upgrade', async () => {
    const query = `projectId=${await newProject()}`;
    await expect(attempt(query, {})).rejects.toThrow('HTTP 401');
    await expect(attempt(query, { ...bearer, origin: 'http://evil.example' })).rejects.toThrow('HTTP 403');
    await expect(attempt(`projectId=${randomUUID()}`)).rejects.toThrow('HTTP 404');
    for (const bad of ['projectId=x', '', `${query}&window=0`, `${query}&since=3`, `${query}&since=-1`, `${query}&x=1`])
      await expect(attempt(bad)).rejects.toThrow('HTTP 400');
  });
  it('takes its own origin, and refuses a session cookie without one', async () => {
    const query = `projectId=${await newProject()}`;
    const login = await server.call('/api/session', { method: 'POST', json: { key: TEST_KEY }, key: null });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await openSocket(server.url, { query, headers: { cookie, origin: server.url } });
    expect(page.hello()).toBeDefined();
    await page.close();
    await expect(attempt(query, { cookie })).rejects.toThrow('HTTP 403');
  });
  it('needs the scope read', async () => {
    const reply = await server.call('/api/keys', { method: 'POST', json: { name: 'metrics', scopes: ['metrics'] } });
    const { token, key } = (await reply.json()) as { token?: string; key?: string };
    const query = `projectId=${await newProject()}`;
    await expect(attempt(query, { authorization: `Bearer ${token ?? key}` })).rejects.toThrow('HTTP 403');
  });
  it('closes with 1009 when a client frame is over 64 KiB, and bears smaller ones', async () => {
    const reader = await open(`projectId=${await newProject()}`);
    reader.socket.send('x'.repeat(64 * 1024));
    reader.socket.send('x'.repeat(64 * 1024 + 1));
    expect(await reader.closed).toBe(1009);
  });
});

it('keeps a heartbeat', async () => {
  const projectId = await newProject();
  const { sql } = server;
  const { config } = server.app;
  const hub = createHub({ databaseUrl: config.databaseUrl, log: () => {}, heartbeatMs: 20 });
  const sent: string[] = [];
  const listeners = new Map<string, () => void>();
  const socket: HubSocket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    send: (text) => void sent.push(text),
    ping: () => listeners.get('pong')?.(),
    close: () => {},
    on: (event, listener) => listeners.set(event, listener),
  };
  await hub.attach(socket, { projectId, sql, resume: null, unbatched: false });
  await until(() => sent.filter((text) => text === '{"type":"heartbeat"}').length >= 3);
  await hub.close();
  expect(createClient(socket, { unbatched: false, since: null }).open()).toBe(true);
});

it('closes the connection of an upgrade that it refuses', async () => {
  const closed = await new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(
      `GET /api/events?projectId=${randomUUID()} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
  });
  expect(closed).toContain('401');
});

it('says 1001 to every reader when the service stops', async () => {
  const projectId = await newProject();
  const second = await startTestApp({}, { beside: server });
  const leaving = [await open(`projectId=${projectId}`, second), await open(`projectId=${projectId}`, second)];
  const staying = await open(`projectId=${projectId}`);
  await second.close();
  expect(await Promise.all(leaving.map(({ closed }) => closed))).toEqual([1001, 1001]);
  await emit(projectId, 1);
  await until(() => staying.lastSeq() === 1);
});
