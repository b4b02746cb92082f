import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '#contract/admin.ts';
import type { Image, UploadReply } from '#contract/images.ts';
import { auditRows, byCookie, signIn } from '../contract-access/kit.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { makeKey, newTenant, tenantIdOf, type MadeKey } from './kit.ts';

const UNKNOWN = '01980000-0000-7000-8000-0000000000ff';
let server: TestApp;
let beside: TestApp;
let other: MadeKey;
beforeAll(async () => {
  // what is not told to a process is believed there for an hour
  const patient = { KEY_TRUST_MS: '3600000', TENANTS_MAX: '4' };
  server = await startTestApp(patient);
  beside = await startTestApp(patient, { beside: server });
  other = await newTenant(server, 'other');
});
afterAll(async () => {
  await beside.close();
  await server.close();
});
const status = async (reply: Promise<Response>) => (await reply).status;
const projects = (key: string, app = server) => status(app.call('/api/projects', { key }));
const newProject = async (key: string = TEST_KEY) =>
  ((await (await server.call('/api/projects', { method: 'POST', json: { name: 'p' }, key })).json()) as { id: string })
    .id;
async function rotate(id: string, json?: object, key: string = TEST_KEY) {
  const reply = await server.call(`/api/keys/${id}/rotate`, { method: 'POST', key, ...(json && { json }) });
  return { status: reply.status, body: (await reply.json()) as Key & { token: string } };
}
const socketOf = async (token: string, app = server) =>
  openSocket(app.url, {
    query: `projectId=${await newProject()}`,
    headers: { authorization: `Bearer ${token}` },
  });

describe('a token', () => {
  it('is id.secret: the id alone, or with another secret, opens nothing and leaves no trace', async () => {
    const key = await makeKey(server, { name: 'k', scopes: ['read'] });
    const [id, secret] = key.token.split('.') as [string, string];
    expect(id).toBe(key.id);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const { token: stranger } = await makeKey(server, { name: 'l', scopes: ['read'] });
    const wrong = [
      id,
      `${id}.`,
      secret,
      `${id}.${stranger.split('.')[1]!}`,
      `${id}.${secret.slice(1)}`,
      `${key.token}x`,
    ];
    for (const token of wrong) expect([token, await projects(token)]).toEqual([token, 401]);
    const lastUse = () => server.sql`select last_used_at as at from api_keys where id = ${id}`;
    expect(await lastUse()).toEqual([{ at: null }]);
    expect(await projects(key.token)).toBe(200);
    expect(await lastUse()).toEqual([{ at: expect.any(Date) }]);
  });

  it('of an older version, which has no id, still opens', async () => {
    const old = `sb_${'o'.repeat(43)}`;
    await server.sql`insert into api_keys (id, name, token_sha256, scopes)
      values (${randomUUID()}, 'old', ${createHash('sha256').update(old).digest()}, array['read'])`;
    expect([await projects(old), await projects(`${old}x`)]).toEqual([200, 401]);
  });
});

describe('rotation', () => {
  it('ends the secret before at once, with its sessions and sockets, in every process', async () => {
    const key = await makeKey(server, { name: 'turned', scopes: ['read'] });
    expect([await projects(key.token), await projects(key.token, beside)]).toEqual([200, 200]);
    const session = await signIn(server, key.token);
    const [here, there] = [await socketOf(key.token), await socketOf(key.token, beside)];
    const { status: code, body } = await rotate(key.id);
    expect(code).toBe(200);
    expect(body).toMatchObject({ id: key.id, name: 'turned', scopes: ['read'], revokedAt: null });
    expect(body.token).toMatch(new RegExp(`^${key.id}\\.[\\w-]{43}$`));
    expect(await projects(key.token)).toBe(401);
    await until(async () => (await projects(key.token, beside)) === 401);
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(401);
    expect(await Promise.all([here.closed, there.closed])).toEqual([1008, 1008]);
    expect([await projects(body.token), await projects(body.token, beside)]).toEqual([200, 200]);
    expect((await auditRows(server, 1))[0]).toMatchObject({
      action: 'POST /api/keys/:id/rotate',
      targetType: 'keys',
      targetId: key.id,
      detail: { overlapSeconds: 0 },
    });
  });

  it('with an overlap lets both secrets hold, the one before to the end of it, sockets and sessions too', async () => {
    const key = await makeKey(server, { name: 'overlap', scopes: ['read'] });
    const session = await signIn(server, key.token);
    const { body } = await rotate(key.id, { overlapSeconds: 2 });
    const [old, renewed] = [await socketOf(key.token), await socketOf(body.token)];
    expect([await projects(key.token), await projects(body.token)]).toEqual([200, 200]);
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(200);
    // nobody says so: the clock does
    expect(await old.closed).toBe(1008);
    expect([await projects(key.token), await projects(body.token)]).toEqual([401, 200]);
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(401);
    expect(renewed.socket.readyState).toBe(renewed.socket.OPEN);
    await renewed.close();
  });

  it('keeps a bootstrap key that was rotated away from coming back with the next start', async () => {
    const app = await startTestApp();
    const [row] = await app.sql<{ id: string }[]>`select id from api_keys`;
    const reply = await app.call(`/api/keys/${row!.id}/rotate`, { method: 'POST' });
    const { token } = (await reply.json()) as { token: string };
    await app.app.keys.ensureBootstrap(TEST_KEY);
    app.app.keys.forget();
    expect(await status(app.call('/api/projects'))).toBe(401);
    expect(await status(app.call('/api/projects', { key: token }))).toBe(200);
    await app.close();
  });

  it('is 404 for a key that is revoked, expired, unknown or another tenant’s, and 400 for an overlap over a week', async () => {
    const [revoked, expired, good] = await Promise.all(
      ['a', 'b', 'c'].map((name) => makeKey(server, { name, scopes: ['read'] })),
    );
    await server.call(`/api/keys/${revoked!.id}`, { method: 'DELETE' });
    await server.sql`update api_keys set expires_at = now() where id = ${expired!.id}`;
    for (const id of [revoked!.id, expired!.id, other.id, UNKNOWN])
      expect([id, (await rotate(id)).status]).toEqual([id, 404]);
    for (const overlapSeconds of [-1, 604_801, 1.5, '1'])
      expect([overlapSeconds, (await rotate(good!.id, { overlapSeconds })).status]).toEqual([overlapSeconds, 400]);
    expect(await projects(good!.token)).toBe(200);
  });
});

describe('a tenant', () => {
  it('is made by the operator’s key for a name that is new, once', async () => {
    const json = { name: 'first', scopes: ['read', 'write', 'admin'], tenant: 'lab' };
    const [first, second] = await Promise.all([makeKey(server, json), makeKey(server, { ...json, name: 'second' })]);
    expect([first.tenant, second.tenant]).toEqual(['lab', 'lab']);
    const id = await newProject(first.token);
    expect(await status(server.call(`/api/projects/${id}`, { key: second.token }))).toBe(200);
    expect(await status(server.call(`/api/projects/${id}`))).toBe(404);
    // its keys are its own: the operator does not see them
    const keysOf = async (key: string) =>
      ((await (await server.call('/api/keys?limit=500', { key })).json()) as { items: Key[] }).items.map(
        (key) => key.name,
      );
    expect((await keysOf(first.token)).toSorted()).toEqual(['first', 'second']);
    expect(await keysOf(TEST_KEY)).not.toContain('second');
  });

  it('makes keys of its own, and learns of no other tenant’s name by trying', async () => {
    const mine = await makeKey(server, { name: 'mine', scopes: ['read'], tenant: 'other' }, other.token);
    expect(mine.tenant).toBe('other');
    expect((await makeKey(server, { name: 'mine', scopes: ['read'] }, other.token)).tenant).toBeUndefined();
    const tried = await Promise.all(
      ['operator', 'lab', 'nobody at all'].map(async (tenant) => {
        const json = { name: 'x', scopes: ['read'], tenant };
        const reply = await server.call('/api/keys', { method: 'POST', json, key: other.token });
        return [reply.status, await reply.text()];
      }),
    );
    expect(tried.map(([code]) => code)).toEqual([403, 403, 403]);
    expect(new Set(tried.map(([, text]) => text)).size).toBe(1);
    expect(await server.sql`select name from tenants where name = 'nobody at all'`).toEqual([]);
  });

  it('cannot have the scope of the processes’ figures, whoever makes the key', async () => {
    for (const [key, tenant] of [
      [TEST_KEY, 'other'],
      [other.token, undefined],
    ] as const) {
      const json = { name: 'x', scopes: ['read', 'metrics'], ...(tenant && { tenant }) };
      const reply = await server.call('/api/keys', { method: 'POST', json, key });
      expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('no metrics')]);
    }
  });

  it('has keys that the operator can list, turn and revoke by its name, which stands in its audit', async () => {
    const key = await makeKey(server, { name: 'leaked', scopes: ['read'] }, other.token);
    const at = (path: string, tenant = 'other') => `/api/keys${path}?tenant=${encodeURIComponent(tenant)}`;
    const { items } = (await (await server.call(at(''))).json()) as { items: Key[] };
    expect(items.map(({ id }) => id)).toContain(key.id);
    const turned = await server.call(at(`/${key.id}/rotate`), { method: 'POST' });
    const { token } = (await turned.json()) as { token: string };
    expect([turned.status, await projects(key.token), await projects(token)]).toEqual([200, 401, 200]);
    expect(await status(server.call(at(`/${key.id}`), { method: 'DELETE' }))).toBe(204);
    expect(await projects(token)).toBe(401);
    const rows = ((await (await server.call('/api/audit', { key: other.token })).json()) as { items: object[] }).items;
    const byOperator = { targetId: key.id, keyId: null, keyName: 'operator', detail: null };
    expect(rows.slice(0, 2)).toMatchObject([
      { action: 'DELETE /api/keys/:id', ...byOperator },
      { action: 'POST /api/keys/:id/rotate', ...byOperator },
    ]);
    // another tenant's key is not there under this one's name, nor this one without its name
    expect(await status(server.call(at(`/${other.id}`, 'operator'), { method: 'DELETE' }))).toBe(404);
    expect(await status(server.call(`/api/keys/${other.id}`, { method: 'DELETE' }))).toBe(404);
    expect(await status(server.call(at('', 'nobody at all')))).toBe(404);
    expect(await projects(other.token)).toBe(200);
  });

  it('cannot name another tenant to see, turn or revoke its keys, and learns nothing by trying', async () => {
    const mine = await makeKey(server, { name: 'of the operator', scopes: ['read'] });
    const lab = await makeKey(server, { name: 'of the lab', scopes: ['read'], tenant: 'lab' });
    const ask = async (path: string, method: string, tenant: string) => {
      const reply = await server.call(`/api/keys${path}?tenant=${encodeURIComponent(tenant)}`, {
        method,
        key: other.token,
      });
      return `${reply.status} ${await reply.text()}`;
    };
    for (const [path, method] of [
      ['', 'GET'],
      [`/${mine.id}`, 'DELETE'],
      [`/${lab.id}`, 'DELETE'],
      [`/${lab.id}/rotate`, 'POST'],
    ] as const) {
      const told = await Promise.all(['operator', 'lab', 'nobody at all'].map((name) => ask(path, method, name)));
      expect([new Set(told).size, told[0]!.slice(0, 3)]).toEqual([1, '403']);
    }
    expect([await projects(mine.token), await projects(lab.token)]).toEqual([200, 200]);
    expect(await ask('', 'GET', 'other')).toMatch(/^200 /);
  });

  it('sees in its audit that the operator made a key for it, and nothing else of him', async () => {
    await makeKey(server, { name: 'by the operator', scopes: ['read'], tenant: 'other' });
    const rows = ((await (await server.call('/api/audit', { key: other.token })).json()) as { items: object[] }).items;
    expect(rows[0]).toMatchObject({ action: 'POST /api/keys', keyId: null, keyName: 'operator', detail: null });
    expect((await auditRows(server, 1))[0]).toMatchObject({ keyName: 'bootstrap', detail: { tenant: 'other' } });
    expect(JSON.stringify(rows)).not.toContain('bootstrap');
  });

  it('is one of TENANTS_MAX', async () => {
    const make = (tenant: string) =>
      server.call('/api/keys', { method: 'POST', json: { name: 'k', scopes: ['read'], tenant } });
    expect(await status(make('fourth'))).toBe(201);
    const reply = await make('fifth');
    expect([reply.status, await reply.text()]).toEqual([409, expect.stringContaining('at most 4')]);
    expect(await status(make('fourth'))).toBe(201);
  });
});

describe('what two tenants have alike', () => {
  const bytes = picture(7);
  async function upload(
    projectId: string,
    key: string,
    headers: Record<string, string> = {},
  ): Promise<Image & { replayed: boolean }> {
    const body = form([{ name: 'same.png', bytes: await bytes }]);
    const reply = await server.call(`/api/projects/${projectId}/images`, { method: 'POST', body, key, headers });
    const { images } = (await reply.json()) as UploadReply;
    return { ...images[0]!, replayed: reply.headers.has('idempotency-replayed') };
  }

  it('shares bytes on the disk, and neither an Idempotency-Key nor a drawn picture', async () => {
    const headers = { 'idempotency-key': 'the same' };
    const [mine, theirs] = [
      await upload(await newProject(), TEST_KEY, headers),
      await upload(await newProject(other.token), other.token, headers),
    ];
    expect([mine.replayed, theirs.replayed, mine.sha256 === theirs.sha256]).toEqual([false, false, true]);
    const draw = (image: Image, key: string) =>
      status(server.call(`/api/images/${image.id}/render?w=32&f=png`, { key }));
    expect([await draw(mine, TEST_KEY), await draw(theirs, other.token)]).toEqual([200, 200]);
    const folder = join(server.dataDir, 'derived', mine.sha256.slice(0, 2), mine.sha256.slice(2, 4));
    const tag = `t${await tenantIdOf(server, 'other')}-`;
    await until(async () => (await readdir(folder)).length === 2);
    expect((await readdir(folder)).toSorted()).toEqual([`${mine.sha256}-32xq.png`, `${mine.sha256}-${tag}32xq.png`]);
  });

  it('gives a signed address to whoever has it, and to nobody for another id', async () => {
    const image = await upload(await newProject(), TEST_KEY);
    const { fileUrl } = (await (await server.call(`/api/images/${image.id}`)).json()) as { fileUrl: string };
    const theirs = await upload(await newProject(other.token), other.token);
    for (const key of [null, other.token]) expect(await status(server.call(fileUrl, { key }))).toBe(200);
    expect(await status(server.call(fileUrl.split('?')[0]!, { key: other.token }))).toBe(404);
    expect(await status(server.call(fileUrl.replace(image.id, theirs.id), { key: null }))).toBe(403);
    await server.call(`/api/images/${image.id}`, { method: 'DELETE' });
    expect(await status(server.call(fileUrl, { key: null }))).toBe(404);
  });
});
