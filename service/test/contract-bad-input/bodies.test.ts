import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_KEY } from '../support/app.ts';
import {
  addressOf,
  goodBody,
  refusalOf,
  schemaOf,
  startScene,
  type Found,
  type JsonSchema,
  type Scene,
} from './refusals.ts';

let scene: Scene;
let before: string;
/** All that a request could have written. */
async function written(): Promise<string> {
  const { sql } = scene.service.app;
  const tables = ['projects', 'images', 'batches', 'batch_items', 'exports', 'api_keys', 'audit', 'sessions'];
  const counts = await Promise.all(
    tables.map(async (table) => [table, (await sql`select count(*) as n from ${sql(table)}`)[0]!['n']]),
  );
  return JSON.stringify(counts);
}
beforeAll(async () => {
  scene = await startScene();
  before = await written();
});
afterAll(() => scene.service.close());

/** Values that a field must not have, and what the message must say beside the field's name. */
function badValues(schema: JsonSchema): [value: unknown, says: string][] {
  const { type, minimum, exclusiveMinimum, maximum, minLength, maxLength, minItems, maxItems, format } = schema;
  const all: [unknown, string][] = [];
  if (schema.enum) all.push(['nonsense', schema.enum.map(String).join(', ')]);
  const choices = schema.anyOf?.flatMap((one) => one.const ?? []);
  if (choices?.length) all.push(['nonsense', 'nonsense']);
  if (schema.const !== undefined) all.push([schema.const === true ? false : 'nonsense', JSON.stringify(schema.const)]);
  if (type === 'string') all.push([5, 'string'], [null, 'string'], [['a'], 'string']);

  if (type === 'number' || type === 'integer') all.push(['5', type], [true, type], [[1], type]);
  if (type === 'integer') all.push([1.5, 'integer']);
  if (type === 'boolean') all.push(['yes', 'boolean'], [1, 'boolean']);
  if (type === 'array') all.push(['a', 'array'], [{}, 'array']);
  if (minimum !== undefined) all.push([minimum - 1, String(minimum)]);
  if (exclusiveMinimum !== undefined) all.push([exclusiveMinimum, String(exclusiveMinimum)]);
  if (maximum !== undefined) all.push([maximum + 1, String(maximum)]);
  if (minLength) all.push(['', String(minLength)]);
  if (maxLength !== undefined && maxLength <= 10_000 && !format)
    all.push(['x'.repeat(maxLength + 1), String(maxLength)]);
  if (minItems) all.push([[], String(minItems)]);
  if (maxItems !== undefined && schema.items?.type === 'string' && !schema.items.enum)
    all.push([
      Array.from({ length: maxItems + 1 }, (_, i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
      String(maxItems),
    ]);
  if (format === 'uuid') all.push(['abc', 'uuid']);
  return all;
}
const cut = (value: unknown) => JSON.stringify(value)?.slice(0, 60);
const writing = () => scene.operations.filter(({ operation }) => operation.requestBody);
/** A session may be asked for without a body, by a bearer key: null is none. */
const BODILESS = ['createSession'];
const withJson = () => writing().filter((found) => schemaOf(scene, found)?.properties);
const send = (found: Found, init: RequestInit & { json?: unknown }) =>
  scene.service.call(addressOf(found, scene.ids), { ...init, method: found.method });
const raw = (found: Found, body: BodyInit | undefined, type: string | null = 'application/json') =>
  send(found, { ...(body === undefined ? {} : { body }), headers: type === null ? {} : { 'content-type': type } });

describe('a field', () => {
  it('with a wrong value is refused by its name, value and what is allowed, on every route', async () => {
    const wrong: unknown[] = [];
    let sent = 0;
    for (const found of withJson()) {
      const { json } = (await goodBody(found)) as { json: Record<string, unknown> };
      for (const [name, schema] of Object.entries(schemaOf(scene, found)!.properties!))
        for (const [value, says] of badValues(schema)) {
          const refused = await refusalOf(await send(found, { json: { ...json, [name]: value } }));
          sent++;
          const named = refused.message.includes(name);
          if (refused.faults.length > 0 || refused.statusCode !== 400 || !named || !refused.message.includes(says))
            wrong.push({ id: found.id, name, value: cut(value), says, ...refused });
        }
    }
    expect(wrong).toEqual([]);
    expect(sent).toBeGreaterThan(80);
  });

  it('that is unknown, missing or of the prototype is refused by its name, on every route', async () => {
    const wrong: unknown[] = [];
    for (const found of withJson()) {
      const schema = schemaOf(scene, found)!;
      const { json } = (await goodBody(found)) as { json: Record<string, unknown> };
      const text = JSON.stringify(json);
      const cases: [string, string, string][] = [
        [
          `${text.slice(0, -1)}${text === '{}' ? '' : ','}"colour":"red"}`,
          'colour',
          Object.keys(schema.properties!)[0]!,
        ],
        [`${text.slice(0, -1)}${text === '{}' ? '' : ','}"__proto__":{"x":1}}`, '', ''],
        [`${text.slice(0, -1)}${text === '{}' ? '' : ','}"constructor":{"prototype":{"x":1}}}`, '', ''],
      ];
      for (const field of schema.required ?? [])
        cases.push([JSON.stringify({ ...json, [field]: undefined }), field, 'missing']);
      for (const [body, name, says] of cases) {
        const refused = await refusalOf(await raw(found, body));
        if (refused.faults.length > 0 || !refused.message.includes(name) || !refused.message.includes(says))
          wrong.push({ id: found.id, body: body.slice(0, 80), ...refused });
      }
    }
    expect(wrong).toEqual([]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

it('with a NUL character, which PostgreSQL has no place for, is refused in every text that is kept', async () => {
  const wrong: unknown[] = [];
  for (const [id, field] of [
    ['createProject', 'name'],
    ['updateProject', 'name'],
    ['createBatch', 'model'],
    ['createKey', 'name'],
  ]) {
    const found = scene.operations.find((one) => one.id === id)!;
    const { json } = (await goodBody(found)) as { json: object };
    const refused = await refusalOf(await send(found, { json: { ...json, [field!]: 'a\0b' } }));
    if (refused.statusCode !== 400 || !refused.message.includes(field!)) wrong.push({ id, ...refused });
  }
  expect(wrong).toEqual([]);
});

describe('a body', () => {
  it('that is no JSON object of its content type is refused on every route', async () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const invalid = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"')]);
    const wrong: unknown[] = [];
    for (const found of withJson()) {
      const cases: [string, BodyInit | undefined, string | null, number][] = [
        ['not JSON', '{', 'application/json', 400],
        ['cut', '{"name": "x', 'application/json', 400],
        ['a list', '[]', 'application/json', 400],
        ['a text', '"x"', 'application/json', 400],
        ['a number', '1e400', 'application/json', 400],
        ['NaN', '{"threshold": NaN}', 'application/json', 400],
        ['null', 'null', 'application/json', 400],
        ['deep', deep, 'application/json', 400],
        ['no UTF-8', invalid, 'application/json', 400],
        ['text', '{}', 'text/plain', 415],
        ['XML', '<a/>', 'application/xml', 415],
        ['form', 'name=x', 'application/x-www-form-urlencoded', 415],
        ['no type', Buffer.from('{}'), null, 415],
        ['oversize', `"${'x'.repeat(3_000_000)}"`, 'application/json', 413],
      ];
      for (const [what, body, type, status] of cases) {
        if (what === 'null' && BODILESS.includes(found.id)) continue;
        const refused = await refusalOf(await raw(found, body, type));
        const named = status !== 415 || /content-type/.test(refused.message);
        if (refused.faults.length > 0 || refused.statusCode !== status || !named)
          wrong.push({ id: found.id, what, ...refused });
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of an upload that is no form with files is refused', async () => {
    const upload = writing().find(({ id }) => id === 'uploadImages')!;
    const form = (name: string, content: BlobPart[] = ['x']) => {
      const data = new FormData();
      data.append(name, new Blob(content), 'a.png');
      return data;
    };
    const text = new FormData();
    text.append('files', 'not a file');
    const cases: [string, BodyInit | undefined, string | null, number, RegExp][] = [
      ['JSON', '{}', 'application/json', 415, /content-type.*application\/json.*multipart\/form-data/],
      ['nothing', undefined, null, 415, /content-type/],
      ['no boundary', 'x', 'multipart/form-data', 400, /boundary/i],
      ['another boundary', '--a\r\n\r\n--a--', 'multipart/form-data; boundary=b', 400, /multipart/],
      ['no part', '--b--\r\n', 'multipart/form-data; boundary=b', 400, /files/],
      ['another field', form('images'), null, 400, /images.*files/],
      ['a text', text, null, 400, /files/],
      ['an empty file', form('files', []), null, 400, /./],
      ['no picture', form('files', ['hello']), null, 400, /./],
    ];
    const wrong: unknown[] = [];
    for (const [what, body, type, status, says] of cases) {
      const refused = await refusalOf(await raw(upload, body, type));
      if (refused.faults.length > 0 || refused.statusCode !== status || !says.test(refused.message))
        wrong.push({ what, ...refused });
    }
    expect(wrong).toEqual([]);
  });

  it('that was refused has written nothing, and the service answers', async () => {
    expect(await written()).toBe(before);
    expect((await scene.service.call('/readyz')).status).toBe(200);
  });

  it('never comes back with a key in the message', async () => {
    const json = { key: 5, token: TEST_KEY };
    const text = await (await scene.service.call('/api/session', { method: 'POST', json })).text();
    expect(text).not.toContain(TEST_KEY);
  });
});
