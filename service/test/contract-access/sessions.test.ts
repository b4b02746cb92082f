import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Document } from '../../src/openapi/document.ts';
import { openSocket } from '../events/socket.ts';
import { ask } from '../graphql/support.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { byCookie, makeKey, signIn, wholeDatabase } from './kit.ts';

let server: TestApp;
/** Believes what 127.0.0.1 says of the client, as of a proxy that ends TLS. */
let behindProxy: TestApp;
let elsewhere: TestApp;
beforeAll(async () => {
  server = await startTestApp({ KEY_TRUST_MS: '3600000' });
  behindProxy = await startTestApp({ TRUSTED_PROXIES: '127.0.0.1' }, { beside: server });
  elsewhere = await startTestApp({ TRUSTED_PROXIES: '10.0.0.0/8' }, { beside: server });
});
afterAll(async () => {
  await elsewhere.close();
  await behindProxy.close();
  await server.close();
});
const HTTPS = { 'x-forwarded-proto': 'https' };
const attributesOf = (setCookie: string) => new Set(setCookie.split('; ').slice(1));
const status = async (reply: Promise<Response>) => (await reply).status;

describe('the cookie', () => {
  it('is for HTTP and this site alone, lasts as long as its session, and is no key', async () => {
    const { setCookie, cookie, body } = await signIn(server);
    expect(attributesOf(setCookie)).toEqual(new Set(['Max-Age=43200', 'Path=/', 'HttpOnly', 'SameSite=Strict']));
    expect(Math.abs(Date.parse(body.expiresAt) - Date.now() - 43_200_000)).toBeLessThan(60_000);
    const [, token] = cookie.split('=');
    expect(token).toMatch(/^ss_[\w-]{43}$/);
    expect(JSON.stringify(body)).not.toContain(token);
    expect(await status(server.call('/api/projects', { key: token! }))).toBe(401);
    expect(await wholeDatabase(server)).not.toContain(token);
    expect((await signIn(server)).cookie).not.toBe(cookie);
  });

  it('is Secure behind TLS, which only a trusted proxy can say', async () => {
    const secure = async (app: TestApp, headers = {}) =>
      attributesOf((await signIn(app, TEST_KEY, headers)).setCookie).has('Secure');
    expect(await secure(behindProxy, HTTPS)).toBe(true);
    expect(await secure(behindProxy, { 'x-forwarded-proto': 'http' })).toBe(false);
    expect(await secure(behindProxy)).toBe(false);
    expect(await secure(server, HTTPS)).toBe(false);
    expect(await secure(elsewhere, HTTPS)).toBe(false);
  });

  it('serves a page that TLS is ended for, whose Origin begins with https', async () => {
    const origin = behindProxy.url.replace('http:', 'https:');
    const session = await signIn(behindProxy, TEST_KEY, { ...HTTPS, origin });
    const headers = { ...HTTPS, origin };
    const made = byCookie(behindProxy, session, '/api/projects', { method: 'POST', json: { name: 'tls' }, headers });
    expect(await status(made)).toBe(201);
    expect(await status(byCookie(behindProxy, session, '/api/session', { method: 'DELETE', headers }))).toBe(204);
  });

  it('is taken back by DELETE, which ends this session and no other of the key', async () => {
    const [ended, other] = [await signIn(server), await signIn(server)];
    const reply = await byCookie(server, ended, '/api/session', { method: 'DELETE' });
    expect(reply.status).toBe(204);
    const { name, attributes } = (([pair, ...rest]) => ({ name: pair, attributes: rest }))(
      reply.headers.get('set-cookie')!.split('; '),
    );
    expect(name).toBe('segbench_session=');
    expect(attributes).toEqual(expect.arrayContaining(['Path=/', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT']));
    expect(await status(byCookie(server, ended, '/api/projects'))).toBe(401);
    expect(await status(byCookie(server, other, '/api/projects'))).toBe(200);
    expect(await status(byCookie(server, ended, '/api/session', { method: 'DELETE' }))).toBe(401);
    expect(await status(server.call('/api/projects'))).toBe(200);
  });
});

describe('a session', () => {
  it('may do what its key may, and nothing that it may not', async () => {
    const reader = await signIn(server, (await makeKey(server, ['read'])).token);
    const writer = await signIn(server, (await makeKey(server, ['read', 'write'])).token);
    const admin = await signIn(server, (await makeKey(server, ['admin'])).token);
    expect(await (await byCookie(server, reader, '/api/session')).json()).toMatchObject({ scopes: ['read'] });
    const json = { name: 'more', scopes: ['read', 'write', 'admin'] };
    const post = (who: typeof reader, path: string, body: object) =>
      status(byCookie(server, who, path, { method: 'POST', json: body }));
    expect(await post(reader, '/api/projects', { name: 'x' })).toBe(403);
    expect(await post(writer, '/api/projects', { name: 'x' })).toBe(201);
    for (const who of [reader, writer]) {
      expect(await post(who, '/api/keys', json)).toBe(403);
      for (const path of ['/api/keys', '/api/audit', '/api/metrics/summary'])
        expect([path, await status(byCookie(server, who, path))]).toEqual([path, 403]);
    }
    expect(await post(admin, '/api/keys', json)).toBe(201);
    expect(await status(byCookie(server, admin, '/api/projects'))).toBe(403);
    const refused = await ask(
      server,
      'mutation { createProject(input: { name: "x" }) { id } }',
      {},
      {
        key: null,
        headers: { cookie: reader.cookie, origin: server.url },
      },
    );
    expect(refused.codes).toEqual(['FORBIDDEN']);
  });

  it('gives way to a bearer key, and does not stand in for a wrong one', async () => {
    const { token } = await makeKey(server, ['read']);
    const { cookie } = await signIn(server);
    const ask = async (key: string) =>
      (await (await server.call('/api/session', { key, headers: { cookie } })).json()) as object;
    expect(await ask(token)).toMatchObject({ scopes: ['read'] });
    expect(await ask('wrong')).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(
      await status(server.call('/api/session', { key: null, headers: { cookie, authorization: 'Basic eDp5' } })),
    ).toBe(401);
  });

  it('ends at once with its key, although a found key is trusted for an hour', async () => {
    const key = await makeKey(server, ['read']);
    const [one, two] = [await signIn(server, key.token), await signIn(server, key.token)];
    const other = await signIn(server, (await makeKey(server, ['read'])).token);
    for (const who of [one, two, other]) expect(await status(byCookie(server, who, '/api/projects'))).toBe(200);
    expect(await status(server.call(`/api/keys/${key.id}`, { method: 'DELETE' }))).toBe(204);
    for (const who of [one, two]) expect(await status(byCookie(server, who, '/api/projects'))).toBe(401);
    expect(await status(byCookie(server, other, '/api/projects'))).toBe(200);
    expect(await status(server.call('/api/session', { method: 'POST', key: null, json: { key: key.token } }))).toBe(
      401,
    );
  });

  it('is said to last no longer than its key, and does not', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const key = await makeKey(server, ['read'], { expiresAt });
    const session = await signIn(server, key.token);
    expect(session.body.expiresAt).toBe(expiresAt);
    const maxAge = Number(/Max-Age=(\d+)/.exec(session.setCookie)![1]);
    expect(maxAge).toBeGreaterThan(3_500);
    expect(maxAge).toBeLessThanOrEqual(3_600);
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(200);
    await server.sql`update api_keys set expires_at = now() where id = ${key.id}`;
    server.app.keys.forget();
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(401);
  });

  it('ends by itself at its own time', async () => {
    const session = await signIn(server);
    await server.sql`update sessions set expires_at = now() where expires_at = ${session.body.expiresAt}`;
    expect(await status(byCookie(server, session, '/api/projects'))).toBe(401);
  });

  it('opens the event socket from its own page only', async () => {
    const { cookie } = await signIn(server);
    const made = await server.call('/api/projects', { method: 'POST', json: { name: 'socket' } });
    const query = `projectId=${((await made.json()) as { id: string }).id}`;
    const page = await openSocket(server.url, { query, headers: { cookie, origin: server.url } });
    expect(page.hello()).toBeDefined();
    await page.close();
    await expect(openSocket(server.url, { query, headers: { cookie } })).rejects.toThrow('HTTP 403');
  });

  it('is opened by no key that is unknown, none, or something else than a key', async () => {
    const post = (json: unknown, headers = {}) =>
      status(server.call('/api/session', { method: 'POST', key: null, json, headers }));
    expect(await post({ key: 'nobody' })).toBe(401);
    for (const bad of [{}, { key: '' }, { key: 7 }, { key: TEST_KEY, name: 'x' }, [], 'x', { key: 'x'.repeat(1001) }])
      expect([bad, await post(bad)]).toEqual([bad, 400]);
    expect(await post({ key: TEST_KEY }, { origin: 'http://evil.example' })).toBe(403);
    expect(await post({ key: TEST_KEY }, { 'sec-fetch-site': 'cross-site' })).toBe(403);
    // A session is no key: it cannot lengthen itself.
    const { cookie } = await signIn(server);
    expect(await post({ key: cookie.split('=')[1] })).toBe(401);
  });
});

it('lets no other site use the cookie for any route that is not a reading one', async () => {
  const { cookie } = await signIn(server);
  const { paths } = (await (await server.call('/openapi.json')).json()) as Document;
  const writing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => ({ method, path })),
  );
  expect(writing.length).toBeGreaterThan(15);
  const database = await wholeDatabase(server);
  const foreign: Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  for (const { method, path } of writing)
    for (const headers of foreign) {
      const url = path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000001');
      const init = {
        method: method.toUpperCase(),
        key: null,
        headers: { cookie, ...headers },
      };
      const reply = await server.call(
        url,
        path === '/api/session' && method === 'post' ? { ...init, json: { key: TEST_KEY } } : init,
      );
      const { code } = (await reply.json()) as { code: string };
      expect([method, path, reply.status, code]).toEqual([method, path, 403, 'FOREIGN_ORIGIN']);
    }
  expect(await wholeDatabase(server)).toBe(database);
});
