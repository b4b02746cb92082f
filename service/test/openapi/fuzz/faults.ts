import fc from 'fast-check';
import {
  accessOf,
  asText,
  assemble,
  isFuzzed,
  type Entry,
  type FuzzRequest,
  type Keys,
  type Parts,
} from './assemble.ts';
import { invalidOf, type Known } from './values.ts';

/** A request with one thing wrong; null where the operation has nothing of the kind. */
export type Fault = (entry: Entry, parts: Parts, keys: Keys, known: Known) => fc.Arbitrary<FuzzRequest> | null;

const parameterFault =
  (where: 'path' | 'query'): Fault =>
  (entry, parts, keys, known) => {
    const all = (entry.operation.parameters ?? []).filter((parameter) => parameter.in === where && isFuzzed(parameter));
    if (all.length === 0) return null;
    const key = where;
    return fc.constantFrom(...all).chain(({ name, schema = {} }) =>
      invalidOf(schema, known)
        .map(asText)
        // As text it may be right again: "1" for 1, or any text for a text.
        .filter(
          (value) =>
            value !== '' &&
            (where === 'query' || encodeURIComponent(value).length <= 200) &&
            !isRight(schema.type, value, known, schema),
        )
        .map((value) => ({
          ...assemble(entry, { ...parts, [key]: { ...parts[key], [name]: value } }, keys),
          kind: `bad ${where}`,
          field: name,
          value,
          expected: [400],
        })),
    );
  };

function isRight(type: unknown, value: string, known: Known, schema: object): boolean {
  const isNumber = (type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value);
  return known.ajv.validate(schema, isNumber ? Number(value) : value);
}

const bodyFault: Fault = (entry, parts, keys, known) => {
  const schema = entry.operation.requestBody?.content['application/json']?.schema;
  if (!schema) return null;
  const plain = schema.$ref === undefined ? schema : known.resolve(schema.$ref);
  const fields = Object.entries(plain.properties ?? {});
  if (parts.body === undefined || parts.body === null) return null;
  const base = parts.body as Record<string, unknown>;
  const made = (field: string, body: unknown, kind: string): FuzzRequest => ({
    ...assemble(entry, { ...parts, body }, keys),
    kind,
    field,
    expected: [400],
  });
  const unknownField = fc.constant(made('surprise', { ...base, surprise: 1 }, 'unknown field'));
  const notObject = fc
    .constantFrom<unknown>([], 'text', 1, true)
    .map((body) => made('body', body, 'body of another type'));
  const absent = (plain.required ?? []).map((name) => {
    const { [name]: _left, ...rest } = base;
    return made(name, rest, 'missing field');
  });
  const wrong = fields.map(([name, inner]) =>
    invalidOf(inner, known).map((value) => made(name, { ...base, [name]: value }, 'bad field')),
  );
  return fc.oneof(
    { weight: 1, arbitrary: unknownField },
    { weight: 1, arbitrary: notObject },
    ...(absent.length > 0 ? [{ weight: 1, arbitrary: fc.constantFrom(...absent) }] : []),
    ...wrong.map((arbitrary) => ({ weight: 2, arbitrary })),
  );
};

const headerFault: Fault = (entry, parts, keys) => {
  if (!(entry.operation.parameters ?? []).some(({ name }) => name === 'idempotency-key')) return null;
  const request = assemble(entry, { ...parts, headers: { 'idempotency-key': 'k'.repeat(201) } }, keys);
  const multipart = { 'content-type': 'multipart/form-data; boundary=b' };
  return fc.constant({
    ...request,
    headers: { ...request.headers, ...multipart },
    body: '--b--\r\n',
    kind: 'bad header',
    field: 'idempotency-key',
    expected: [400],
  });
};

/** Faults of the protocol rather than of a value. */
const protocolFault: Fault = (entry, parts, keys) => {
  const request = assemble(entry, parts, keys);
  const { needsKey, scope } = accessOf(entry.operation);
  const as = (kind: string, change: Partial<FuzzRequest>): FuzzRequest => ({ ...request, kind, ...change });
  const withHeaders = (more: Record<string, string>) => ({ headers: { ...request.headers, ...more } });
  const { authorization: _key, ...keyless } = request.headers;
  const options = [
    as('wrong method', { method: 'PUT', unrouted: true }),
    as('unknown path', { path: request.path.replace(/(\?|$)/, '/nothing/here$1'), unrouted: true }),
    as('strange accept', withHeaders({ accept: 'application/x-nothing;q=2, */*;q=abc' })),
    as('long part', { path: `${request.path.split('?')[0]}/${'z'.repeat(300)}`, unrouted: true }),
    as('bad escape', { path: `${request.path.split('?')[0]}/%E0%A4%A`, unrouted: true }),
    as('query as a list', { path: `${request.path}${request.path.includes('?') ? '&' : '?'}limit=1&limit=2` }),
    as('range', withHeaders({ range: 'bytes=5-2,abc' })),
    as('head', { method: 'HEAD', unrouted: entry.method !== 'get' }),
  ];
  if (needsKey)
    options.push(
      as('no key', { headers: keyless, expected: [401] }),
      as('unknown key', {
        ...withHeaders({ authorization: 'Bearer nobody-knows-this-key-of-32-characters' }),
        expected: [401],
      }),
      as('basic auth', { ...withHeaders({ authorization: 'Basic dXNlcjpwYXNz' }), expected: [401] }),
    );
  if (scope !== undefined)
    options.push(
      as('poor key', { ...withHeaders({ authorization: `Bearer ${keys.without(scope)}` }), expected: [403] }),
    );
  return fc.constantFrom(...options);
};

/** Bodies that are no JSON of the kind, or too much of it. */
const rawBody: Fault = (entry, parts, keys) => {
  if (!entry.operation.requestBody?.content['application/json']) return null;
  const request = assemble(entry, parts, keys);
  const as = (kind: string, contentType: string, body: string, expected: number): FuzzRequest => ({
    ...request,
    kind,
    headers: { ...request.headers, 'content-type': contentType },
    body,
    expected: [expected],
  });
  return fc.constantFrom(
    as('broken JSON', 'application/json', '{"a":', 400),
    as('prototype', 'application/json', '{"__proto__": {"x": 1}}', 400),
    as('other type', 'text/yaml', 'a: 1', 415),
    as('oversize', 'application/json', `{"name":"${'x'.repeat(1_100_000)}"}`, 413),
  );
};

/** Bodies of an upload: right ones, and all the ways in which parts can be wrong. Random text stands for the files. */
const multipart: Fault = (entry, parts, keys) => {
  if (!entry.operation.requestBody?.content['multipart/form-data']) return null;
  const request = assemble(entry, parts, keys);
  const part = (name: string, file: string, bytes: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"; filename="${file}"\r\ncontent-type: image/png\r\n\r\n${bytes}\r\n`;
  const type = fc.constantFrom(
    'multipart/form-data; boundary=b',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/mixed; boundary=b',
  );
  const file = fc.tuple(
    fc.constantFrom('files', 'file', '', 'files[]'),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
    fc.string({ maxLength: 60 }),
  );
  const body = fc
    .tuple(fc.array(file, { maxLength: 4 }), fc.constantFrom('--b--\r\n', '', '--b', '--b\r\n\r\n--b--'))
    .map(([files, end]) => files.map((each) => part(...each)).join('') + end);
  return fc.tuple(type, body).map(([contentType, text]) => ({
    ...request,
    kind: 'multipart',
    headers: { ...request.headers, 'content-type': contentType },
    body: text,
  }));
};

export const FAULTS: readonly [number, Fault][] = [
  [2, parameterFault('path')],
  [3, parameterFault('query')],
  [5, bodyFault],
  [1, headerFault],
  [9, multipart],
  [3, protocolFault],
  [2, rawBody],
];
