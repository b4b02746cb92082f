import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { problemsOfRefusal, type Expected } from './judge.ts';
import { parseAnswer, send, sendBytes } from './wire.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let before: string;
beforeAll(async () => {
  world = await createWorld();
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

describe('what HTTP/1.1 asks of a request', () => {
  const get = (lines: string, target = '/healthz') =>
    sendBytes(world.service.url, [`GET ${target} HTTP/1.1\r\n${lines}connection: close\r\n\r\n`]);
  const BAD_HOST = { status: 400, code: 'BAD_REQUEST' };
  it.each<[string, string, string[]]>([
    ['no Host', '', ['host is missing']],
    ['two Hosts', 'host: a\r\nhost: b\r\n', ['host is there 2 times']],
    ['a Host with a path', 'host: a/b\r\n', ['host is "a/b"']],
    ['a Host with a user', 'host: user@a\r\n', ['host is "user@a"']],
    ['a Host with a blank', 'host: a b\r\n', ['host is "a b"']],
    ['a Host with a port that is none', 'host: a:port\r\n', ['host is "a:port"']],
  ])('%s is refused on every path', async (_, lines, names) => {
    for (const target of ['/healthz', '/api/projects', '/nothing', '/', '/graphql'])
      expect([
        target,
        problemsOfRefusal(
          parseAnswer(await get(lines, target)),
          { ...BAD_HOST, names: [...names, 'expected one name'] },
          world,
        ),
      ]).toEqual([target, []]);
  });
  it.each(['a', 'a.b:80', '127.0.0.1:1', '[::1]:8080', 'EXAMPLE.org', ''])('a Host %j is taken', async (host) => {
    expect(parseAnswer(await get(`host: ${host}\r\n`)).status).toBe(200);
  });
  it('HTTP/1.0 needs no Host', async () => {
    const bytes = await sendBytes(world.service.url, ['GET /healthz HTTP/1.0\r\n\r\n']);
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  });
  it('an expectation that is not 100-continue is 417, and that one is met', async () => {
    const post = (expectation: string) =>
      send(world.service.url, {
        method: 'POST',
        target: '/api/projects',
        headers: [
          ['expect', expectation],
          ['content-type', 'application/json'],
        ],
        body: '{}',
      });
    expect(
      problemsOfRefusal(
        await post('a-miracle'),
        { status: 417, code: 'EXPECTATION_FAILED', names: ['expect is "a-miracle"', 'expected 100-continue'] },
        world,
      ),
    ).toEqual([]);
    expect((await post('100-continue')).status).toBe(401);
  });
  const NO_TARGET = { status: 400, code: 'BAD_REQUEST', names: ['target is "http', 'expected a path'] };
  const NOT_HTTP = { status: 400, code: 'BAD_REQUEST', names: ['HTTP/1.1'] };
  it.each<[string, Expected]>([
    ['*', { status: 400, code: 'BAD_REQUEST', names: ['target is "*"', 'expected a path'] }],
    ['gopher://x', { status: 400, code: 'BAD_REQUEST', names: ['target is "gopher://x"', 'expected a path'] }],
    ['http://', NO_TARGET],
    ['http://[', NO_TARGET],
    ['http:///api/projects', NO_TARGET],
    ['api/projects', NOT_HTTP],
    ['/a b', NOT_HTTP],
    ['/%', { status: 400, code: 'BAD_REQUEST', names: ['path is "/%"', 'percent-encoded'] }],
    ['/?%', { status: 400, code: 'VALIDATION', names: ['querystring.%', 'percent-encoded'] }],
    ['/\\..\\..', { status: 404, code: 'NOT_FOUND', names: ['no route'] }],
    ['/api/projects?a=%00#x', { status: 401, code: 'UNAUTHENTICATED' }],
    [`/${'a'.repeat(15_000)}`, { status: 404, code: 'NOT_FOUND', names: ['no route', '...'] }],
    [`/${'a'.repeat(20_000)}`, { status: 431, code: 'HEADERS_TOO_LARGE', names: ['allowed'] }],
  ])('a target %j is refused', async (target, expected) => {
    const answer = await send(world.service.url, { method: 'GET', target });
    expect(problemsOfRefusal(answer, expected, world)).toEqual([]);
  });
});
