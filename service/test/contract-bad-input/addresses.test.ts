import { METHODS } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { problemsOfRefusal } from './judge.ts';
import { sendBytes, parseAnswer, send } from './wire.ts';
import { createWorld, listed, type Call, type World } from './world.ts';

let world: World;
let before: string;
beforeAll(async () => {
  world = await createWorld();
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

const TEXT = { headers: [['content-type', 'text/plain']] as const };
const targetOf = (call: Call) => world.request(call).target;

/** The same route by other ways to write its address. */
const SPELLINGS: [string, (target: string) => string][] = [
  ['absolute, with this host', (target) => new URL(world.service.url).origin + target],
  ['absolute, with another host', (target) => `http://elsewhere.example${target}`],
  [
    'its first letter escaped',
    (target) => target.replace(/^\/(\w)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
  ],
  ['a slash behind it', (target) => target.replace(/(\?|$)/, '/$1')],
];
it.each(SPELLINGS)('a route asks for its key whatever way its address is written: %s', async (_, spelled) => {
  const problems: string[] = [];
  for (const call of world.calls.filter(({ needsKey }) => needsKey)) {
    const target = spelled(targetOf(call));
    const { status } = await world.ask(call, { without: ['authorization'] });
    const answer = await send(world.service.url, { ...world.request(call, { without: ['authorization'] }), target });
    const expected = { status, code: 'UNAUTHENTICATED' };
    problems.push(
      ...problemsOfRefusal(answer, expected, { document: world.document, operation: call.operation }).map(
        (problem) => `${call.at}: ${problem}`,
      ),
    );
  }
  expect(listed(problems)).toBe('');
});

/** Every method that Node's parser knows, but CONNECT, which asks for a tunnel and is cut. */
const OTHERS = METHODS.filter((method) => method !== 'CONNECT');
it('every path answers a method that it has not with 405 and those that it has', async () => {
  const problems: string[] = [];
  for (const path of Object.keys(world.document.paths)) {
    const calls = world.calls.filter((call) => call.path === path);
    const own = new Set(calls.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
    const allow = [...own].toSorted().join(', ');
    for (const method of OTHERS.filter((each) => !own.has(each))) {
      const answer = await world.ask(calls[0]!, { method, body: undefined });
      if (answer.headers.get('allow') !== allow)
        problems.push(`${method} ${path}: Allow is ${answer.headers.get('allow')}`);
      if (method === 'HEAD') continue;
      const expected = { status: 405, code: 'METHOD_NOT_ALLOWED', names: [method, 'expected', allow] };
      problems.push(
        ...problemsOfRefusal(answer, expected, { document: world.document }).map(
          (problem) => `${method} ${path}: ${problem}`,
        ),
      );
    }
  }
  expect(listed(problems)).toBe('');
});

it('a path that no route has is 404 of the errors’ shape to every method', async () => {
  const paths = [
    '/nothing',
    '/api',
    '/api/',
    '/api/nothing',
    '/api/projects/a/b/c',
    '/API/projects',
    '/api//projects',
    '//api/projects',
    '/api/projects;x=1',
    '/.env',
    '/api/../healthz',
    '/api/projects%2F',
    '/%2e%2e/%2e%2e/etc/passwd',
    `/${'x/'.repeat(1000)}`,
    '/?',
    '/api/projects%00',
    '/api/projects%20',
  ].filter((path) => path !== '/?');
  const problems: string[] = [];
  for (const target of paths)
    for (const method of OTHERS) {
      const answer = await send(world.service.url, { method, target });
      if (answer.headers.has('allow')) problems.push(`${method} ${target}: Allow is ${answer.headers.get('allow')}`);
      if (method === 'HEAD') continue;
      const expected = {
        status: 404,
        code: 'NOT_FOUND',
        names: ['no route', method, target.slice(0, 40).replaceAll('"', '')],
      };
      problems.push(
        ...problemsOfRefusal(answer, expected, { document: world.document }).map(
          (problem) => `${method} ${target.slice(0, 60)}: ${problem}`,
        ),
      );
    }
  expect(listed(problems)).toBe('');
});

it('HEAD says of every GET what GET says, without a body', async () => {
  const problems: string[] = [];
  for (const call of world.calls.filter(({ method, path }) => method === 'GET' && !/events|graphql/.test(path))) {
    const [get, head] = [await world.ask(call), await world.ask(call, { method: 'HEAD' })];
    if (get.status !== head.status) problems.push(`${call.at}: GET ${get.status}, HEAD ${head.status}`);
    if (get.headers.get('content-type') !== head.headers.get('content-type'))
      problems.push(`${call.at}: ${head.headers.get('content-type')}`);
    const bytes = parseAnswer(
      await sendBytes(world.service.url, [
        `HEAD ${targetOf(call)} HTTP/1.1\r\nhost: x\r\nauthorization: ${world.request(call).headers![0]![1]}\r\nconnection: close\r\n\r\n`,
      ]),
    ).body;
    if (bytes.length > 0) problems.push(`${call.at}: HEAD has ${bytes.length} bytes`);
  }
  expect(listed(problems)).toBe('');
});

it('a GET with a body is answered as one without', async () => {
  const problems: string[] = [];
  for (const call of world.calls.filter(({ method, path }) => method === 'GET' && !/events|graphql/.test(path))) {
    const [with_, without] = [await world.ask(call, { ...TEXT, body: '{"limit": 0}' }), await world.ask(call)];
    if (with_.status !== without.status) problems.push(`${call.at}: ${with_.status}, ${without.status} without a body`);
  }
  expect(listed(problems)).toBe('');
});
