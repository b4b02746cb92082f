import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Export } from '#contract/exports.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { startRelay } from '../src/roles/relay.ts';
import type { RoleHandle } from '../src/roles/role.ts';
import { until } from './batches/fixture.ts';
import { breaks, openSocket, type Reader } from './events/socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from './support/app.ts';
import { form, picture } from './support/pictures.ts';
import { finishBatch, uploadPictures } from './support/results.ts';
import { requestOnce, roundRobin } from './support/round-robin.ts';

/** Long enough that nothing is forgotten by itself while a test waits: only the other process can make it so. */
const PATIENT = { KEY_TRUST_MS: '3600000', CACHE_TTL_SECONDS: '3600', EVENT_WINDOW_MS: '20' };
const REQUESTS = 20;

let a: TestApp;
let b: TestApp;
let limited: [TestApp, TestApp];
let relay: RoleHandle;
const readers: Reader[] = [];

beforeAll(async () => {
  a = await startTestApp(PATIENT);
  b = await startTestApp(PATIENT, { beside: a });
  const limits = { RATE_LIMITS: 'on', RATE_REQUESTS: String(REQUESTS) };
  const first = await startTestApp(limits);
  limited = [first, await startTestApp(limits, { beside: first })];
  relay = await startRelay({ ...a.app.config, role: 'relay' });
});
afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});
afterAll(async () => {
  await relay?.close();
  await b?.close();
  await a?.close();
  await limited?.[1].close();
  await limited?.[0].close();
});

const json = async <T>(reply: Promise<Response>): Promise<T> => (await (await reply).json()) as T;
const newProject = (app: TestApp, name = 'shared') =>
  json<Project>(app.call('/api/projects', { method: 'POST', json: { name } }));
const open = async (app: TestApp, query: string) => {
  const reader = await openSocket(app.url, { query });
  readers.push(reader);
  return reader;
};
const upload = (app: TestApp, projectId: string, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  app.call(`/api/projects/${projectId}/images`, { method: 'POST', body: form([{ name: 'x.png', bytes }]), headers });

describe('two API processes', () => {
  it('read at once what the other one wrote, though both cache', async () => {
    const { id } = await newProject(a, 'first');
    const nameAt = async (app: TestApp) => (await json<Project>(app.call(`/api/projects/${id}`))).name;
    const countAt = async (app: TestApp) =>
      (await json<{ total: number }>(app.call(`/api/projects/${id}/images`))).total;
    for (const [writer, reader, name] of [
      [a, b, 'second'],
      [b, a, 'third'],
    ] as const) {
      await Promise.all([nameAt(a), nameAt(b), countAt(a), countAt(b)]);
      const before = await countAt(reader);
      await writer.call(`/api/projects/${id}`, { method: 'PATCH', json: { name } });
      await upload(writer, id, await picture(name.length + before));
      expect(await nameAt(reader)).toBe(name);
      expect(await countAt(reader)).toBe(before + 1);
    }
    const [image] = (await json<{ items: Image[] }>(a.call(`/api/projects/${id}/images`))).items;
    expect((await b.call(`/api/images/${image!.id}`)).status).toBe(200);
    expect((await a.call(`/api/images/${image!.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await b.call(`/api/images/${image!.id}`)).status).toBe(404);
  });

  it('behave as one behind one address, whichever of them a request meets', async () => {
    const front = await roundRobin([a.url, b.url]);
    try {
      const names: string[] = [];
      for (let i = 0; i < 7; i++) {
        names.push(`front ${i}`);
        const made = await requestOnce(`${front.url}/api/projects`, {
          method: 'POST',
          key: TEST_KEY,
          json: { name: names[i]! },
        });
        expect(made.status).toBe(201);
        const { body } = await requestOnce(`${front.url}/api/projects?limit=500`, { key: TEST_KEY });
        const { items } = JSON.parse(body) as { items: Project[] };
        expect(items.map(({ name }) => name).filter((name) => name.startsWith('front'))).toEqual(names);
      }
      expect(front.connections).toEqual([7, 7]);
    } finally {
      await front.close();
    }
  });

  it('count one rate limit together', async () => {
    const front = await roundRobin(limited.map(({ url }) => url));
    try {
      const replies = await Promise.all(
        Array.from({ length: 2 * REQUESTS }, () => requestOnce(`${front.url}/api/projects`, { key: TEST_KEY })),
      );
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(REQUESTS);
      expect(replies.filter(({ status }) => status === 429)).toHaveLength(REQUESTS);
      expect(front.connections).toEqual([REQUESTS, REQUESTS]);
    } finally {
      await front.close();
    }
  });

  it('tell a socket on one of what was done through the other, and go on where the other one stopped', async () => {
    const { id } = await newProject(b);
    const steady = await open(b, `projectId=${id}`);
    const leaving = await open(a, `projectId=${id}`);
    await uploadPictures(b, id, 4, 100);
    await until(() => leaving.events().length === 4);
    const { epoch } = leaving.hello()!;
    const since = leaving.lastSeq();
    await leaving.close();
    await uploadPictures(a, id, 5, 200);
    const back = await open(b, `projectId=${id}&epoch=${epoch}&since=${since}`);
    await uploadPictures(a, id, 3, 300);
    await until(() => back.events().length === 8 && steady.events().length === 12);
    expect(back.snapshot()).toBeUndefined();
    expect([...leaving.events(), ...back.events()]).toEqual(steady.events());
    expect(breaks(steady)).toEqual([]);
  });

  it('know a session of the other one, and end it together', async () => {
    const signIn = await a.call('/api/session', { method: 'POST', key: null, json: { key: TEST_KEY } });
    const cookie = signIn.headers.get('set-cookie')!.split(';')[0]!;
    const by = (app: TestApp, method = 'GET') =>
      app.call('/api/session', { method, key: null, headers: { cookie, origin: app.url } });
    expect([(await by(a)).status, (await by(b)).status]).toEqual([200, 200]);
    expect((await by(b, 'DELETE')).status).toBe(204);
    expect((await by(b)).status).toBe(401);
    // Told by the database, within milliseconds; without that it would take an hour here.
    await until(async () => (await by(a)).status === 401);
  });

  it('revoke a key together', async () => {
    const { id, token } = await json<{ id: string; token: string }>(
      a.call('/api/keys', { method: 'POST', json: { name: 'soon gone', scopes: ['read'] } }),
    );
    const by = async (app: TestApp) => (await app.call('/api/projects', { key: token })).status;
    expect([await by(a), await by(b)]).toEqual([200, 200]);
    expect((await b.call(`/api/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    await until(async () => (await by(a)) === 401);
    expect(await by(b)).toBe(401);
  });

  it('make one upload of the same Idempotency-Key sent to both at once', async () => {
    const { id } = await newProject(a);
    const bytes = await picture(4711);
    const headers = { 'idempotency-key': randomUUID() };
    const replies = await Promise.all([a, b, a, b].map((app) => upload(app, id, bytes, headers)));
    const bodies = await Promise.all(replies.map(async (reply) => (await reply.json()) as UploadReply));
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(bodies.map(({ images }) => images[0]!.id)).size).toBe(1);
    expect(replies.filter(({ headers: sent }) => sent.get('idempotency-replayed') === 'true')).toHaveLength(3);
    expect(await a.sql`select 1 from images where project_id = ${id}`).toHaveLength(1);
  });

  it('give out each other’s exports, whole and in ranges', async () => {
    const { id } = await newProject(a);
    const images = await uploadPictures(a, id, 3, 500);
    const batchId = await finishBatch(a, id, images, [2, 3, 4]);
    const made = await json<Export>(
      a.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format: 'ndjson' } }),
    );
    await until(async () => (await json<Export>(b.call(`/api/exports/${made.id}`))).status === 'ready');
    const whole = await (await b.call(`/api/download/${made.id}`)).text();
    expect(whole.trim().split('\n')).toHaveLength(3);
    const [head, tail] = await Promise.all([
      a.call(`/api/download/${made.id}`, { headers: { range: 'bytes=0-99' } }),
      b.call(`/api/download/${made.id}`, { headers: { range: 'bytes=100-' } }),
    ]);
    expect([head.status, tail.status]).toEqual([206, 206]);
    expect((await head.text()) + (await tail.text())).toBe(whole);
    expect(head.headers.get('etag')).toBe(tail.headers.get('etag'));
  });
});
