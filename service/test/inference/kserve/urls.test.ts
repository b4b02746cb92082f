import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessOf, hideCredentials, parseKserveUrls, publicUrl } from '../../../src/inference/kserve/urls.ts';

const messageOf = (pool: string): string => {
  try {
    return `accepted: ${parseKserveUrls(pool).join(' ')}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('setting POOL of inference servers', () => {
  it('is a list of base URLs, with their paths and without slashes at the end', () => {
    expect(parseKserveUrls('kserve:http://10.0.0.5:8000')).toEqual(['http://10.0.0.5:8000']);
    expect(parseKserveUrls('kserve:http://a/ , https://B.example:443/serving/nuclei//,http://[::1]:9000')).toEqual([
      'http://a',
      'https://b.example/serving/nuclei',
      'http://[::1]:9000',
    ]);
  });

  it.each([
    ['http://a', 'it does not start with "kserve:"'],
    ['kserve:', 'URL 1 of 1 is empty'],
    ['kserve:http://a,', 'URL 2 of 2 is empty'],
    ['kserve:http://a,10.0.0.5:8000', 'URL 2 of 2 is not a URL'],
    ['kserve:localhost:8000', 'URL 1 of 1 does not start with http:// or https://'],
    ['kserve:grpc://a:9000', 'URL 1 of 1 does not start with http:// or https://'],
    ['kserve:http://a:99999', 'URL 1 of 1 is not a URL'],
    ['kserve:http://a?token=1', 'URL 1 of 1 has a query'],
    ['kserve:http://a,http://b/#x', 'URL 2 of 2 has a fragment'],
    ['kserve:http://a,http://b,http://A:80/', 'URL 3 of 3 is there twice'],
  ])('names the setting, the value and what is allowed for %s', (pool, why) => {
    expect(messageOf(pool)).toBe(
      `POOL is "${pool}": ${why} (allowed: kserve:URL[,URL…], each an http or https URL without query and fragment, such as kserve:http://10.0.0.5:8000)`,
    );
  });

  it('takes credentials, which go into a header and not into what is shown', () => {
    const [url] = parseKserveUrls('kserve:https://m%C3%BCller:p%40ss%2Cw%3Ard@h.example:8443/x');
    expect(publicUrl(url!)).toBe('https://h.example:8443/x');
    expect(accessOf(url!)).toEqual({
      base: 'https://h.example:8443/x',
      headers: { authorization: `Basic ${Buffer.from('müller:p@ss,w:rd').toString('base64')}` },
    });
    expect(accessOf('http://a:1')).toEqual({ base: 'http://a:1', headers: {} });
    expect(messageOf('kserve:http://user:%zz@h')).toContain('URL 1 of 1 has credentials that are not percent-encoded');
  });

  it('says twice also where only credentials differ, for they are one server', () => {
    expect(messageOf('kserve:http://u:p@h,http://v:q@h')).toContain('URL 2 of 2 is there twice');
  });

  it('shows no part of a password in its errors, however wrong the value is', () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 12, unit: fc.constantFrom(...'SECRT@,/?#: %'.split('')) })
      .filter((text) => /[SECRT]{2}/.test(text));
    const wrong = fc.constantFrom('kserve:http://', 'kserve:', 'http://', 'kserve:http://ok,http://', 'kserve:ftp://');
    fc.assert(
      fc.property(wrong, secret, fc.constantFrom('', '?x', ',', ',http://other'), (start, password, end) => {
        const message = messageOf(`${start}user:${password}@host${end}`).replace(/^accepted: .*/, '');
        expect(message).not.toMatch(/[SECRT]{2}/);
      }),
      { numRuns: 2000 },
    );
    expect(hideCredentials('kserve:http://u:p@h/x,http://v:q@i')).toBe('kserve:http://***@i');
    expect(hideCredentials('kserve:http://h/x')).toBe('kserve:http://h/x');
  });
});
