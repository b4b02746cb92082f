import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY } from '../support/app.ts';
import { addressOf, goodBody, refusalOf, startScene, type Found, type JsonSchema, type Scene } from './refusals.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000001';
let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.service.close());

const send = async (found: Found, path: string, headers: Record<string, string> = {}) =>
  scene.service.call(path, { ...(await goodBody(found)), method: found.method, headers });
const withId = () => scene.operations.filter(({ path }) => path.includes('{'));
/** A question over HTTP as it stands, for what `fetch` would mend. @returns the answer's head and body. */
async function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(scene.service.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end(text));
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
const statusesOf = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe('an id', () => {
  it.each([
    ['abc', 400],
    [`${UNKNOWN}0`, 400],
    [UNKNOWN.replace('-', '_'), 400],
    ['%00', 400],
    [`${UNKNOWN}%00`, 400],
    ['..%2f..%2fetc%2fpasswd', 400],
    ["'%20or%201=1--", 400],
    ['%F0%9F%94%AC', 400],
    [UNKNOWN, 404],
    [UNKNOWN.toUpperCase(), 404],
  ])('of %s is refused by every route that takes one, with its value', async (id, status) => {
    const wrong: unknown[] = [];
    for (const found of withId()) {
      const refused = await refusalOf(await send(found, addressOf(found, scene.ids, id)));
      const says = status === 400 ? 'uuid' : UNKNOWN;
      const named = status === 400 ? /params\.\w*[iI]d is "/.test(refused.message) : true;
      if (refused.faults.length > 0 || refused.statusCode !== status || !named || !refused.message.includes(says))
        wrong.push({ id: found.id, ...refused });
    }
    expect(wrong).toEqual([]);
    expect(withId().length).toBeGreaterThan(20);
  });

  it('of another kind is unknown', async () => {
    const { images, batches, projects } = scene.ids;
    for (const path of [`projects/${images}`, `images/${batches}`, `batches/${projects}`, `exports/${batches}`])
      expect([path, (await scene.service.call(`/api/${path}`)).status]).toEqual([path, 404]);
  });
});

describe('a query', () => {
  /** Texts that a parameter must not have. */
  function badTexts({ type, minimum, exclusiveMinimum, maximum, enum: words, anyOf, format }: JsonSchema): string[] {
    const all: string[] = [];
    if (type === 'integer') all.push('x', '1.5', '1e2', '', '0x10', '99999999999999999999', '+1');
    if (minimum !== undefined) all.push(String(minimum - 1));
    if (exclusiveMinimum !== undefined) all.push(String(exclusiveMinimum));
    if (maximum !== undefined) all.push(String(maximum + 1));
    if (words || anyOf?.some((one) => one.const !== undefined)) all.push('nonsense');
    if (format === 'uuid') all.push('abc');
    return all;
  }
  it('with a wrong, doubled or unknown parameter is refused by its name, on every route', async () => {
    const wrong: unknown[] = [];
    let sent = 0;
    for (const found of scene.operations) {
      if (!found.path.startsWith('/api/') || found.id === 'openEvents') continue;
      const address = addressOf(found, scene.ids);
      const parameters = (found.operation.parameters ?? []).filter(({ in: where }) => where === 'query');
      const cases = parameters
        .filter(({ name }) => !['expires', 'signature'].includes(name))
        .flatMap(({ name, schema }) => [
          ...badTexts(schema as JsonSchema).map((text) => [name, `${name}=${encodeURIComponent(text)}`]),
          [name, `${name}=1&${name}=2`],
        ]);
      if (parameters.length > 0) cases.push(['colour', 'colour=red']);
      for (const [name, query] of cases) {
        const refused = await refusalOf(await send(found, `${address}?${query}`));
        sent++;
        if (refused.faults.length > 0 || refused.statusCode !== 400 || !refused.message.includes(name!))
          wrong.push({ id: found.id, query, ...refused });
      }
    }
    expect(wrong).toEqual([]);
    expect(sent).toBeGreaterThan(100);
  });

  it('that is badly escaped is refused or taken as text, never a failure', async () => {
    for (const query of ['q=%', 'q=%zz', '%', '&&&', '=', '?', 'q=%ff', 'limit[]=1', 'limit[a]=1', '__proto__=1']) {
      const { status } = await scene.service.call(`/api/projects/${scene.ids.projects}/images?${query}`);
      expect([query, [200, 400].includes(status)]).toEqual([query, true]);
    }
  });
});

describe('a header', () => {
  const file = () => `/api/images/${scene.ids.images}/file`;
  it.each([
    'bytes=a-b',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-1',
    'lines=0-1',
    'bytes=0-1,4-5',
    'bytes=0x1-2',
    ' ',
    'bytes=1--2',
  ])('Range of "%s" is ignored', async (range) => {
    expect((await scene.service.call(file(), { headers: { range } })).status).toBe(200);
  });

  it('Range beyond the file is 416 with its size', async () => {
    for (const range of ['bytes=999999999-', 'bytes=99999999999999999999999-', 'bytes=-0']) {
      const reply = await scene.service.call(file(), { headers: { range } });
      expect(reply.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
      expect(await refusalOf(reply)).toMatchObject({ statusCode: 416, code: 'RANGE_NOT_SATISFIABLE', faults: [] });
    }
  });

  it('that makes no sense is ignored where it only asks, and refused where it says who asks', async () => {
    const status = async (headers: Record<string, string>, key?: null) =>
      (await scene.service.call(file(), { headers, ...(key === null && { key }) })).status;
    const odd: Record<string, string>[] = [
      { 'if-none-match': 'garbage' },
      { 'if-modified-since': 'yesterday' },
      { 'if-range': '???', range: 'bytes=0-1' },
      { accept: ';;;' },
      { accept: 'q=9' },
      { 'accept-encoding': 'gzip;q=banana, *;q=0' },
    ];
    for (const headers of odd) expect([headers, await status(headers)]).toEqual([headers, 200]);
    for (const authorization of [
      'Basic eDp5',
      'Bearer',
      'Bearer ',
      `Token ${TEST_KEY}`,
      `Bearer ${TEST_KEY} x`,
      'x'.repeat(4000),
    ])
      expect([authorization.slice(0, 20), await status({ authorization }, null)]).toEqual([
        authorization.slice(0, 20),
        401,
      ]);
    const large = await scene.service.call(file(), { headers: { 'x-large': 'x'.repeat(20_000) } });
    expect(await refusalOf(large)).toMatchObject({ statusCode: 431, code: 'HEADERS_TOO_LARGE', faults: [] });
  });

  it.each(['', 'x'.repeat(1000)])('Idempotency-Key of %# is refused by its name', async (key) => {
    const upload = scene.operations.find(({ id }) => id === 'uploadImages')!;
    const refused = await refusalOf(await send(upload, addressOf(upload, scene.ids), { 'idempotency-key': key }));
    expect(refused).toMatchObject({ statusCode: 400, code: 'VALIDATION', faults: [] });
    expect(refused.message).toContain('idempotency-key');
  });
});

describe('what is no good HTTP', () => {
  const head = `Host: x\r\nAuthorization: Bearer ${TEST_KEY}\r\n`;
  it.each([
    ['two lengths', `POST /api/projects HTTP/1.1\r\n${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    [
      'length and chunks',
      `POST /api/projects HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/keys HTTP/1.1\r\n${head}\r\n`,
    ],
    ['a strange encoding', `POST /api/projects HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a negative length', `POST /api/projects HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`],
    ['no host', `GET /api/projects HTTP/1.1\r\nAuthorization: Bearer ${TEST_KEY}\r\n\r\n`],
    ['a blank before the colon', `GET /api/projects HTTP/1.1\r\nHost : x\r\n\r\n`],
    ['a NUL in a header', `GET /api/projects HTTP/1.1\r\n${head}X: a\0b\r\n\r\n`],
  ])('%s is refused, and nothing behind it is answered', async (_what, text) => {
    expect(statusesOf(await raw(text))).toEqual([400]);
  });

  it('does not keep the others waiting', async () => {
    expect((await scene.service.call('/readyz')).status).toBe(200);
    const two = `GET /healthz HTTP/1.1\r\n${head}\r\n`.repeat(2);
    expect(statusesOf(await raw(two.replace(/\r\n\r\n$/, '\r\nConnection: close\r\n\r\n')))).toEqual([200, 200]);
  });
});
