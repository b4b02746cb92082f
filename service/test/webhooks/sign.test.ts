import { describe, expect, it } from 'vitest';
import { problemOf } from '../../../examples/webhook-receiver.ts';
import { loadConfig } from '../../src/config.ts';
import { retryMs } from '../../src/webhooks/outbox.ts';
import { signedHeaders } from '../../src/webhooks/sign.ts';
import { refusalOf, webhookTarget } from '../../src/webhooks/target.ts';

/** The example of the Standard Webhooks specification's own libraries. */
const KNOWN = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  seconds: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

describe('a signed webhook', () => {
  it('carries the signature that the specification’s libraries make', () => {
    expect(signedHeaders(KNOWN, KNOWN.seconds, [KNOWN.secret])).toEqual({
      'webhook-id': KNOWN.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': KNOWN.signature,
    });
  });

  it('is believed by a receiver that knows any of the secrets, and not when anything of it was changed', () => {
    const headers = signedHeaders(KNOWN, KNOWN.seconds, [OTHER, KNOWN.secret]);
    const problem = (change: Record<string, string>, body = KNOWN.body, secret = KNOWN.secret, later = 0) =>
      problemOf({ ...headers, ...change }, body, secret, KNOWN.seconds + later);
    expect([problem({}), problem({}, KNOWN.body, OTHER), problem({}, KNOWN.body, KNOWN.secret, 299)]).toEqual([
      null,
      null,
      null,
    ]);
    const wrong = [
      problem({}, `${KNOWN.body} `),
      problem({ 'webhook-id': 'msg_other' }),
      problem({}, KNOWN.body, `whsec_${Buffer.alloc(32, 8).toString('base64')}`),
      problem({ 'webhook-signature': '' }),
      problem({ 'webhook-signature': headers['webhook-signature']!.replaceAll('v1,', 'v2,') }),
    ];
    expect(new Set(wrong)).toEqual(new Set(['webhook-signature is not ours']));
    expect(problem({}, KNOWN.body, KNOWN.secret, 301)).toContain('too old');
    expect(problem({ 'webhook-timestamp': 'x' })).toContain('too old');
  });
});

describe('a target', () => {
  const allowed = ['https://hooks.example.org', 'http://10.0.0.7:9000'];

  it('is an address of a listed origin, as it will be asked for', () => {
    for (const good of ['https://hooks.example.org/a?b=c', 'https://HOOKS.example.org:443/x', 'http://10.0.0.7:9000'])
      expect(refusalOf(good, allowed)).toBeNull();
    expect(webhookTarget('https://HOOKS.example.org:443/a/../b', allowed)).toBe('https://hooks.example.org/b');
  });

  it.each([
    'https://example.org/',
    'http://hooks.example.org/',
    'https://hooks.example.org:8443/',
    'https://hooks.example.org.evil.org/',
    'https://hooks.example.org@evil.org/',
    'https://user:pass@hooks.example.org/',
    'https://hooks.example.org/#x',
    'http://10.0.0.7/',
    'http://127.0.0.1:9000/',
    'http://[::ffff:10.0.0.7]:9000/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//hooks.example.org/',
    'not an address',
  ])('is refused as %s', (url) => {
    expect(refusalOf(url, allowed)).not.toBeNull();
    expect(() => webhookTarget(url, allowed)).toThrow(/^webhook is .*: expected a path of https:\/\/hooks/);
    expect(() => webhookTarget(url, [])).toThrow('WEBHOOK_ORIGINS');
  });
});

describe('settings of webhooks', () => {
  const base = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };
  const origin = 'https://hooks.example.org';

  it('belong together: nothing is sent unsigned, or to an origin that is not listed', () => {
    const load = (env: Record<string, string>) => () => loadConfig({ ...base, ...env });
    expect(load({ WEBHOOK_ORIGINS: origin })).toThrow('WEBHOOK_SECRET is not set: WEBHOOK_ORIGINS needs it');
    expect(load({ WEBHOOK_URL: `${origin}/x` })).toThrow('https://hooks.example.org is not in WEBHOOK_ORIGINS');
    expect(load({ WEBHOOK_ORIGINS: `${origin}/path`, WEBHOOK_SECRET: KNOWN.secret })).toThrow('WEBHOOK_ORIGINS is');
    expect(load({ WEBHOOK_ORIGINS: '*', WEBHOOK_SECRET: KNOWN.secret })).toThrow('WEBHOOK_ORIGINS is');
    const good = { WEBHOOK_ORIGINS: origin, WEBHOOK_URL: `${origin}/x`, WEBHOOK_SECRET: `${KNOWN.secret},${OTHER}` };
    expect(loadConfig({ ...base, ...good }).webhookSecret).toHaveLength(2);
  });

  it('take secrets of 24 to 64 bytes only, and show none', () => {
    const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 9).toString('base64')}`;
    for (const bytes of [24, 32, 64])
      expect(loadConfig({ ...base, WEBHOOK_SECRET: secret(bytes) }).webhookSecret).toEqual([secret(bytes)]);
    for (const bad of [secret(23), secret(65), secret(32).slice(6), `${secret(32)}!`]) {
      const load = () => loadConfig({ ...base, WEBHOOK_SECRET: bad });
      expect(load).toThrow(`WEBHOOK_SECRET is (${bad.length} characters)`);
    }
  });
});

it('waits twice as long after each failure, an hour at most, a half of it by chance', () => {
  const [least, most] = [() => 0, () => 1];
  expect([0, 1, 2, 9, 30].map((attempts) => retryMs(attempts, most) / 1000)).toEqual([5, 10, 20, 2560, 3600]);
  expect([0, 1, 30].map((attempts) => retryMs(attempts, least) / 1000)).toEqual([2.5, 5, 1800]);
});
