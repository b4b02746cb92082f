import { describe, expect, it } from 'vitest';
import { problemOf } from '../../../examples/webhook-receiver.ts';
import { loadConfig } from '../../src/config.ts';
import { retryMs } from '../../src/webhooks/outbox.ts';
import { signedHeaders } from '../../src/webhooks/sign.ts';
import { refusalOf, secretsOf, sendingRefusal, webhookTarget } from '../../src/webhooks/target.ts';

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

  it('is the operator’s own too, to the letter: no batch may name another path of its origin', () => {
    const config = { webhookUrl: 'http://alerts.internal/hook?key=1', webhookOrigins: allowed };
    const refusal = (url: string) => sendingRefusal(url, config);
    expect([refusal(config.webhookUrl), refusal('https://hooks.example.org/a')]).toEqual([null, null]);
    for (const url of ['http://alerts.internal/', 'http://alerts.internal/hook', `${config.webhookUrl}&x`])
      expect(refusal(url)).toContain('is not in WEBHOOK_ORIGINS');
    expect(() => webhookTarget(config.webhookUrl, allowed)).toThrow('webhook is');
    expect(sendingRefusal('', { webhookUrl: '', webhookOrigins: [] })).not.toBeNull();
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

  const load = (env: Record<string, string>) => () => loadConfig({ ...base, ...env });

  it('belong together: nothing is sent unsigned, and no secret is for nobody', () => {
    for (const [name, value] of [
      ['WEBHOOK_ORIGINS', origin],
      ['WEBHOOK_URL', `${origin}/x`],
    ] as const)
      expect(load({ [name]: value })).toThrow(`WEBHOOK_SECRET has nothing to sign with for ${origin}`);
    const WEBHOOK_SECRET = KNOWN.secret;
    for (const wrong of [`${origin}/path`, '*', 'ftp://hooks.example.org', 'https://HOOKS.example.org'])
      expect(load({ WEBHOOK_ORIGINS: wrong, WEBHOOK_SECRET })).toThrow('WEBHOOK_ORIGINS is');
    expect(load({ WEBHOOK_ORIGINS: origin, WEBHOOK_SECRET: `https://hooks.exmaple.org=${OTHER},${OTHER}` })).toThrow(
      'WEBHOOK_SECRET is for https://hooks.exmaple.org, which is in neither',
    );
    const good = { WEBHOOK_ORIGINS: origin, WEBHOOK_URL: 'https://x.example.org/a/../b', WEBHOOK_SECRET };
    expect(load(good)().webhookUrl).toBe('https://x.example.org/b');
  });

  it('take secrets of 24 to 64 bytes, four for each origin, and show none; nor the operator’s address, which may hold a key', () => {
    const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 9).toString('base64')}`;
    for (const bytes of [24, 32, 64])
      expect(load({ WEBHOOK_SECRET: secret(bytes) })().webhookSecret).toEqual([
        { origin: null, secret: secret(bytes) },
      ]);
    const one = secret(32);
    for (const bad of [
      secret(23),
      secret(65),
      one.slice(6),
      `${one}!`,
      `${one},`,
      `https://x/path=${one}`,
      `x=${one}`,
      Array.from({ length: 5 }, () => one).join(),
    ])
      expect(load({ WEBHOOK_SECRET: bad })).toThrow(`WEBHOOK_SECRET is (${bad.length} characters)`);
    for (const bad of ['x', 'ftp://x/hook', 'https://user@x/hook', 'https://:pass@x/hook', 'https://x/hook#key'])
      expect(load({ WEBHOOK_URL: bad })).toThrow(`WEBHOOK_URL is (${bad.length} characters)`);
    expect(load({ WEBHOOK_URL: `${origin}/services/KEY` })).not.toThrow('KEY');
  });

  it('give an origin its own secrets, so that no receiver can speak in the service’s name to another', () => {
    const WEBHOOK_SECRET = [KNOWN.secret, `${origin}=${OTHER}`].join(', ');
    const { webhookSecret } = load({ WEBHOOK_ORIGINS: `${origin},https://other.example.org`, WEBHOOK_SECRET })();
    expect(secretsOf(origin, webhookSecret)).toEqual([OTHER]);
    expect(secretsOf('https://other.example.org', webhookSecret)).toEqual([KNOWN.secret]);
    expect(
      load({ WEBHOOK_ORIGINS: `${origin},https://other.example.org`, WEBHOOK_SECRET: `${origin}=${OTHER}` }),
    ).toThrow('nothing to sign with for https://other.example.org');
  });
});

it('waits twice as long after each failure, an hour at most, a half of it by chance', () => {
  const [least, most] = [() => 0, () => 1];
  expect([0, 1, 2, 9, 30].map((attempts) => retryMs(attempts, most) / 1000)).toEqual([5, 10, 20, 2560, 3600]);
  expect([0, 1, 30].map((attempts) => retryMs(attempts, least) / 1000)).toEqual([2.5, 5, 1800]);
});
