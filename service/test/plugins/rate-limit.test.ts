import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

const apps: TestApp[] = [];
const start = async (env: Record<string, string>) => {
  const app = await startTestApp({ RATE_LIMITS: 'on', ...env });
  apps.push(app);
  return app;
};
const closeAll = async () => {
  for (const app of apps.splice(0)) await app.close();
};
afterEach(closeAll);
afterAll(closeAll);

const SEGMENTATION = '/api/images/00000000-0000-4000-8000-000000000001/segmentation';
/** Statuses of equal requests, one after the other. */
async function statuses(service: TestApp, times: number, path: string, init?: Parameters<TestApp['call']>[1]) {
  const seen: number[] = [];
  for (let i = 0; i < times; i++) seen.push((await service.call(path, init)).status);
  return seen;
}

describe('limits of a key', () => {
  it('answers 429 with the time to wait over the limit, for that kind of request only', async () => {
    const service = await start({ RATE_REQUESTS: '3', RATE_READS: '5' });
    expect(await statuses(service, 4, '/api/projects')).toEqual([200, 200, 200, 429]);
    const refused = await service.call('/api/projects');
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/over 3 requests a minute/),
    });
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(120);
    expect(refused.headers.get('ratelimit')).toBe(`"requests";r=0;t=${wait}`);
    expect(refused.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
    const read = await service.call(SEGMENTATION);
    expect(read.status).toBe(404);
    expect(read.headers.get('ratelimit')).toMatch(/^"reads";r=4;t=\d+$/);
    expect(read.headers.get('ratelimit-remaining')).toBe('4');
  });

  it('limits without Redis too', async () => {
    const service = await start({ RATE_REQUESTS: '3', CACHE_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(await statuses(service, 5, '/api/projects')).toEqual([200, 200, 200, 429, 429]);
  });

  it('has the documented defaults', () => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://x',
      QUEUE_REDIS_URL: 'redis://x',
      CACHE_REDIS_URL: 'redis://x',
    });
    expect(config).toMatchObject({
      rateRequests: 600,
      rateUploads: 120,
      rateReads: 3000,
      rateExports: 60,
      rateAddress: 300,
    });
  });
});

describe('limits of an address', () => {
  it('refuses unknown keys, missing keys and sign-ins together, and not a key that has proved good', async () => {
    const service = await start({ RATE_ADDRESS: '4' });
    expect((await service.call('/api/projects')).status).toBe(200);
    expect(await statuses(service, 1, '/api/projects', { key: 'a-guess' })).toEqual([401]);
    expect(await statuses(service, 1, '/api/projects', { key: null })).toEqual([401]);
    const guess = { method: 'POST', key: null, json: { key: 'another-guess' } };
    expect(await statuses(service, 2, '/api/session', guess)).toEqual([401, 429]);
    expect(await statuses(service, 1, '/api/projects', { key: 'a-guess' })).toEqual([429]);
    expect((await service.call('/api/session', { method: 'POST', key: null, json: { key: TEST_KEY } })).status).toBe(
      429,
    );
    // Neither does it cost PostgreSQL anything any more: the right key, were it guessed, is not even looked up.
    const fresh = (await (
      await service.call('/api/keys', { method: 'POST', json: { name: 'fresh', scopes: ['read'] } })
    ).json()) as { token: string };
    const refused = await service.call('/api/projects', { key: fresh.token });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toBe('"address";q=4;w=60');
    expect(await statuses(service, 5, '/api/projects')).toEqual([200, 200, 200, 200, 200]);
  });

  it('believes X-Forwarded-For of a trusted proxy, and of nobody else', async () => {
    const from = (address: string) => ({ key: null, headers: { 'x-forwarded-for': address } });
    const open = await start({ RATE_ADDRESS: '1' });
    expect(await statuses(open, 1, '/api/projects', from('203.0.113.1'))).toEqual([401]);
    expect(await statuses(open, 1, '/api/projects', from('203.0.113.2'))).toEqual([429]);
    const behind = await start({ RATE_ADDRESS: '1', TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.0/8' });
    expect(await statuses(behind, 2, '/api/projects', from('203.0.113.1'))).toEqual([401, 429]);
    expect(await statuses(behind, 1, '/api/projects', from('203.0.113.2'))).toEqual([401]);
    // What the client itself wrote in front of what the proxy saw counts for nothing.
    expect(await statuses(behind, 1, '/api/projects', from('198.51.100.9, 203.0.113.2'))).toEqual([429]);
    expect(await statuses(behind, 1, '/api/projects', from('2001:db8:1:2::1'))).toEqual([401]);
    expect(await statuses(behind, 1, '/api/projects', from('2001:db8:1:2::beef'))).toEqual([429]);
  });

  it.each(['1', 'true', '10.0.0.0/0', '10.0.0.0/33', '10.0.0', 'localhost', '10.0.0.0/8/8', ','])(
    'takes no TRUSTED_PROXIES of %s',
    (value) => {
      expect(() =>
        loadConfig({
          DATABASE_URL: 'postgres://x',
          QUEUE_REDIS_URL: 'redis://x',
          CACHE_REDIS_URL: 'redis://x',
          TRUSTED_PROXIES: value,
        }),
      ).toThrow(/TRUSTED_PROXIES is .*: expected a comma list of addresses/);
    },
  );
});
