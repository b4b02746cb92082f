import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswer, sendBytes } from '../contract-bad-input/wire.ts';
import { createWorld, type World } from '../contract-bad-input/world.ts';
import { TEST_KEY } from '../support/app.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ TRUSTED_PROXIES: 'loopback' });
});
afterAll(() => world.close());

/** What helmet 8 sets by default, but for HSTS, which needs TLS; its CSP is looser than ours. */
const WANTED = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};
const HOST = 'host: x\r\n';
const KEY = `authorization: Bearer ${TEST_KEY}\r\n`;
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${HOST}${more}connection: close\r\n\r\n`;

describe('security headers', () => {
  it.each([
    ['a page', () => get('/')],
    ['the docs', () => get('/docs')],
    ['a list', () => get('/api/projects', KEY)],
    ['a refusal of a key', () => get('/api/projects')],
    ['a file', () => get(`/api/images/${world.ids.images[0]}/file`, KEY)],
    ['a range of a file', () => get(`/api/images/${world.ids.images[0]}/file`, `${KEY}range: bytes=0-9\r\n`)],
    [
      'a range that lies outside',
      () => get(`/api/images/${world.ids.images[0]}/file`, `${KEY}range: bytes=9999999-\r\n`),
    ],
    ['an export', () => get(`/api/download/${world.ids.exports[0]}`, KEY)],
    ['no route', () => get('/nothing')],
    ['no method', () => `PUT /api/projects HTTP/1.1\r\n${HOST}${KEY}connection: close\r\ncontent-length: 0\r\n\r\n`],
    ['an address that is badly escaped', () => get('/api/projects/%zz', KEY)],
    ['a path part that is too long', () => get(`/api/projects/${'a'.repeat(300)}`, KEY)],
    ['an expectation that is not known', () => get('/healthz', 'expect: more\r\n')],
    ['what is not HTTP', () => 'nonsense\r\n\r\n'],
    [
      'a socket that is refused',
      () =>
        `GET /api/events HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    ],
  ])('stand on %s', async (_, bytes) => {
    const { headers } = parseAnswer(await sendBytes(world.service.url, [bytes()]));
    const seen = Object.fromEntries(Object.keys(WANTED).map((name) => [name, headers.get(name)]));
    expect(seen).toEqual(WANTED);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  it('allow no inline code, no eval, no wildcard and no other host on pages, and nothing at all on data', async () => {
    for (const path of ['/', '/docs', '/graphql', '/projects/x', '/naive']) {
      const reply = await world.service.call(path, { key: null, headers: { accept: 'text/html' } });
      const policy = reply.headers.get('content-security-policy')!;
      expect([path, policy]).toEqual([path, expect.not.stringMatching(/unsafe|\*|http|wss?:|strict-dynamic/)]);
      const rules = policy.split('; ');
      expect(rules).toEqual(
        expect.arrayContaining(["script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'"]),
      );
    }
    const file = await world.service.call(`/api/images/${world.ids.images[0]}/file`);
    expect(file.headers.get('content-security-policy')).toBe(
      "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  it('ask for TLS from then on where the request came over it, and only there', async () => {
    const asked = async (headers: Record<string, string>) =>
      (await world.service.call('/healthz', { headers })).headers.get('strict-transport-security');
    expect(await asked({})).toBeNull();
    expect(await asked({ 'x-forwarded-proto': 'https' })).toBe('max-age=31536000');
  });
});
