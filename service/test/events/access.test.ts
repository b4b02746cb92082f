import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '#contract/admin.ts';
import { openSocket, type Reader } from './socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

/** Long enough that nothing is forgotten by itself while a test waits. */
const PATIENT = { KEY_TRUST_MS: '3600000' };
let server: TestApp;
let beside: TestApp;
let projectId: string;
const readers: Reader[] = [];

beforeAll(async () => {
  server = await startTestApp(PATIENT);
  beside = await startTestApp(PATIENT, { beside: server });
  const reply = await server.call('/api/projects', { method: 'POST', json: { name: 'events' } });
  projectId = ((await reply.json()) as { id: string }).id;
});
afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});
afterAll(async () => {
  await beside.close();
  await server.close();
});
const open = async (headers: Record<string, string>, app = server) => {
  const reader = await openSocket(app.url, { query: `projectId=${projectId}`, headers });
  readers.push(reader);
  return reader;
};
const newKey = async (more: object = {}) =>
  (await (
    await server.call('/api/keys', { method: 'POST', json: { name: 'reader', scopes: ['read'], ...more } })
  ).json()) as Key & { token: string };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('an open socket', () => {
  it('ends with 1008 when its key is revoked, in every process, and no other socket does', async () => {
    const [key, other] = [await newKey(), await newKey()];
    const here = await open(bearer(key.token));
    const there = await open(bearer(key.token), beside);
    const steady = await open(bearer(other.token));
    expect((await server.call(`/api/keys/${key.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await Promise.all([here.closed, there.closed])).toEqual([1008, 1008]);
    await expect(open(bearer(key.token))).rejects.toThrow('HTTP 401');
    expect(steady.socket.readyState).toBe(steady.socket.OPEN);
  });

  it('ends when its session is closed, or the key that the session was made from is revoked', async () => {
    const { id, token } = await newKey();
    const signIn = async () => {
      const reply = await server.call('/api/session', { method: 'POST', json: { key: token }, key: null });
      return { cookie: reply.headers.get('set-cookie')!.split(';')[0]!, origin: server.url };
    };
    const [first, second] = [await signIn(), await signIn()];
    const [closing, lasting] = [await open(first), await open(second)];
    await server.call('/api/session', { method: 'DELETE', key: null, headers: first });
    expect(await closing.closed).toBe(1008);
    expect(lasting.socket.readyState).toBe(lasting.socket.OPEN);
    await server.call(`/api/keys/${id}`, { method: 'DELETE' });
    expect(await lasting.closed).toBe(1008);
  });

  it('ends when its key expires, though nobody says so', async () => {
    const { id, token } = await newKey();
    const reader = await open(bearer(token));
    await server.sql`update api_keys set expires_at = now() + interval '1 second' where id = ${id}`;
    // It is looked up once more, and good; then it ends by the clock alone.
    server.app.keys.forget();
    server.app.access.recheck();
    expect(await reader.closed).toBe(1008);
  });

  it('stays when another key is revoked', async () => {
    const reader = await open(bearer(TEST_KEY));
    const { id } = await newKey();
    const witness = await newKey();
    const watched = await open(bearer(witness.token));
    await server.call(`/api/keys/${id}`, { method: 'DELETE' });
    await server.call(`/api/keys/${witness.id}`, { method: 'DELETE' });
    expect(await watched.closed).toBe(1008);
    expect(reader.socket.readyState).toBe(reader.socket.OPEN);
  });
});
