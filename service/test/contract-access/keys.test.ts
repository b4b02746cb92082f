import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '#contract/admin.ts';
import { createKeyStore } from '../../src/database/keys.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { auditRows, makeKey, signIn, wholeDatabase } from './kit.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

let server: TestApp;
let beside: TestApp;
beforeAll(async () => {
  const patient = { KEY_TRUST_MS: '3600000' };
  server = await startTestApp(patient);
  beside = await startTestApp(patient, { beside: server });
});
afterAll(async () => {
  await beside.close();
  await server.close();
});
const status = async (reply: Promise<Response>) => (await reply).status;
const post = (json: unknown, key: string | null = TEST_KEY) =>
  status(server.call('/api/keys', { method: 'POST', json, key }));
const revoke = (id: string, key = TEST_KEY) => status(server.call(`/api/keys/${id}`, { method: 'DELETE', key }));
const listed = async (query = 'limit=500') =>
  ((await (await server.call(`/api/keys?${query}`)).json()) as { items: Key[] }).items;

describe('a key', () => {
  it('is shown by the reply that made it, and by nothing else ever', async () => {
    const { token, ...shown } = await makeKey(server, ['read', 'metrics'], { name: 'nightly' });
    const [named, secret] = token.split('.');
    expect([named, secret]).toEqual([shown.id, expect.stringMatching(/^[\w-]{43}$/)]);
    expect(shown).toEqual({
      id: expect.any(String),
      name: 'nightly',
      scopes: ['read', 'metrics'],
      createdAt: expect.any(String),
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
    });
    await server.call('/api/projects', { key: token });
    await signIn(server, token);
    const rows = await listed();
    expect(rows.find(({ id }) => id === shown.id)).toEqual({ ...shown, lastUsedAt: expect.any(String) });
    await revoke(shown.id);
    const texts = [
      JSON.stringify(await listed()),
      JSON.stringify(await auditRows(server)),
      await wholeDatabase(server),
    ];
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token)));
    for (const text of texts) for (const hidden of [token, secret!, TEST_KEY]) expect(text).not.toContain(hidden);
    // Not even what could be guessed against offline leaves the database.
    expect(texts.map((text) => text.includes(hash.toString('hex')))).toEqual([false, false, true]);
    expect(texts[0]).not.toContain(hash.toString('base64'));
  });

  it('is listed with those that are revoked or expired, page by page', async () => {
    const made = [await makeKey(server, ['read']), await makeKey(server, ['write']), await makeKey(server, ['admin'])];
    await revoke(made[0]!.id);
    const rows = await listed();
    expect(rows.slice(-3).map(({ id }) => id)).toEqual(made.map(({ id }) => id));
    expect(rows.at(-3)!.revokedAt).not.toBeNull();
    expect((await listed(`limit=2&offset=${rows.length - 2}`)).map(({ id }) => id)).toEqual(
      made.slice(1).map(({ id }) => id),
    );
  });

  it('is refused with 400 unless it has a name, scopes that there are, and a time to come', async () => {
    const good = { name: 'good', scopes: ['read'] };
    const bad: Record<string, unknown>[] = [
      { scopes: ['read'] },
      { name: '', scopes: ['read'] },
      { name: 'x'.repeat(101), scopes: ['read'] },
      { name: 'no scopes' },
      { ...good, scopes: [] },
      { ...good, scopes: ['root'] },
      { ...good, scopes: ['read', 'read'] },
      { ...good, scopes: 'read' },
      { ...good, token: 'mine-mine-mine-mine-mine-mine-mine-mine' },
      { ...good, expiresAt: new Date(Date.now() - 1000).toISOString() },
      { ...good, expiresAt: '2999-02-30T00:00:00Z' },
      { ...good, expiresAt: 4_102_444_800_000 },
      { ...good, expiresAt: '2999-01-01' },
    ];
    const before = await listed();
    for (const json of bad) expect([json, await post(json)]).toEqual([json, 400]);
    expect(await listed()).toEqual(before);
  });

  it('ends at once when it is revoked, in the other API process as well, and twice is 404', async () => {
    const key = await makeKey(server, ['read', 'admin']);
    const by = (app: TestApp) => status(app.call('/api/projects', { key: key.token }));
    expect([await by(server), await by(beside)]).toEqual([200, 200]);
    expect(await status(beside.call(`/api/keys/${key.id}`, { method: 'DELETE' }))).toBe(204);
    expect(await by(beside)).toBe(401);
    await until(async () => (await by(server)) === 401);
    expect([await revoke(key.id), await revoke(key.id.toUpperCase())]).toEqual([404, 404]);
    expect(await revoke('00000000-0000-4000-8000-000000000001')).toBe(404);
    expect(await revoke('nonsense')).toBe(400);
  });

  it('ends before the reply that says so, though nobody tells this process what it did itself', async () => {
    const keys = createKeyStore(server.sql, { trustMs: 3_600_000 });
    const { id, token } = await keys.create({ name: 'deaf', scopes: ['read'], tenantId: FIRST_TENANT });
    const session = await keys.openSession(id);
    expect(await keys.byToken(token)).toMatchObject({ id });
    expect(await keys.bySession(session.token)).toMatchObject({ id });
    expect(await keys.revoke(FIRST_TENANT, id)).toBe(true);
    expect([await keys.byToken(token), await keys.bySession(session.token)]).toEqual([null, null]);
  });

  it('may be revoked by itself, and is believed no more after it', async () => {
    const key = await makeKey(server, ['admin']);
    expect(await revoke(key.id, key.token)).toBe(204);
    expect(await revoke(key.id, key.token)).toBe(401);
    expect(await post({ name: 'after', scopes: ['read'] }, key.token)).toBe(401);
    expect((await auditRows(server, 1))[0]).toMatchObject({
      action: 'DELETE /api/keys/:id',
      keyId: key.id,
      targetId: key.id,
    });
  });
});

describe('the scope admin', () => {
  it('is needed for all that keys and the audit have', async () => {
    const { token } = await makeKey(server, ['read', 'write', 'metrics']);
    const { id } = await makeKey(server, ['read']);
    expect(await post({ name: 'mine', scopes: ['read'] }, token)).toBe(403);
    expect(await revoke(id, token)).toBe(403);
    for (const path of ['/api/keys', '/api/audit']) expect(await status(server.call(path, { key: token }))).toBe(403);
  });

  it('gives out every scope, those that the key itself has not as well, as documented', async () => {
    const { token } = await makeKey(server, ['admin']);
    expect(await status(server.call('/api/projects', { key: token }))).toBe(403);
    expect(await post({ name: 'wider', scopes: ['read', 'write', 'admin', 'metrics'] }, token)).toBe(201);
    const { paths } = (await (await server.call('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { description?: string }>>;
    };
    expect(paths['/api/keys']!['post']!.description).toContain('any scope');
    expect(paths['/api/keys/{id}']!['delete']!.description).toContain('BOOTSTRAP_API_KEY');
  });
});
