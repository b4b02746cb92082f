import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/graphql/limits.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ask, newProject, newScene, post } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

const ID = '01980000-0000-7000-8000-0000000000ff';
const nested = (depth: number) =>
  `{ image(id: "${ID}") { ${'project { images { items { '.repeat(depth)} id ${'} } }'.repeat(depth)} } }`;

/** Query, code, and what the message says: the field, the value, what is allowed. */
const DOCUMENTS: [string, string, string, RegExp][] = [
  ['a document that is none', '{ me { name }', 'DOCUMENT_SYNTAX', /Expected Name.*document in query/],
  [
    'an unknown field',
    '{ me { age } }',
    'DOCUMENT_INVALID',
    /^Me has no field "age": expected one of keyId, name, scopes$/,
  ],
  [
    'an unknown argument',
    `{ project(uuid: "${ID}") { id } }`,
    'DOCUMENT_INVALID',
    /^Query.project has no argument "uuid": expected one of id$/,
  ],
  ['a missing argument', '{ project { id } }', 'DOCUMENT_INVALID', /project\(id:\).*required/],
  ['an argument of another type', '{ projects(pagination: { limit: "5" }) { total } }', 'DOCUMENT_INVALID', /Int.*"5"/],
  ['a malformed id', '{ project(id: "plate-7") { id } }', 'VALIDATION', /^id is "plate-7": expected a uuid$/],
  [
    'a malformed id among others',
    `{ results(imageIds: ["${ID}", "x"]) { missing } }`,
    'VALIDATION',
    /^imageIds\[1\] is "x"/,
  ],
  ['a page of 0', '{ projects(pagination: { limit: 0 }) { total } }', 'VALIDATION', /^pagination\.limit is 0: .*>= 1/],
  [
    'a page of 501',
    '{ projects(pagination: { limit: 501 }) { total } }',
    'VALIDATION',
    /pagination\.limit is 501: .*<= 500/,
  ],
  ['an offset below 0', '{ projects(pagination: { offset: -1 }) { total } }', 'VALIDATION', /pagination\.offset is -1/],
  [
    'an unknown status',
    `{ images(projectId: "${ID}", filter: { status: [gone] }) { total } }`,
    'DOCUMENT_INVALID',
    /gone/,
  ],
  ['a picture 5,000 wide', `{ image(id: "${ID}") { thumbnailUrl(w: 5000) } }`, 'VALIDATION', /^w is 5000: .*<= 4096/],
  ['too many fields below each other', nested(4), 'TOO_DEEP', /lies 11 fields deep: at most 10 are allowed/],
  [
    'too much at once',
    '{ projects(pagination: { limit: 500 }) { items { images(pagination: { limit: 500 }) { items { id } } } } }',
    'TOO_COMPLEX',
    /^the document costs 5\d{5}: at most 10000 is allowed$/,
  ],
  [
    'too many aliases',
    `{ ${Array.from({ length: LIMITS.aliases + 1 }, (_, index) => `a${index}: me { name }`).join(' ')} }`,
    'TOO_MANY_ALIASES',
    /^query has 16 aliases: at most 15 are allowed$/,
  ],
  [
    'too many operations',
    Array.from({ length: LIMITS.operations + 1 }, (_, index) => `query q${index} { me { name } }`).join(' '),
    'TOO_MANY_OPERATIONS',
    /^query has 6 operations: at most 5 are allowed$/,
  ],
  ['too many bytes', `{ me { name } } # ${'x'.repeat(LIMITS.documentBytes)}`, 'DOCUMENT_TOO_LARGE', /at most 16384/],
  ['too many tokens', `{ me { ${'name '.repeat(LIMITS.tokens)} } }`, 'DOCUMENT_TOO_LARGE', /at most 2000 are allowed/],
  [
    'fragments that repeat each other without end',
    `query { me { ...f0 } } ${Array.from({ length: 20 }, (_, index) => `fragment f${index} on Me { ${index === 19 ? 'name' : `...f${index + 1} ...f${index + 1}`} }`).join(' ')}`,
    'TOO_COMPLEX',
    /at most that many are allowed/,
  ],
  ['operations without a choice', 'query a { me { name } } query b { me { name } }', 'UNKNOWN_OPERATION', /a, b/],
  [
    'a subscription',
    `subscription { segmentationProgress(taskId: "${ID}") { status } }`,
    'OPERATION_NOT_ALLOWED',
    /WebSocket/,
  ],
];

describe('a document that may not run', () => {
  it.each(DOCUMENTS)('is refused with 400: %s', async (_name, query, code, message) => {
    const answer = await ask(service, query);
    expect([answer.status, answer.codes[0], answer.code]).toEqual([400, code, code]);
    expect(answer.message).toMatch(message);
    expect(answer.errors![0]).toMatchObject({ message: answer.message, extensions: { code, statusCode: 400 } });
    expect(answer.data).toBeUndefined();
  });

  it('runs at each of these limits', async () => {
    const aliases = Array.from({ length: LIMITS.aliases }, (_, index) => `a${index}: me { name }`).join(' ');
    const documents = [
      '{ projects(pagination: { limit: 500 }) { items { id } } }',
      `{ ${aliases} }`,
      // ten deep
      `{ image(id: "${ID}") { project { images { items { project { images(pagination: { limit: 2 }) { items { project { owner { name } } } } } } } } } }`,
    ];
    for (const query of documents.slice(0, 2)) expect((await ask(service, query)).status).toBe(200);
    expect((await ask(service, documents[2]!)).codes).toEqual(['NOT_FOUND']);
  });

  it.each([
    ['an unknown variable’s value of another type', { id: 5.5 }, /"\$id" .*5\.5/],
    ['a missing variable', {}, /"\$id" .*to be provided/],
    ['a malformed id', { id: 'x' }, /^id is "x": expected a uuid$/],
  ])('is refused for its variables: %s', async (_name, variables, message) => {
    const answer = await ask(service, 'query ($id: ID!) { project(id: $id) { id } }', variables);
    expect(answer.status).toBe(400);
    expect(['VARIABLES_INVALID', 'VALIDATION']).toContain(answer.code);
    expect(answer.message).toMatch(message);
  });

  it('changes nothing when a later field of it is refused', async () => {
    const { id } = await newProject(service, 'stays');
    const query = `mutation { renameProject(id: "${id}", name: "goes") { id } pauseBatch(id: "x") { id } }`;
    expect((await ask(service, query)).code).toBe('VALIDATION');
    expect(await (await service.call(`/api/projects/${id}`)).json()).toMatchObject({ name: 'stays' });
  });

  it('takes no more stored polygons into memory than one request may read', async () => {
    const { images } = await newScene(service, [1]);
    // varint polygons of 9 MB: one result is over the limit by itself
    await service.sql`update results set polygons = ${Buffer.alloc(LIMITS.polygonBytes + 1)}
      where id = (select result_id from images where id = ${images[0]!.id})`;
    const whole = await ask(service, `{ result(imageId: "${images[0]!.id}") { polygons { id } } }`);
    expect([whole.status, whole.data, whole.codes]).toEqual([200, { result: null }, ['TOO_COMPLEX']]);
    const meta = await ask(service, `{ result(imageId: "${images[0]!.id}") { cellCount } }`);
    expect([meta.data, meta.codes]).toEqual([{ result: { cellCount: 1 } }, []]);
  });
});

const raw = (init: RequestInit, key?: string | null) =>
  service.call('/graphql', { method: 'POST', ...init, ...(key === undefined ? {} : { key }) });
const json = { 'content-type': 'application/json' };
const good = JSON.stringify({ query: '{ me { name } }' });

describe('a request that is none of GraphQL', () => {
  it.each<[string, RequestInit, number, string, RegExp]>([
    ['bad JSON', { headers: json, body: '{ "query": ' }, 400, 'BAD_REQUEST', /body is not valid JSON/],
    ['no body', { headers: json }, 400, 'VALIDATION', /body/],
    [
      'another type',
      { headers: { 'content-type': 'text/plain' }, body: good },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /"text\/plain": expected application\/json/,
    ],
    [
      'a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'query={me{name}}' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /urlencoded/,
    ],
    [
      'a bare document',
      { headers: { 'content-type': 'application/graphql' }, body: '{ me { name } }' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /graphql/,
    ],
    [
      'a list',
      { headers: json, body: `[${good},${good}]` },
      400,
      'BATCHING_NOT_ALLOWED',
      /body is a list of 2: expected one object/,
    ],
    ['a list of one', { headers: json, body: `[${good}]` }, 400, 'BATCHING_NOT_ALLOWED', /list of 1/],
    ['no query', { headers: json, body: '{}' }, 400, 'VALIDATION', /body\.query is missing/],
    ['an empty query', { headers: json, body: '{"query":""}' }, 400, 'VALIDATION', /body\.query is ""/],
    [
      'an unknown field',
      { headers: json, body: '{"query":"{ me { name } }","id":"1"}' },
      400,
      'VALIDATION',
      /unknown field "id": allowed are query/,
    ],
    [
      'variables that are a list',
      { headers: json, body: '{"query":"{ me { name } }","variables":[]}' },
      400,
      'VALIDATION',
      /body\.variables is \[\]/,
    ],
    [
      'an unknown operation',
      { headers: json, body: '{"query":"query a { me { name } }","operationName":"b"}' },
      400,
      'UNKNOWN_OPERATION',
      /operationName is "b": expected one of a/,
    ],
    [
      'a body over the limit',
      { headers: json, body: JSON.stringify({ query: 'x'.repeat(1024 * 1024) }) },
      413,
      'BODY_TOO_LARGE',
      /at most 1048576 are allowed/,
    ],
  ])('is refused: %s', async (_name, init, status, code, message) => {
    const reply = await raw(init);
    const body = (await reply.json()) as { code: string; message: string; errors: unknown[] };
    expect([reply.status, body.code]).toEqual([status, code]);
    expect(body.message).toMatch(message);
    expect(body.errors).toEqual([expect.objectContaining({ message: body.message })]);
    expect(body.errors).toMatchObject([{ extensions: { code, statusCode: status } }]);
  });

  it('is refused by another method, with what is allowed', async () => {
    const reply = await service.call('/graphql?query=%7Bme%7Bname%7D%7D');
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await reply.json()).toMatchObject({
      code: 'METHOD_NOT_ALLOWED',
      message: expect.stringMatching(/method is GET: expected POST/),
      errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED', statusCode: 405 } }],
    });
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await service.call('/graphql', { method })).status).toBe(405);
  });

  it('is refused without a key that is known', async () => {
    for (const key of [null, 'x'.repeat(40)]) {
      const reply = await raw({ headers: json, body: good }, key);
      expect(reply.status).toBe(401);
      expect(await reply.json()).toMatchObject({
        code: 'UNAUTHENTICATED',
        errors: [{ extensions: { statusCode: 401 } }],
      });
    }
  });

  it('is refused from a page of another site that has its visitor’s session', async () => {
    const opened = await service.call('/api/session', { method: 'POST' });
    const cookie = opened.headers.getSetCookie()[0]!.split(';')[0]!;
    const own = await raw({ headers: { ...json, cookie, origin: service.url }, body: good }, null);
    expect(own.status).toBe(200);
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of elsewhere) {
      const foreign = await raw({ headers: { ...json, cookie, ...headers }, body: good }, null);
      expect([foreign.status, await foreign.json()]).toEqual([
        403,
        expect.objectContaining({ code: 'FOREIGN_ORIGIN' }),
      ]);
    }
  });
});

describe('the media type of a reply', () => {
  const own = 'application/graphql-response+json';
  it.each<[string | undefined, RegExp]>([
    [undefined, /^application\/json; charset=utf-8$/],
    ['*/*', /^application\/json/],
    ['application/json', /^application\/json/],
    [own, /^application\/graphql-response\+json; charset=utf-8$/],
    [`${own}, application/json;q=0.9`, /graphql-response/],
    [`${own};q=0.5, application/json`, /^application\/json/],
    [`${own};q=0`, /^application\/json/],
  ])('for Accept %s', async (accept, type) => {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    for (const query of ['{ me { name } }', '{ me { age } }', '{ me { name ']) {
      const { headers: got, status, data, errors, code } = await ask(service, query, {}, { headers });
      expect([got.get('content-type'), status]).toEqual([expect.stringMatching(type), data ? 200 : 400]);
      // GraphQL's own type has no room for other fields than its own
      const fields = [data !== undefined, errors !== undefined, code !== undefined];
      expect(fields).toEqual(data ? [true, false, false] : [false, true, !type.source.includes('graphql-response')]);
    }
    const unknown = await post(service, [1], { headers });
    expect([unknown.status, unknown.codes]).toEqual([400, ['BATCHING_NOT_ALLOWED']]);
    expect(unknown.headers.get('content-type')).toMatch(type);
  });
});
