import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PROVIDERS, purgeProblems, type PurgeConfig, type PurgeTarget } from '../../src/cdn/purge-requests.ts';
import { refusalOf, sendPurge } from '../../src/cdn/send-purge.ts';
import { signV4 } from '../../src/cdn/sigv4.ts';
import { loadConfig } from '../../src/config.ts';

const A = '01980000-0000-7000-8000-00000000000a';
const B = '01980000-0000-7000-8000-00000000000b';
const TARGETS: PurgeTarget[] = [
  { id: 7, imageId: A, what: 'image' },
  { id: 8, imageId: A, what: 'image' },
  { id: 9, imageId: B, what: 'overlay' },
];
const CONFIG: PurgeConfig = {
  cdnBaseUrl: 'https://cdn.example.org/seg',
  cdnPurge: 'off',
  cdnPurgeHosts: [],
  cdnPurgeId: 'E123',
  cdnPurgeKeyId: 'AKIDEXAMPLEEXAMPLE',
  cdnPurgeToken: 'secret-of-the-cdn',
  cdnPurgeMethod: 'PURGE',
  cdnPurgeUrl: 'http://proxy.example.org:8081/purge{path}?what={what}&id={id}',
};
const AT = new Date('2026-03-02T09:30:00Z');
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('requests', () => {
  it('signs as the example of AWS does', () => {
    // AWS General Reference, "Signature Version 4 signing process", ListUsers.
    const headers = signV4(
      {
        method: 'GET',
        url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: '',
      },
      {
        region: 'us-east-1',
        service: 'iam',
        credentials: { keyId: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
        at: new Date('2015-08-30T12:36:00Z'),
      },
    );
    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });

  it('asks CloudFront for an invalidation of each path once', () => {
    const request = PROVIDERS.cloudfront.build(CONFIG, TARGETS, AT);
    expect([request.method, request.url]).toEqual([
      'POST',
      'https://cloudfront.amazonaws.com/2020-05-31/distribution/E123/invalidation',
    ]);
    expect(request.headers).toMatchObject({ 'content-type': 'application/xml', 'x-amz-date': '20260302T093000Z' });
    expect(request.headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLE\/20260302\/us-east-1\/cloudfront\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    expect(request.body).toContain('<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">');
    expect(request.body).toContain(
      `<Paths><Items><Path>/seg/api/images/${A}/*</Path><Path>/seg/api/images/${B}/overlay*</Path></Items><Quantity>2</Quantity></Paths>`,
    );
    // A repeated try is the same invalidation, another target another one.
    const reference = (text = '') => /<CallerReference>([^<]+)</.exec(text)?.[1];
    expect(reference(PROVIDERS.cloudfront.build(CONFIG, TARGETS, new Date()).body)).toBe(reference(request.body));
    expect(reference(PROVIDERS.cloudfront.build(CONFIG, TARGETS.slice(1), AT).body)).not.toBe(reference(request.body));
  });

  it('asks Cloudflare to forget prefixes', () => {
    const request = PROVIDERS.cloudflare.build(CONFIG, TARGETS, AT);
    expect(request).toEqual({
      method: 'POST',
      url: 'https://api.cloudflare.com/client/v4/zones/E123/purge_cache',
      headers: { 'content-type': 'application/json', authorization: 'Bearer secret-of-the-cdn' },
      body: JSON.stringify({
        prefixes: [`cdn.example.org/seg/api/images/${A}/`, `cdn.example.org/seg/api/images/${B}/overlay`],
      }),
    });
  });

  it('asks Fastly to forget surrogate keys', () => {
    expect(PROVIDERS.fastly.build(CONFIG, TARGETS, AT)).toEqual({
      method: 'POST',
      url: 'https://api.fastly.com/service/E123/purge',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'fastly-key': 'secret-of-the-cdn' },
      body: JSON.stringify({ surrogate_keys: [`image-${A}`, `overlay-${B}`] }),
    });
  });

  it('fills in the address of a cache of one’s own', () => {
    expect(PROVIDERS.custom.build(CONFIG, TARGETS, AT)).toEqual({
      method: 'PURGE',
      url: `http://proxy.example.org:8081/purge/api/images/${A}/?what=image&id=${A}`,
      headers: { authorization: 'Bearer secret-of-the-cdn' },
    });
  });
});

describe('settings that belong together', () => {
  const problems = (config: Partial<PurgeConfig>) => purgeProblems({ ...CONFIG, ...config });
  it('are named at the start of a process', () => {
    expect(problems({ cdnPurge: 'off', cdnPurgeId: '' })).toEqual([]);
    expect(problems({ cdnPurge: 'fastly', cdnPurgeId: '' })).toEqual([
      'CDN_PURGE_ID is not set: CDN_PURGE=fastly needs it',
    ]);
    expect(problems({ cdnPurge: 'fastly' })).toEqual([
      'CDN_PURGE_HOSTS is "": CDN_PURGE=fastly sends to api.fastly.com, which must be in it',
    ]);
    expect(problems({ cdnPurge: 'fastly', cdnPurgeHosts: ['api.fastly.com'] })).toEqual([]);
    expect(problems({ cdnPurge: 'custom', cdnPurgeHosts: ['proxy.example.org'] })[0]).toContain(
      'proxy.example.org:8081',
    );
  });

  it('stop a process that would start without them', () => {
    const env = { DATABASE_URL: 'postgres://a', QUEUE_REDIS_URL: 'redis://a', CACHE_REDIS_URL: 'redis://a' };
    expect(() => loadConfig({ ...env, CDN_PURGE: 'cloudflare' })).toThrow(/CDN_PURGE_ID is not set/);
    expect(() => loadConfig({ ...env, CDN_BASE_URL: 'ftp://x' })).toThrow(/CDN_BASE_URL is "ftp:\/\/x": expected/);
    expect(() => loadConfig({ ...env, CDN_BASE_URL: 'https://x?a=1' })).toThrow(/CDN_BASE_URL/);
    // A host that a value fills in could be any host.
    for (const url of ['https://{id}.example.org/', 'https://a{path}', 'file:///etc/passwd', 'https://a/{other}'])
      expect(() => loadConfig({ ...env, CDN_PURGE_URL: url })).toThrow(/CDN_PURGE_URL/);
    expect(() => loadConfig({ ...env, URL_SIGNING_KEY: 'short' })).toThrow(/URL_SIGNING_KEY is \(5 characters\)/);
    expect(loadConfig({ ...env, CDN_BASE_URL: 'https://cdn.example.org/seg/' }).cdnBaseUrl).toBe(CONFIG.cdnBaseUrl);
  });
});

describe('sending', () => {
  it.each([
    ['https://api.fastly.com/service/x/purge', ['api.fastly.com'], null],
    ['https://api.fastly.com:444/', ['api.fastly.com'], 'api.fastly.com:444 is not in CDN_PURGE_HOSTS'],
    ['https://API.FASTLY.COM/', ['api.fastly.com'], null],
    [
      'https://api.fastly.com.evil.example/',
      ['api.fastly.com'],
      'api.fastly.com.evil.example is not in CDN_PURGE_HOSTS',
    ],
    ['https://api.fastly.com@169.254.169.254/', ['api.fastly.com'], 'the address carries a name or password'],
    ['http://169.254.169.254/latest', ['api.fastly.com'], '169.254.169.254 is not in CDN_PURGE_HOSTS'],
    ['http://0x7f.1/', ['0x7f.1'], '127.0.0.1 is not in CDN_PURGE_HOSTS'],
    ['file:///etc/passwd', [''], 'file: is not http or https'],
  ])('to %s', (url, hosts, refusal) => {
    expect(refusalOf(url, hosts)).toBe(refusal);
  });

  it('asks no host that is not allowed, and follows no redirect', async () => {
    const asked: string[] = [];
    const server = createServer((request, reply) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.url === '/away') reply.writeHead(302, { location: '/stolen' });
      else if (request.url === '/no') reply.write('{"success": false, "errors": [{"code": 1}]}');
      else if (request.url === '/none') reply.writeHead(404);
      else if (request.url === '/broken') reply.writeHead(500);
      reply.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const send = (path: string, hosts = [host]) =>
      sendPurge({ method: 'PURGE', url: `http://${host}${path}`, headers: {} }, hosts);
    await expect(send('/yes', ['127.0.0.1'])).rejects.toThrow(`${host} is not in CDN_PURGE_HOSTS`);
    expect(asked).toEqual([]);
    await send('/yes');
    await send('/none');
    await expect(send('/away')).rejects.toThrow('purge answered with 302');
    await expect(send('/broken')).rejects.toThrow('purge answered with 500');
    await expect(send('/no')).rejects.toThrow(/purge answered with 200: .*success/);
    expect(asked).toEqual(['/yes', '/none', '/away', '/broken', '/no'].map((path) => `PURGE ${path}`));
  });
});
