import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

const PAGE = 'https://lab.example.org';
let open: TestApp;
let closed: TestApp;
beforeAll(async () => {
  open = await startTestApp({ CORS_ORIGINS: `${PAGE}, http://localhost:5173` });
  closed = await startTestApp({}, { beside: open });
});
afterAll(async () => {
  await closed.close();
  await open.close();
});

const corsOf = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));
const preflight = (app: TestApp, origin: string, path = '/api/projects') =>
  app.call(path, {
    key: null,
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
  });

describe('pages of other origins', () => {
  it('that are named may ask, with a key of their own and never with the cookie', async () => {
    const before = await preflight(open, PAGE);
    expect([before.status, before.headers.get('access-control-allow-origin')]).toEqual([204, PAGE]);
    expect(before.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(before.headers.get('access-control-allow-credentials')).toBeNull();
    const reply = await open.call('/api/projects', { headers: { origin: PAGE } });
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
    expect(reply.headers.get('vary')).toMatch(/\bOrigin\b/i);
    expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
    const refused = await open.call('/api/projects', { key: null, headers: { origin: PAGE } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
    const graph = await open.call('/graphql', {
      method: 'POST',
      headers: { origin: PAGE },
      json: { query: '{ __typename }' },
    });
    expect([graph.status, graph.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
  });

  it.each([
    'https://evil.example',
    'null',
    `${PAGE}.evil.example`,
    'http://lab.example.org',
    `${PAGE}:8443`,
    'https://LAB.example.org/',
    '*',
  ])('that are not named may read nothing: %s', async (origin) => {
    for (const reply of [await preflight(open, origin), await open.call('/api/projects', { headers: { origin } })])
      expect(corsOf(reply)).toEqual([]);
    expect((await open.call('/api/projects', { headers: { origin } })).headers.get('vary')).toMatch(/\bOrigin\b/i);
  });

  it('may read nothing where none is named', async () => {
    for (const reply of [
      await preflight(closed, PAGE),
      await closed.call('/api/projects', { headers: { origin: PAGE } }),
    ])
      expect(corsOf(reply)).toEqual([]);
    expect((await preflight(closed, PAGE)).status).toBe(405);
  });

  it('that are named get no session cookie to use: what changes something is refused', async () => {
    const signed = await open.call('/api/session', { method: 'POST' });
    const cookie = signed.headers.get('set-cookie')!.split(';')[0]!;
    const reply = await open.call('/api/projects', {
      key: null,
      method: 'POST',
      json: { name: 'x' },
      headers: { origin: PAGE, cookie },
    });
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([403, 'FOREIGN_ORIGIN']);
  });

  it('are no wildcard, and nothing but origins', async () => {
    for (const bad of ['*', 'https://a.example/path', 'a.example', 'https://*.example', 'ftp://a.example'])
      await expect(startTestApp({ CORS_ORIGINS: bad }, { beside: open })).rejects.toThrow('CORS_ORIGINS');
  });

  it('open no socket, named or not', async () => {
    const { status } = await open.call('/api/events?projectId=01980000-0000-7000-8000-0000000000ff', {
      headers: { origin: PAGE },
    });
    expect(status).toBe(403);
  });
});
