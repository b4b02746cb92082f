import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UploadReply } from '#contract/images.ts';
import { send } from '../contract-bad-input/wire.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';

let service: TestApp;
let bytes: Buffer;
let target: string;
let etag: string;
let lastModified: string;
const KEY = ['authorization', `Bearer ${TEST_KEY}`] as const;
beforeAll(async () => {
  service = await startTestApp();
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'ranges' } });
  const { id } = (await made.json()) as { id: string };
  bytes = Buffer.from(await picture(5));
  const reply = await service.call(`/api/projects/${id}/images`, {
    method: 'POST',
    body: form([{ name: 'a.png', bytes }]),
  });
  target = `/api/images/${((await reply.json()) as UploadReply).images[0]!.id}/file`;
  const { headers } = await service.call(target);
  etag = headers.get('etag')!;
  lastModified = headers.get('last-modified')!;
});
afterAll(() => service.close());

const ask = (headers: readonly (readonly [string, string])[], method = 'GET') =>
  send(service.url, { method, target, headers: [KEY, ...headers] });
/** `N` in a row is the file's size. */
const filled = (text: string) =>
  text.replace(/N([+-]\d+)?/g, (_, add: string | undefined) => String(bytes.length + Number(add ?? 0)));

/** What of the file comes, `all`, or `none` for 416. */
type Row = [section: string, range: string, expected: [first: string, last: string] | 'all' | 'none'];
const ROWS: Row[] = [
  ['14.1.2: the first 10 bytes', 'bytes=0-9', ['0', '9']],
  ['14.1.2: one byte', 'bytes=0-0', ['0', '0']],
  ['14.1.2: from the 10th on', 'bytes=10-', ['10', 'N-1']],
  ['14.1.2: the last byte', 'bytes=-1', ['N-1', 'N-1']],
  ['14.1.2: the last 10 bytes', 'bytes=-10', ['N-10', 'N-1']],
  ['14.1.2: a suffix as long as the file', 'bytes=-N', ['0', 'N-1']],
  ['14.1.2: a suffix longer than the file is the file', 'bytes=-N+1', ['0', 'N-1']],
  ['14.1.2: a last position behind the end is cut', 'bytes=0-N+500', ['0', 'N-1']],
  ['14.1.2: exactly the file', 'bytes=0-N-1', ['0', 'N-1']],
  ['14.1.2: a last position of 30 digits', `bytes=5-${'9'.repeat(30)}`, ['5', 'N-1']],
  ['14.1.2: leading zeros', 'bytes=000-0009', ['0', '9']],
  ['14.1: units are case-insensitive', 'BYTES=0-9', ['0', '9']],
  ['14.1.2: last before first is invalid, and ignored', 'bytes=9-2', 'all'],
  ['15.5.17: begins at the end', 'bytes=N-', 'none'],
  ['15.5.17: begins behind the end', 'bytes=N+1-N+9', 'none'],
  ['15.5.17: a suffix of no bytes', 'bytes=-0', 'none'],
  ['15.5.17: begins at 30 digits', `bytes=${'9'.repeat(30)}-`, 'none'],
  ['14.2: an unknown unit is ignored', 'items=0-9', 'all'],
  ['14.2: no unit', '0-9', 'all'],
  ['14.2: nothing', 'bytes=', 'all'],
  ['14.2: no numbers', 'bytes=-', 'all'],
  ['14.2: letters', 'bytes=a-b', 'all'],
  ['14.2: hexadecimal', 'bytes=0x0-0x9', 'all'],
  ['14.2: a sign', 'bytes=+0-9', 'all'],
  ['14.2: below 0', 'bytes=--5', 'all'],
  ['14.2: a fraction', 'bytes=0-9.5', 'all'],
  ['14.2: blanks inside', 'bytes=0 - 9', 'all'],
  ['14.2: a blank around the equals sign', 'bytes =0-9', 'all'],
  ['14.2: several ranges may be answered with all', 'bytes=0-1,4-5', 'all'],
  ['14.2: ranges that overlap', 'bytes=0-50,10-60,20-70', 'all'],
  [
    '14.2: a thousand ranges (17.15: an attack) are one answer of all',
    `bytes=${Array.from({ length: 1000 }, () => '0-').join(',')}`,
    'all',
  ],
  [
    '14.2: a thousand ranges of a byte each',
    `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`).join(',')}`,
    'all',
  ],
  ['14.2: empty members of the list', 'bytes=,,0-9,,', 'all'],
  ['14.2: a range, then another unit', 'bytes=0-9;items=1-2', 'all'],
];

describe('ranges (RFC 9110)', () => {
  it.each(ROWS)('section %s: %s', async (_, range, expected) => {
    const { status, headers, body } = await ask([['range', filled(range)]]);
    const all = { status: 200, range: null, body: bytes };
    const part = (first: number, last: number) => ({
      status: 206,
      range: `bytes ${first}-${last}/${bytes.length}`,
      body: bytes.subarray(first, last + 1),
    });
    const [first, last] = (Array.isArray(expected) ? expected : ['0', '0']).map((text) => {
      const [base, less] = filled(text).split('-');
      return Number(base) - Number(less ?? 0);
    });
    const seen = { status, range: headers.get('content-range'), body: status === 416 ? null : body };
    const wanted = {
      all,
      none: { status: 416, range: `bytes */${bytes.length}`, body: null },
      part: part(first!, last!),
    }[typeof expected === 'string' ? expected : 'part'];
    expect(seen).toEqual(wanted);
    // 14.3, and a length that is true (8.6).
    const told = { ranges: headers.get('accept-ranges'), length: headers.get('content-length') };
    expect(status === 416 || told).toEqual(status === 416 || { ranges: 'bytes', length: String(body.length) });
    expect(headers.get('content-type')).not.toContain('byteranges');
  });

  it.each<[string, () => [string, string][], number]>([
    ['13.1.5: If-Range of this tag', () => [['if-range', etag]], 206],
    ['13.1.5: If-Range of another tag', () => [['if-range', '"other"']], 200],
    ['13.1.5: If-Range of a weak tag never matches', () => [['if-range', `W/${etag}`]], 200],
    ['13.1.5: If-Range of this date', () => [['if-range', lastModified]], 206],
    [
      '13.1.5: If-Range of a later date is not exact',
      () => [['if-range', new Date(Date.now() + 1e7).toUTCString()]],
      200,
    ],
    ['13.1.5: If-Range of nonsense', () => [['if-range', 'nonsense']], 200],
    ['13.2.2: If-None-Match goes before Range', () => [['if-none-match', etag]], 304],
    ['13.2.2: If-None-Match of another tag', () => [['if-none-match', '"other"']], 206],
    ['13.2.2: If-Modified-Since this date', () => [['if-modified-since', lastModified]], 304],
  ])('section %s', async (_, headers, status) => {
    expect((await ask([['range', 'bytes=0-9'], ...headers()])).status).toBe(status);
  });

  it('section 14.2: HEAD ignores a range', async () => {
    const { status, headers } = await ask([['range', 'bytes=0-9']], 'HEAD');
    expect([status, headers.get('content-length'), headers.get('content-range')]).toEqual([
      200,
      String(bytes.length),
      null,
    ]);
  });

  it('a range that comes twice is not guessed at', async () => {
    const { status } = await ask([
      ['range', 'bytes=0-9'],
      ['range', 'bytes=5-6'],
    ]);
    expect([200, 206, 400]).toContain(status);
  });
});
