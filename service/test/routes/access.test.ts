import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '#contract/admin.ts';
import type { Project } from '#contract/images.ts';
import { createKeyStore } from '../../src/database/keys.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

/** `id.secret`, with 256 bits of secret. */
const TOKEN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[\w-]{43}$/;

let service: TestApp;
let project: Project;
interface ListOfIds {
  items: { id: string | number }[];
  nextCursor: string | null;
}
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const newKey = async (json: object) => {
  const reply = await service.call('/api/keys', { method: 'POST', json });
  expect(reply.status).toBe(201);
  return (await reply.json()) as Key & { token: string };
};
const status = async (path: string, init: Parameters<TestApp['call']>[1] = {}) =>
  (await service.call(path, init)).status;

beforeAll(async () => {
  service = await startTestApp();
  project = (await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
});
afterAll(() => service.close());

describe('keys', () => {
  it('answers 401 to a missing, unknown, expired or revoked key', async () => {
    expect(await status('/api/projects', { key: null })).toBe(401);
    expect(await status('/api/projects', { key: 'nobody' })).toBe(401);
    const soon = await newKey({
      name: 'soon',
      scopes: ['read'],
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect(await status('/api/projects', { key: soon.token })).toBe(200);
    await service.sql`update api_keys set expires_at = now() - interval '1 second' where id = ${soon.id}`;
    const revoked = await newKey({ name: 'revoked', scopes: ['read'] });
    expect(await status('/api/projects', { key: revoked.token })).toBe(200);
    expect(await status(`/api/keys/${revoked.id}`, { method: 'DELETE' })).toBe(204);
    expect(await status('/api/projects', { key: revoked.token })).toBe(401);
    expect(await status('/api/projects', { key: soon.token })).toBe(401);
    expect(await status(`/api/keys/${revoked.id}`, { method: 'DELETE' })).toBe(404);
  });

  it('trusts a key to the moment it expires, although keys are remembered for seconds', async () => {
    let time = Date.now();
    const keys = createKeyStore(service.sql, { now: () => time });
    const { token } = await keys.create({
      name: 'short',
      scopes: ['read'],
      expiresAt: new Date(time + 2000),
      tenantId: FIRST_TENANT,
    });
    expect(await keys.byToken(token)).toMatchObject({ name: 'short' });
    await service.sql`update api_keys set expires_at = now() where name = 'short'`;
    time += 1999;
    expect(await keys.byToken(token)).toMatchObject({ name: 'short' });
    time += 1;
    expect(await keys.byToken(token)).toBeNull();
  });

  it('answers 400 to a time of expiry that is past or none', async () => {
    for (const expiresAt of ['2020-01-01T00:00:00Z', '9999-12-31T23:59:60Z', 'tomorrow'])
      expect(await status('/api/keys', { method: 'POST', json: { name: 'x', scopes: ['read'], expiresAt } })).toBe(400);
  });

  it.each(['/api/keys', '/api/audit'])('lists %s by cursor as by offset', async (path) => {
    const page = async (query: string) => (await (await service.call(`${path}?${query}`)).json()) as ListOfIds;
    const { items } = await page('limit=500');
    expect(items.length).toBeGreaterThan(2);
    const seen: (string | number)[] = [];
    let cursor: string | null = null;
    do {
      const next: ListOfIds = await page(`limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...next.items.map(({ id }) => id));
      cursor = next.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(items.map(({ id }) => id));
    expect(await status(`${path}?cursor=abc`)).toBe(400);
  });

  it('answers 403 outside of the key’s scopes, and 404 to an unknown id inside of them', async () => {
    const { token: key } = await newKey({ name: 'reader', scopes: ['read'] });
    expect(await status('/api/projects', { method: 'POST', json: { name: 'x' }, key })).toBe(403);
    expect(await status('/api/keys', { key })).toBe(403);
    expect(await status('/api/audit', { key })).toBe(403);
    expect(await status('/api/metrics/summary', { key })).toBe(403);
    expect(await status(`/api/projects/${UNKNOWN}`, { key })).toBe(404);
    expect(await status('/api/projects/abc', { key })).toBe(400);
    const { token: meter } = await newKey({ name: 'meter', scopes: ['metrics'] });
    expect(await status('/api/projects', { key: meter })).toBe(403);
    expect(await status('/api/metrics/summary', { key: meter })).toBe(200);
  });

  it('never shows a token again', async () => {
    const { token } = await newKey({ name: 'secret', scopes: ['read'] });
    const text = await (await service.call('/api/keys')).text();
    expect(text).toContain('secret');
    expect(text).not.toContain(token);
    const rows = await service.sql<{ hash: Buffer }[]>`select token_sha256 as hash from api_keys`;
    expect(rows.every(({ hash }) => hash.length === 32)).toBe(true);
  });
});

describe('sessions', () => {
  const open = async (headers: Record<string, string> = {}) =>
    service.call('/api/session', { method: 'POST', json: { key: TEST_KEY }, key: null, headers });
  const cookieOf = (reply: Response) => reply.headers.get('set-cookie')!.split(';')[0]!;

  it('opens with a key, reads by cookie, and ends', async () => {
    const reply = await open({ origin: service.url });
    expect(reply.status).toBe(201);
    expect((await service.call('/api/session', { method: 'POST' })).status).toBe(201);
    expect(await status('/api/session', { method: 'POST', key: null })).toBe(400);
    expect(reply.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
    const cookie = cookieOf(reply);
    expect(await status('/api/projects', { key: null, headers: { cookie } })).toBe(200);
    expect(
      await status('/api/session', { method: 'DELETE', key: null, headers: { cookie, origin: service.url } }),
    ).toBe(204);
    expect(await status('/api/projects', { key: null, headers: { cookie } })).toBe(401);
  });

  it('changes nothing by cookie unless the request comes from its own pages', async () => {
    const cookie = cookieOf(await open());
    const json = { name: 'by cookie' };
    const post = (headers: Record<string, string>) =>
      status('/api/projects', { method: 'POST', json, key: null, headers: { cookie, ...headers } });
    // Browsers name where such a request comes from; a program, which nobody can lure here, need not.
    expect(await post({})).toBe(201);
    expect(await post({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await post({ origin: 'http://evil.example' })).toBe(403);
    expect(await post({ origin: 'null' })).toBe(403);
    expect(await post({ origin: service.url })).toBe(201);
    expect((await open({ origin: 'http://evil.example' })).status).toBe(403);
    expect(await status('/api/session', { method: 'POST', json: { key: 'wrong' }, key: null })).toBe(401);
  });
});

describe('audit', () => {
  it('has a row for each change, and none for reads and refusals', async () => {
    const before = ((await (await service.call('/api/audit')).json()) as { total: number }).total;
    await service.call(`/api/projects/${project.id}`, { method: 'PATCH', json: { name: 'renamed' } });
    await service.call(`/api/projects/${project.id}`);
    await service.call('/api/projects', { method: 'POST', json: {} });
    await service.call('/api/segmentation/batch/results', { method: 'POST', json: { imageIds: [UNKNOWN] } });
    const { items, total } = (await (await service.call('/api/audit')).json()) as { total: number; items: object[] };
    expect(total).toBe(before + 1);
    expect(items[0]).toMatchObject({
      action: 'PATCH /api/projects/:id',
      targetType: 'projects',
      targetId: project.id,
      keyName: 'bootstrap',
    });
  });
});

describe('bootstrap', () => {
  it('makes a key once when none is given, and keeps a revoked one revoked', async () => {
    const { sql } = service;
    const { keys } = service.app;
    await sql`delete from api_keys`;
    const made = await keys.ensureBootstrap('');
    expect(made).toMatch(TOKEN);
    expect(await keys.ensureBootstrap('')).toBeNull();
    expect(await status('/api/projects', { key: made! })).toBe(200);
    expect(await keys.ensureBootstrap(TEST_KEY)).toBeNull();
    await sql`update api_keys set revoked_at = now() where name = 'bootstrap' and token_sha256 = sha256(convert_to(${TEST_KEY}, 'UTF8'))`;
    await keys.ensureBootstrap(TEST_KEY);
    expect(await keys.byToken(`${TEST_KEY}x`)).toBeNull();
    const [row] =
      await sql`select revoked_at from api_keys where token_sha256 = sha256(convert_to(${TEST_KEY}, 'UTF8'))`;
    expect(row!['revoked_at']).not.toBeNull();
  });
});
