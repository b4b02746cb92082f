import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { pageAt, withoutBase, wayToRoot } from '../../src/way-to-root.ts';
import { openSocket } from '../events/socket.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

const SERVERS = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };

describe('the way to the service’s root', () => {
  it.each([
    ['/', './'],
    ['/runs', './'],
    ['/runs?base=a/b', './'],
    ['/runs/', '../'],
    ['/projects/0198', '../'],
    ['/projects/0198/', '../../'],
    ['/naive/projects/0198', '../../'],
    ['http://host/projects/0198', '../'],
  ])('from %s is %s', (url, way) => {
    expect(wayToRoot(url)).toBe(way);
  });

  it('is put before the relative addresses of a page, and before no other', () => {
    const page = '<script src="./assets/a.js"></script><a href="https://other.example/./b">./c</a>';
    expect(pageAt(page, '/images/0198')).toBe(page.replace('./assets', '../assets'));
  });
});

it.each([
  ['/segbench', '/'],
  ['/segbench/', '/'],
  ['/segbench?a=1', '/?a=1'],
  ['/segbench/runs?a=/segbench/', '/runs?a=/segbench/'],
  ['/segbenchmark/runs', '/segbenchmark/runs'],
  ['/api/now', '/api/now'],
])('the base is taken from %s, which leaves %s', (url, left) => {
  expect(withoutBase(url, '/segbench')).toBe(left);
});

describe('a service with BASE_PATH', () => {
  let service: TestApp;
  beforeAll(async () => {
    service = await startTestApp({ BASE_PATH: '/segbench/' });
  });
  afterAll(() => service?.close());

  it('answers with and without the base, so that a proxy may leave it in or take it away', async () => {
    for (const path of ['/api/projects', '/segbench/api/projects?limit=1', '/segbench/healthz'])
      expect([path, (await service.call(path)).status]).toEqual([path, 200]);
    expect((await service.call('/segbench/nothing')).status).toBe(404);
    expect((await service.call('/elsewhere/api/projects')).status).toBe(404);
  });

  it('gives the session’s cookie to its own folder alone', async () => {
    const headers = { authorization: `Bearer ${TEST_KEY}` };
    const signIn = await service.call('/segbench/api/session', { method: 'POST', key: null, headers });
    expect(signIn.headers.getSetCookie()[0]).toContain('; Path=/segbench/;');
    const cookie = signIn.headers.getSetCookie()[0]!.split(';')[0]!;
    const signOut = await service.call('/segbench/api/session', { method: 'DELETE', key: null, headers: { cookie } });
    expect(signOut.headers.getSetCookie()[0]).toMatch(/Path=\/segbench\/;.*Expires=Thu, 01 Jan 1970/);
  });

  it('takes sockets below the base, and names it in addresses that it gives out', async () => {
    const made = await service.call('/api/projects', { method: 'POST', json: { name: 'below' } });
    const { id } = (await made.json()) as { id: string };
    const reader = await openSocket(`${service.url}/segbench`, { query: `projectId=${id}` });
    expect(reader.hello()).toMatchObject({ type: 'hello', projectId: id });
    await reader.close();
    const document = (await (await service.call('/openapi.json')).json()) as { servers: { url: string }[] };
    expect(document.servers[0]!.url).toBe('/segbench/');
    const address = service.app.urls.file('0198c0de-0000-7000-8000-000000000000');
    expect(address).toMatch(/^\/segbench\/api\/images\/0198c0de.*[?&]/);
    // known to be signed by this service, of an image that is not there
    expect((await service.call(address, { key: null })).status).toBe(404);
  });
});

it.each(['segbench', '/a b', '//a', '/a/../b', '/a//b', 'https://a.example/b'])(
  'BASE_PATH=%s ends the start',
  (value) => {
    expect(() => loadConfig({ ...SERVERS, BASE_PATH: value })).toThrow(/BASE_PATH is .*: expected a path/);
  },
);
