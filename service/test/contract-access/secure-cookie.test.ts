import { afterEach, expect, it } from 'vitest';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

const opened: TestApp[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});
const start = async (env: Record<string, string> = {}) => {
  const app = await startTestApp(env);
  opened.push(app);
  return app;
};
const signIn = async (app: TestApp, headers: Record<string, string> = {}) => {
  const json = { key: TEST_KEY };
  const reply = await app.call('/api/session', { method: 'POST', json, key: null, headers });
  return reply.headers
    .get('set-cookie')!
    .split('; ')
    .map((part) => part.split('=')[0]!);
};
const TLS = { 'x-forwarded-proto': 'https' };

it('is Secure where a trusted proxy says that the page came by TLS, and only there', async () => {
  const behind = await start({ TRUSTED_PROXIES: 'loopback' });
  expect(await signIn(behind, TLS)).toEqual(expect.arrayContaining(['Secure', 'HttpOnly', 'SameSite', 'Path']));
  expect(await signIn(behind)).not.toContain('Secure');
  // Nobody is trusted here: a browser on plain HTTP would throw a Secure cookie away.
  expect(await signIn(await start(), TLS)).not.toContain('Secure');
});

it('keeps the cookie of one who signs in behind TLS good for pages of that origin alone', async () => {
  const behind = await start({ TRUSTED_PROXIES: 'loopback' });
  const host = new URL(behind.url).host;
  const reply = await behind.call('/api/session', { method: 'POST', json: { key: TEST_KEY }, key: null, headers: TLS });
  const cookie = reply.headers.get('set-cookie')!.split(';')[0]!;
  const post = async (origin: string) =>
    (
      await behind.call('/api/projects', {
        method: 'POST',
        json: { name: 'p' },
        key: null,
        headers: { ...TLS, cookie, origin },
      })
    ).status;
  expect([await post(`https://${host}`), await post('https://elsewhere.example')]).toEqual([201, 403]);
});

it('gives a session the scopes of its key and no more', async () => {
  const app = await start();
  const made = await app.call('/api/keys', { method: 'POST', json: { name: 'reader', scopes: ['read'] } });
  const { token } = (await made.json()) as { token: string };
  const reply = await app.call('/api/session', { method: 'POST', json: { key: token }, key: null });
  const headers = { cookie: reply.headers.get('set-cookie')!.split(';')[0]!, origin: app.url };
  const status = async (path: string, json?: object) =>
    (await app.call(path, { key: null, headers, ...(json && { method: 'POST', json }) })).status;
  expect(await status('/api/projects')).toBe(200);
  expect(await status('/api/projects', { name: 'p' })).toBe(403);
  expect(await status('/api/keys', { name: 'more', scopes: ['admin'] })).toBe(403);
  expect(await status('/api/metrics/summary')).toBe(403);
});
