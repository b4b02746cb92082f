import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPaceKeeper } from '../../src/limits/pace.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';

let service: TestApp;
let projectId: string;
const open: Socket[] = [];
beforeAll(async () => {
  // Shedding has tests of its own; on a busy machine it would answer 503 before a slow client is told 408.
  service = await startTestApp({
    LOAD_SHEDDING: 'off',
    SLOW_BODY_MS: '1000',
    SLOW_READER_MS: '1500',
    SLOW_BYTES_PER_SECOND: '500',
  });
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'slow' } });
  ({ id: projectId } = (await made.json()) as { id: string });
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => service.close());

const KEY = `host: x\r\nauthorization: Bearer ${TEST_KEY}\r\n`;
/** A connection that says what it is told to, and what came of it. */
function dial(options: { reads?: boolean } = {}) {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  open.push(socket);
  const seen = { text: '', bytes: 0 };
  socket.on('error', () => {});
  if (options.reads === false) socket.pause();
  else
    socket.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length;
      if (seen.text.length < 4096) seen.text += chunk.toString('latin1');
    });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, seen, closed };
}
async function gauge(name: string): Promise<number> {
  const text = await service.app.metrics.registry.metrics();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1]);
}

describe('a body that hardly comes', () => {
  const json = `POST /api/projects HTTP/1.1\r\n${KEY}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
  const upload = (id: string) =>
    `POST /api/projects/${id}/images HTTP/1.1\r\n${KEY}content-type: multipart/form-data; boundary=x\r\ntransfer-encoding: chunked\r\n\r\n`;
  const part = '--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n';
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

  it.each([
    ['JSON, and then nothing', () => json, ''],
    ['JSON, a byte now and then', () => json, ' '],
    ['an upload, and then nothing', () => upload(projectId) + chunk(part), ''],
    ['an upload, a byte now and then', () => upload(projectId) + chunk(part), chunk('a')],
  ])('is answered with 408 and cut: %s', async (_, head, drip) => {
    const { socket, seen, closed } = dial();
    socket.write(head());
    const dripping = setInterval(() => drip !== '' && socket.writable && socket.write(drip), 50);
    await closed;
    clearInterval(dripping);
    expect(seen.text).toMatch(/^HTTP\/1\.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
    const left = await service.sql`select count(*) as n from images where project_id = ${projectId}`;
    expect(left).toEqual([{ n: 0 }]);
  });

  it('is cut without a second answer when it was refused before', async () => {
    const { socket, seen, closed } = dial();
    socket.write(json.replace(TEST_KEY, 'x'.repeat(40)));
    await closed;
    expect(seen.text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 401']);
  });

  it('comes in its own time when it moves enough', async () => {
    const text = JSON.stringify({ name: 'x'.repeat(150), pixelSizeUm: 1 }) + ' '.repeat(3000);
    const { socket, seen } = dial();
    socket.write(
      `POST /api/projects HTTP/1.1\r\n${KEY}connection: close\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`,
    );
    for (let at = 0; at < text.length; at += 100) {
      socket.write(text.slice(at, at + 100));
      await sleep(80);
    }
    while (!seen.text.includes('HTTP/1.1')) await sleep(20);
    expect(seen.text).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('does not hold others up', async () => {
    const slow = Array.from({ length: 50 }, () => dial());
    for (const { socket } of slow) socket.write(json);
    const body = form([{ name: 'a.png', bytes: await picture(1) }]);
    const project = (await (
      await service.call('/api/projects', { method: 'POST', json: { name: 'other' } })
    ).json()) as {
      id: string;
    };
    expect((await service.call(`/api/projects/${project.id}/images`, { method: 'POST', body })).status).toBe(201);
    await Promise.all(slow.map(({ closed }) => closed));
    expect(slow.filter(({ seen }) => !seen.text.includes(' 408 '))).toEqual([]);
  });
});

describe('an answer that is hardly taken', () => {
  /** More than the system buffers for a connection: a list of projects with long names, uncompressed. */
  const list = `GET /openapi.json HTTP/1.1\r\n${KEY}accept-encoding: identity\r\n\r\n`;

  it('ends its connection, and lets go of what it held', async () => {
    const before = await gauge('segbench_slow_readers_cut_total');
    const { socket } = dial({ reads: false });
    // Answers without end, none of which is taken.
    const asking = setInterval(() => socket.writable && socket.write(list), 5);
    while ((await gauge('segbench_slow_readers_cut_total')) === before) await sleep(50);
    clearInterval(asking);
    expect((await service.call('/healthz')).status).toBe(200);
  });

  it('goes on when it is taken slowly, but taken', async () => {
    const before = await gauge('segbench_slow_readers_cut_total');
    const { socket, seen } = dial();
    for (let at = 0; at < 40; at++) socket.write(list);
    const end = Date.now() + 4_000;
    while (Date.now() < end) {
      socket.pause();
      await sleep(50);
      socket.resume();
      await sleep(5);
    }
    expect(socket.destroyed).toBe(false);
    expect(seen.bytes).toBeGreaterThan(0);
    expect(await gauge('segbench_slow_readers_cut_total')).toBe(before);
  });
});

describe('createPaceKeeper', () => {
  const pace = { bytesPerSecond: 100, windowMs: 1000 };
  it('blames who moves less than the pace for a whole window', () => {
    const isTooSlow = createPaceKeeper(pace);
    expect([isTooSlow(0, 0, true), isTooSlow(999, 0, true), isTooSlow(1000, 99, true)]).toEqual([false, false, true]);
  });
  it('begins a new window when the pace was kept, and counts only what moved in it', () => {
    const isTooSlow = createPaceKeeper(pace);
    expect([isTooSlow(0, 0, true), isTooSlow(1000, 1e6, true), isTooSlow(2000, 1e6 + 10, true)]).toEqual([
      false,
      false,
      true,
    ]);
  });
  it('blames nobody who was not waited for', () => {
    const isTooSlow = createPaceKeeper(pace);
    expect([
      isTooSlow(0, 0, true),
      isTooSlow(500, 0, false),
      isTooSlow(1100, 0, true),
      isTooSlow(2000, 0, true),
    ]).toEqual([false, false, false, false]);
    expect(isTooSlow(2100, 0, true)).toBe(true);
  });
});
