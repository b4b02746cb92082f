import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Expected } from './judge.ts';
import { createWorld, listed, type Call, type Change, type World } from './world.ts';

const LIMIT = 64 * 1024;
let world: World;
let before: string;
let withBody: Call[];
beforeAll(async () => {
  world = await createWorld({ MAX_JSON_BYTES: String(LIMIT) });
  withBody = world.calls.filter(({ body }) => body !== null);
  before = await world.state();
});
afterAll(() => world.close());

type Attack = [what: string, change: (call: Call) => Change, expected: Expected];
const BAD = (...names: string[]): Expected => ({ status: 400, code: 'BAD_REQUEST', names: ['body', ...names] });
const NOT_JSON = BAD('not valid JSON', 'expected', 'application/json');
const TYPE = (...names: string[]): Expected => ({
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  names: ['content-type', ...names, 'expected application/json'],
});
const CODING = (...names: string[]): Expected => ({
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  names: ['content-encoding', ...names, 'gzip, br, zstd'],
});
const LARGE = (...names: string[]): Expected => ({
  status: 413,
  code: 'BODY_TOO_LARGE',
  names: ['body', ...names, `at most ${LIMIT} are allowed`],
});
const UNKNOWN: Expected = { status: 400, code: 'VALIDATION', names: ['body', 'surprise'] };

const right = ({ body }: Call) => JSON.stringify(body!.example ?? {});
/** The right body with one more field, written by hand: what no JSON.stringify would write. */
const plus = (call: Call, field: string) => `${right(call).slice(0, -1)}${right(call) === '{}' ? '' : ','}${field}}`;
const raw =
  (body: string | Buffer): (() => Change) =>
  () => ({ body });
const typed = (type: string) => (call: Call) => ({ body: right(call), headers: [['content-type', type]] }) as const;
const encoded = (coding: string, body?: Buffer) => (call: Call) =>
  ({
    body: body ?? right(call),
    headers: [
      ['content-type', 'application/json'],
      ['content-encoding', coding],
    ],
  }) as const;
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

const ATTACKS: Attack[] = [
  ['a text that is no JSON', raw('name=x'), NOT_JSON],
  ['JSON that ends early', (call) => ({ body: right(call).slice(0, -1) || '{' }), NOT_JSON],
  ['JSON with more behind it', (call) => ({ body: `${right(call)} x` }), NOT_JSON],
  ['two values', (call) => ({ body: `${right(call)}${right(call)}` }), NOT_JSON],
  ['single quotes', raw("{'name': 'x'}"), NOT_JSON],
  ['a comma too many', (call) => ({ body: plus(call, '').replace(/\{\}$/, '{,}') }), NOT_JSON],
  ['NaN', (call) => ({ body: plus(call, '"surprise": NaN') }), NOT_JSON],
  ['Infinity', (call) => ({ body: plus(call, '"surprise": -Infinity') }), NOT_JSON],
  ['a number with a plus', (call) => ({ body: plus(call, '"surprise": +1') }), NOT_JSON],
  ['a raw line feed in a text', (call) => ({ body: plus(call, '"surprise": "a\nb"') }), NOT_JSON],
  ['a raw zero byte', (call) => ({ body: plus(call, '"surprise": "a\0b"') }), NOT_JSON],
  ['zero bytes alone', raw(Buffer.alloc(100)), NOT_JSON],
  ['UTF-16', (call) => ({ body: Buffer.from(`\ufeff${right(call)}`, 'utf16le') }), BAD('UTF-8')],
  [
    'bytes that are not UTF-8',
    (call) => ({
      body: Buffer.concat([
        Buffer.from(plus(call, '"surprise": "').slice(0, -1)),
        Buffer.from([0xc3, 0x28, 0xff]),
        Buffer.from('"}'),
      ]),
    }),
    BAD('not valid UTF-8', 'expected'),
  ],
  [
    'an overlong zero',
    (call) => ({
      body: Buffer.concat([
        Buffer.from(plus(call, '"surprise": "').slice(0, -1)),
        Buffer.from([0xc0, 0x80]),
        Buffer.from('"}'),
      ]),
    }),
    BAD('not valid UTF-8', 'expected'),
  ],
  [
    'a surrogate in UTF-8',
    (call) => ({
      body: Buffer.concat([
        Buffer.from(plus(call, '"surprise": "').slice(0, -1)),
        Buffer.from([0xed, 0xa0, 0x80]),
        Buffer.from('"}'),
      ]),
    }),
    BAD('not valid UTF-8', 'expected'),
  ],
  [
    'a text cut inside of a character',
    (call) => ({ body: Buffer.concat([Buffer.from(right(call)), Buffer.from([0xe2, 0x82])]) }),
    BAD('not valid UTF-8', 'expected'),
  ],
  ['__proto__', (call) => ({ body: plus(call, '"__proto__": {"admin": true}') }), BAD('__proto__', 'allowed')],
  ['__proto__ in escapes', (call) => ({ body: plus(call, '"\\u005f_proto__": 1') }), BAD('__proto__', 'allowed')],
  [
    '__proto__ below',
    (call) => ({ body: plus(call, '"surprise": [{"x": {"__proto__": null}}]') }),
    BAD('__proto__', 'allowed'),
  ],
  [
    'constructor.prototype',
    (call) => ({ body: plus(call, '"constructor": {"prototype": {"admin": true}}') }),
    BAD('constructor', 'allowed'),
  ],
  ['1e400', (call) => ({ body: plus(call, '"surprise": 1e400') }), UNKNOWN],
  ['a number of 1000 digits', (call) => ({ body: plus(call, `"surprise": ${'9'.repeat(1000)}`) }), UNKNOWN],
  ['10,000 levels', (call) => ({ body: plus(call, `"surprise": ${deep(10_000)}`) }), UNKNOWN],
  ['a body of 30,000 levels', raw(deep(30_000)), { status: 400, names: ['body', 'expected'] }],
  ['30,000 levels that do not end', raw('[{"a":'.repeat(10_000)), NOT_JSON],
  [
    '10,000 keys',
    (call) => ({
      body: plus(call, `"surprise": 1,${Array.from({ length: 5_000 }, (_, at) => `"k${at}":0`).join(',')}`),
    }),
    { status: 400, code: 'VALIDATION', names: ['unknown field', 'allowed are'] },
  ],
  ['one byte too many', (call) => ({ body: right(call).padEnd(LIMIT + 1) }), LARGE(String(LIMIT + 1))],
  ['far too many bytes', raw('x'.repeat(LIMIT * 16)), LARGE(String(LIMIT * 16))],
  [
    'too many bytes in chunks',
    () => ({
      headers: [
        ['content-type', 'application/json'],
        ['transfer-encoding', 'chunked'],
      ],
      body: `${(LIMIT * 2).toString(16)}\r\n${' '.repeat(LIMIT * 2)}\r\n0\r\n\r\n`,
    }),
    LARGE(),
  ],
  [
    'a promise of too many bytes',
    (call) => ({
      headers: [
        ['content-type', 'application/json'],
        ['content-length', '99999999999'],
      ],
      body: right(call),
    }),
    LARGE('99999999999'),
  ],
  ['no content type', (call) => ({ body: right(call), without: ['content-type'] }), TYPE('missing')],
  ['an empty content type', typed(''), TYPE('""')],
  ['a form', typed('application/x-www-form-urlencoded'), TYPE('x-www-form-urlencoded')],
  ['plain text, as a form of another site may send it', typed('text/plain'), TYPE('"text/plain"')],
  ['multipart', typed('multipart/form-data; boundary=b'), TYPE('multipart/form-data')],
  ['a relative of JSON', typed('application/vnd.api+json'), TYPE('vnd.api+json')],
  ['half a content type', typed('application'), TYPE('"application"')],
  ['two content types', typed('application/json, text/plain'), TYPE('text/plain')],
  ['a long content type', typed(`application/${'j'.repeat(5000)}`), TYPE('application/jjjj')],
  ['UTF-16 by its name', typed('application/json; charset=utf-16'), TYPE('utf-16')],
  ['an unknown charset', typed('application/json; charset="klingon"'), TYPE('klingon')],
  ['an unknown coding', encoded('snappy'), CODING('"snappy"')],
  ['two codings', encoded('gzip, gzip'), CODING('gzip, gzip')],
  ['an empty coding', encoded('x'), CODING('"x"')],
  ['gzip that is none', encoded('gzip'), BAD('gzip', 'expected')],
  ['br that is none', encoded('br'), BAD('br', 'expected')],
  ['zstd that is none', encoded('zstd'), BAD('zstd', 'expected')],
  ['gzip that ends early', encoded('gzip', gzipSync('{"name": "x"}').subarray(0, 20)), BAD('gzip', 'expected')],
  ['a bomb', encoded('gzip', gzipSync(Buffer.alloc(50 * 1024 * 1024))), LARGE()],
];

it.each(ATTACKS)('%s is refused by every route that takes a body', async (what, change, expected) => {
  const problems: string[] = [];
  for (const call of withBody) problems.push(...(await world.refused(call, what, change(call), expected)));
  expect(listed(problems)).toBe('');
  await world.untouched(before);
});

it('of a key that comes twice the last one counts, wherever it is refused', async () => {
  const problems: string[] = [];
  for (const call of withBody) {
    const [name] = Object.keys((call.body!.example ?? {}) as object);
    if (name === undefined) continue;
    const expected: Expected = { status: 400, code: 'VALIDATION', names: [`body.${name}`] };
    problems.push(
      ...(await world.refused(call, `${name} twice`, { body: plus(call, `"${name}": {"last": 1}`) }, expected)),
    );
  }
  expect(listed(problems)).toBe('');
  await world.untouched(before);
  const made = await world.service.call('/api/projects', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name": 7, "name": "last"}',
  });
  expect([made.status, await made.json()]).toMatchObject([201, { name: 'last' }]);
});

it('takes JSON in its usual dresses', async () => {
  const bodies: [string, Buffer, Record<string, string>][] = [
    ['a byte order mark', Buffer.from('\ufeff{"name": "x"}'), {}],
    ['charset', Buffer.from('{"name": "é"}'), { 'content-type': 'application/json; charset=UTF-8' }],
    ['capitals', Buffer.from('{"name": "x"}'), { 'content-type': 'Application/JSON' }],
    ['gzip', gzipSync('{"name": "x"}'), { 'content-encoding': 'gzip' }],
    ['identity', Buffer.from('{"name": "x"}'), { 'content-encoding': 'identity' }],
    ['a pair of surrogates', Buffer.from('{"name": "\\ud83d\\udd2c"}'), {}],
  ];
  for (const [what, body, headers] of bodies) {
    const reply = await world.service.call('/api/projects', {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
    expect([what, reply.status]).toEqual([what, 201]);
  }
});
