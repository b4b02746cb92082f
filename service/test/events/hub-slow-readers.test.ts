import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHub } from '../../src/events/hub.ts';
import type { HubSocket } from '../../src/events/client.ts';
import { until } from '../batches/fixture.ts';
import { createReaders, emit, newProject } from '../contract-socket/kit.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { breaks } from './socket.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startTestApp();
});
afterAll(() => server.close());
const readers = createReaders();
afterEach(() => readers.close());
const open = (query: string) => readers.open(server, query);

describe('a reader that does not read', () => {
  /** A socket whose far side takes nothing: what is sent stays in the buffer. */
  function stuckSocket() {
    const listeners = new Map<string, (() => void)[]>();
    const socket = {
      readyState: 1,
      OPEN: 1,
      bufferedAmount: 0,
      closedWith: null as number | null,
      sent: 0,
      send(text: string) {
        socket.bufferedAmount += text.length;
        socket.sent++;
      },
      ping() {},
      close(code: number) {
        socket.closedWith = code;
        socket.readyState = 2;
      },
      on(event: string, listener: () => void) {
        listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      },
      emit: (event: string) => listeners.get(event)?.forEach((listener) => listener()),
    };
    return socket satisfies HubSocket;
  }

  it('is closed with 1013 after a bounded buffer, and others get everything', async () => {
    const projectId = await newProject(server);
    const highWaterBytes = 200_000;
    const { sql } = server;
    const { config } = server.app;
    const hub = createHub({ databaseUrl: config.databaseUrl, log: () => {}, stallMs: 200, highWaterBytes });
    const stuck = stuckSocket();
    await hub.attach(stuck, { projectId, sql, resume: null, unbatched: false });
    const good = await open(`projectId=${projectId}`);
    for (let round = 0; round < 10; round++) await emit(server, projectId, 1000);
    await until(() => stuck.closedWith !== null);
    expect(stuck.closedWith).toBe(1013);
    expect(stuck.bufferedAmount).toBeLessThan(highWaterBytes + 100_000);
    await until(() => good.lastSeq() === 10_000);
    expect(breaks(good)).toEqual([]);
    stuck.emit('close');
    expect(hub.counts).toEqual({ clients: 0, behind: 0, ended: 1 });
    await hub.close();
  });

  it('is closed with 1013 when it answers no ping, even though its buffers are empty', async () => {
    const projectId = await newProject(server);
    const { sql } = server;
    const { config } = server.app;
    const hub = createHub({ databaseUrl: config.databaseUrl, log: () => {}, heartbeatMs: 50 });
    const stuck = stuckSocket();
    await hub.attach(stuck, { projectId, sql, resume: null, unbatched: false });
    await until(() => stuck.closedWith !== null);
    expect(stuck.closedWith).toBe(1013);
    expect(hub.counts).toEqual({ clients: 1, behind: 0, ended: 1 });
    stuck.emit('close');
    await hub.close();
  });

  it('catches up from the log and joins again when it reads on', async () => {
    const projectId = await newProject(server);
    const { sql } = server;
    const { config } = server.app;
    const hub = createHub({
      databaseUrl: config.databaseUrl,
      log: () => {},
      stallMs: 60_000,
      highWaterBytes: 100_000,
    });
    const slow = stuckSocket();
    const texts: string[] = [];
    const send = slow.send.bind(slow);
    slow.send = (text) => {
      texts.push(text);
      send(text);
    };
    await hub.attach(slow, { projectId, sql, resume: null, unbatched: false });
    for (let round = 0; round < 5; round++) await emit(server, projectId, 1000);
    const drain = setInterval(() => (slow.bufferedAmount = Math.max(0, slow.bufferedAmount - 150_000)), 20);
    const last = () => JSON.parse(texts.at(-1)!) as { to?: number };
    expect(hub.counts).toEqual({ clients: 1, behind: 1, ended: 0 });
    await until(() => last().to === 5000);
    await emit(server, projectId, 1);
    await until(() => last().to === 5001);
    const spans = texts.slice(1).map((text) => JSON.parse(text) as { from: number; to: number });
    expect(spans.every((span, index) => span.from === (index === 0 ? 1 : spans[index - 1]!.to + 1))).toBe(true);
    await until(() => hub.counts.behind === 0);
    // Not before: what the last frames left in the buffer would keep it behind until a heartbeat ends it.
    clearInterval(drain);
    slow.emit('close');
    await hub.close();
  });
});
