import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY } from '../support/app.ts';
import { problemsOfRefusal, type Expected } from './judge.ts';
import { send } from './wire.ts';
import { createWorld, listed, type World } from './world.ts';

type Header = readonly [string, string];
let world: World;
let before: string;
beforeAll(async () => {
  world = await createWorld();
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

describe('who asks', () => {
  const NO_KEY: Expected = { status: 401, code: 'UNAUTHENTICATED', names: ['key'] };
  it.each<[string, Header[], string[]]>([
    ['nothing', [], []],
    ['an empty header', [['authorization', '']], []],
    ['Bearer alone', [['authorization', 'Bearer']], []],
    ['Bearer and a blank', [['authorization', 'Bearer ']], []],
    ['Basic', [['authorization', 'Basic dXNlcjpwYXNzd29yZA==']], ['dXNlcjpwYXNzd29yZA==']],
    ['Digest', [['authorization', 'Digest username="a", realm="b"']], []],
    ['the key alone', [['authorization', TEST_KEY]], [TEST_KEY]],
    ['the key as a scheme', [['authorization', `${TEST_KEY} Bearer`]], [TEST_KEY]],
    ['two keys in one header', [['authorization', `Bearer ${TEST_KEY}, Bearer ${TEST_KEY}`]], [TEST_KEY]],
    ['a key with a blank in it', [['authorization', `Bearer ${TEST_KEY.slice(0, 9)} ${TEST_KEY.slice(9)}`]], []],
    ['a key in quotes', [['authorization', `Bearer "${TEST_KEY}"`]], [TEST_KEY]],
    ['a key that is cut', [['authorization', `Bearer ${TEST_KEY.slice(0, -1)}`]], [TEST_KEY.slice(0, -1)]],
    ['a key with something behind it', [['authorization', `Bearer ${TEST_KEY}x`]], [TEST_KEY]],
    ['a key in other letters', [['authorization', `Bearer ${TEST_KEY.toUpperCase()}`]], [TEST_KEY.toUpperCase()]],
    ['bytes', [['authorization', 'Bearer \xff\xfe\x80']], []],
    ['SQL', [['authorization', "Bearer ' or 1=1--"]], []],
    ['a key of 10,000 characters', [['authorization', `Bearer ${'k'.repeat(10_000)}`]], ['kkkkk']],
    [
      'a wrong key before the right one',
      [
        ['authorization', 'Bearer nobody'],
        ['authorization', `Bearer ${TEST_KEY}`],
      ],
      [TEST_KEY],
    ],
    ['a key in the proxy’s header', [['proxy-authorization', `Bearer ${TEST_KEY}`]], [TEST_KEY]],
    ['a session that is none', [['cookie', 'segbench_session=00000000000000000000000000000000']], []],
    ['a session of zero bytes', [['cookie', 'segbench_session=%00%00']], []],
    ['a key as a session', [['cookie', `segbench_session=${TEST_KEY}`]], [TEST_KEY]],
  ])('with %s every operation that needs a key is 401, and the key is not repeated', async (what, headers, secrets) => {
    const guarded = world.calls.filter(({ needsKey }) => needsKey);
    expect(guarded.length).toBeGreaterThan(35);
    const problems: string[] = [];
    for (const call of guarded)
      problems.push(
        ...(await world.refused(call, what, { headers, without: ['authorization'] }, { ...NO_KEY, secrets })),
      );
    expect(listed(problems)).toBe('');
  });

  it('headers that are too large are 431', async () => {
    for (const [name, value] of [
      ['authorization', `Bearer ${'k'.repeat(100_000)}`],
      ['cookie', 'a=b;'.repeat(25_000)],
      ['x-long', 'x'.repeat(17_000)],
      ['n'.repeat(17_000), '1'],
    ] as Header[]) {
      const answer = await send(world.service.url, {
        method: 'GET',
        target: '/api/projects',
        headers: [[name, value]],
      });
      expect(
        problemsOfRefusal(answer, { status: 431, code: 'HEADERS_TOO_LARGE', names: ['headers', 'allowed'] }, world),
      ).toEqual([]);
    }
    const many = Array.from({ length: 3000 }, (_, at): Header => [`x-${at}`, '1']);
    const answer = await send(world.service.url, { method: 'GET', target: '/healthz', headers: many });
    expect([200, 431]).toContain(answer.status);
  });
});
