import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { problemsOfRefusal, type Expected } from './judge.ts';
import { send } from './wire.ts';
import { createWorld, listed, type Call, type World } from './world.ts';

type Header = readonly [string, string];
let world: World;
let before: string;
/** Every operation that a GET can be, but sockets. */
let reads: Call[];
beforeAll(async () => {
  world = await createWorld();
  reads = world.calls.filter(({ method, path }) => method === 'GET' && !/events|graphql/.test(path));
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

describe('headers that only ask for a form', () => {
  it.each<[string, Header[]]>([
    ['accept', [['accept', 'application/x-nothing']]],
    ['accept', [['accept', 'application/x-nothing;q=2, */*;q=abc, ;;,,/']]],
    ['accept', [['accept', '']]],
    ['accept', [['accept', 'text/html;q=0, application/json;q=0, */*;q=0']]],
    ['accept', [['accept', 'x'.repeat(5000)]]],
    ['accept-encoding', [['accept-encoding', 'snappy, lzma;q=9, ;q=, br;q=-1, *;q=0']]],
    ['accept-encoding', [['accept-encoding', 'identity;q=0, *;q=0']]],
    ['accept-encoding', [['accept-encoding', '']]],
    ['accept-encoding', [['accept-encoding', 'gzip;'.repeat(1000)]]],
    [
      'accept-language and accept-charset',
      [
        ['accept-language', '💥;q'],
        ['accept-charset', 'none'],
      ],
    ],
    ['if-none-match', [['if-none-match', 'garbage, W/, "", """, \\']]],
    ['if-modified-since', [['if-modified-since', 'yesterday']]],
    ['if-modified-since', [['if-modified-since', 'Thu, 32 Foo 99999 25:61:61 GMT']]],
    ['if-match', [['if-match', '"nothing"']]],
    ['range', [['range', 'bytes=abc']]],
    ['range', [['range', 'lines=0-1']]],
    ['range', [['range', 'bytes=5-2']]],
    ['range', [['range', 'bytes=0-0,2-2,4-4']]],
    ['range', [['range', `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`).join(',')}`]]],
    ['range', [['range', 'bytes=-']]],
    ['range', [['range', 'bytes=0x0-0x5']]],
    ['range', [['range', 'bytes= 0 - 5 ']]],
    ['range', [['range', 'bytes=']]],
    [
      'range, twice',
      [
        ['range', 'bytes=0-0'],
        ['range', 'bytes=1-1'],
      ],
    ],
    [
      'if-range',
      [
        ['range', 'bytes=0-0'],
        ['if-range', 'garbage'],
      ],
    ],
    [
      'if-range',
      [
        ['range', 'bytes=0-0'],
        ['if-range', 'W/"weak"'],
      ],
    ],
    [
      'if-range',
      [
        ['range', 'bytes=0-0'],
        ['if-range', 'Thu, 32 Foo 99999'],
      ],
    ],
    ['origin', [['origin', 'null']]],
    ['origin', [['origin', '://']]],
    ['referer', [['referer', '\xff\xfe']]],
    ['user-agent', [['user-agent', 'a'.repeat(8000)]]],
    ['cookie', [['cookie', 'segbench_session=%E0%A4%A; =; ;;; __proto__=1; segbench_session']]],
    ['cookie', [['cookie', 'a=b;'.repeat(2000)]]],
    [
      'x-forwarded-*',
      [
        ['x-forwarded-for', "127.0.0.1, ' or 1=1, ::::, 999.1.1.1"],
        ['x-forwarded-proto', 'gopher'],
        ['x-forwarded-host', 'evil.example/../'],
        ['x-forwarded-port', '-1'],
        ['forwarded', 'for=;;;'],
      ],
    ],
    [
      'x-http-method-override',
      [
        ['x-http-method-override', 'DELETE'],
        ['x-method-override', 'DELETE'],
        ['x-original-url', '/api/keys'],
      ],
    ],
    ['content-type of no body', [['content-type', '////;;;']]],
    ['content-encoding of no body', [['content-encoding', 'snappy']]],
    [
      'te, trailer, upgrade',
      [
        ['te', 'trailers, x;q=9'],
        ['trailer', 'host'],
        ['upgrade', 'h2c, nothing/1'],
      ],
    ],
  ])('every read is answered in full, whatever is wrong with %s: %j', async (_, headers) => {
    const problems: string[] = [];
    for (const call of reads) {
      const usual = await world.ask(call);
      const { status, headers: sent, body } = await world.ask(call, { headers });
      const coded = headers.some(([name]) => name === 'accept-encoding') && sent.has('content-encoding');
      // A picture may come in another format.
      const chosen =
        (sent.get('vary') ?? '').split(/, */).includes('accept') && sent.get('content-type')?.startsWith('image/');
      const seen = `${status} ${chosen ? 'picture' : sent.get('content-type')}`;
      const expected = `${usual.status} ${chosen ? 'picture' : usual.headers.get('content-type')}`;
      // What changes from one request to the next is not compared.
      const isSame = usual.headers.has('etag') && !chosen ? body.equals(usual.body) : body.length > 0;
      if (seen !== expected || (!coded && !isSame))
        problems.push(`${call.at}: ${seen} of ${body.length} bytes, expected ${expected} of ${usual.body.length}`);
    }
    expect(listed(problems)).toBe('');
    expect(reads.length).toBeGreaterThan(20);
  });

  it.each([
    'bytes=999999999999999999999-',
    'bytes=99999999-',
    'bytes=-0',
    `bytes=${'9'.repeat(400)}-${'9'.repeat(400)}`,
  ])('a range that is behind the end is 416 with the size: %s', async (range) => {
    const files = reads.filter(({ operation }) => operation.responses['416'] !== undefined);
    expect(files.length).toBeGreaterThan(1);
    const problems: string[] = [];
    for (const call of files) {
      const { body } = await world.ask(call);
      const expected = {
        status: 416,
        code: 'RANGE_NOT_SATISFIABLE',
        names: ['range', range.slice(0, 50), String(body.length)],
      };
      problems.push(...(await world.refused(call, range.slice(0, 50), { headers: [['range', range]] }, expected)));
      const answer = await world.ask(call, { headers: [['range', range]] });
      if (answer.headers.get('content-range') !== `bytes */${body.length}`)
        problems.push(`${call.at}: ${answer.headers.get('content-range')}`);
    }
    expect(listed(problems)).toBe('');
  });

  it.each(['bytes=0-999999999999999999999', 'bytes=-999999999999999999999', 'BYTES=0-'])(
    'a range that reaches behind the end is cut there: %s',
    async (range) => {
      for (const call of reads.filter(({ operation }) => operation.responses['416'] !== undefined)) {
        const [whole, part] = [await world.ask(call), await world.ask(call, { headers: [['range', range]] })];
        expect([call.at, part.status, part.body.equals(whole.body)]).toEqual([call.at, 206, true]);
      }
    },
  );
});

describe('Idempotency-Key', () => {
  const multipart: Header = ['content-type', 'multipart/form-data; boundary=b'];
  it.each<[string, string, Expected]>([
    ['an empty one', '', { status: 400, code: 'VALIDATION', names: ['headers.idempotency-key', '""', '1'] }],
    ['blanks', '   ', { status: 400, code: 'VALIDATION', names: ['headers.idempotency-key', '""', '1'] }],
    [
      '201 characters',
      'k'.repeat(201),
      { status: 400, code: 'VALIDATION', names: ['headers.idempotency-key', '"kkkkk', '200'] },
    ],
    [
      '10,000 characters',
      'k'.repeat(10_000),
      { status: 400, code: 'VALIDATION', names: ['headers.idempotency-key', '"kkkkk', '200'] },
    ],
  ])('%s is refused wherever it is asked for', async (what, key, expected) => {
    const calls = world.calls.filter(({ parameters }) => parameters.some(({ name }) => name === 'idempotency-key'));
    expect(calls.length).toBeGreaterThan(0);
    const problems: string[] = [];
    for (const call of calls)
      problems.push(
        ...(await world.refused(
          call,
          what,
          { headers: [multipart, ['idempotency-key', key]], body: '--b--\r\n' },
          expected,
        )),
      );
    expect(listed(problems)).toBe('');
  });
  it.each(['a\0b', 'a\x01b', 'a\x7fb', 'a\rb', 'a\nb'])(
    'a control character in it, or in any header, is 400: %j',
    async (key) => {
      for (const name of ['idempotency-key', 'accept', 'authorization', 'range']) {
        const answer = await send(world.service.url, {
          method: 'GET',
          target: '/api/projects',
          headers: [[name, key]],
        });
        expect([
          name,
          problemsOfRefusal(answer, { status: 400, code: 'BAD_REQUEST', names: ['HTTP/1.1'] }, world),
        ]).toEqual([name, []]);
      }
    },
  );
});
