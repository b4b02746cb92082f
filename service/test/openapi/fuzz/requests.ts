import fc from 'fast-check';
import type { Document, Operation, Parameter } from '../../../src/openapi/document.ts';
import { invalidOf, validOf, type Known } from './values.ts';

/** One request as it goes over the wire, and what must come of it. */
export interface FuzzRequest {
  operationId: string;
  kind: string;
  method: string;
  /** Already encoded. */
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** The only thing that is wrong with it: the answer must be 400 and name it. */
  field?: string;
  /** The text of that field: the answer must show it. */
  value?: string;
  /** Statuses that are right for this kind; without it, every documented one. */
  expected?: number[];
  /** No operation of the document: 404 for an unknown route. */
  unrouted?: boolean;
}
interface Entry {
  path: string;
  method: string;
  operation: Operation;
}
interface Parts {
  path: Record<string, string>;
  query: Record<string, string>;
  headers: Record<string, string>;
  body?: unknown;
}

export interface Keys {
  full: string;
  /** A key without the scope. */
  without: (scope: string) => string;
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const LATIN = /^[\x20-\x7e]*$/;
/** Operations that would take away what the others need get ids of things that were made to be deleted. */
const isDestructive = (operation: Operation) => (operation.operationId ?? '').startsWith('delete');

function partsOf({ path, operation }: Entry, known: Known): fc.Arbitrary<Parts> {
  const group = (where: Parameter['in']) => (operation.parameters ?? []).filter((parameter) => parameter.in === where);
  const nounOf = (name: string) => (name === 'id' ? `${/\/([a-z]+)\/\{id\}/.exec(path)?.[1] ?? ''}:id` : name);
  const idOf = (name: string) => (isDestructive(operation) ? `expendable:${nounOf(name)}` : nounOf(name));
  const record = (where: Parameter['in'], keep: (value: string) => boolean) =>
    fc.record(
      Object.fromEntries(
        group(where).map(({ name, schema = {} }) => [
          name,
          validOf(schema, known, where === 'path' ? idOf(name) : name)
            .map(asText)
            .filter(keep),
        ]),
      ),
      {
        requiredKeys: group(where)
          .filter(({ required }) => required)
          .map(({ name }) => name),
      },
    );
  const schema = operation.requestBody?.content['application/json']?.schema;
  const isOptional = operation.requestBody?.required === false;
  return fc.record({
    path: record('path', () => true),
    query: record('query', () => true),
    headers: record('header', (value) => LATIN.test(value) && value.trim() === value),
    ...(schema && {
      body: isOptional ? fc.oneof(fc.constant(undefined), validOf(schema, known)) : validOf(schema, known),
    }),
  }) as fc.Arbitrary<Parts>;
}

function assemble({ path, method, operation }: Entry, parts: Parts, keys: Keys): FuzzRequest {
  const filled = Object.entries(parts.path).reduce(
    (all, [name, value]) => all.replace(`{${name}}`, encodeURIComponent(value)),
    path,
  );
  const query = new URLSearchParams(parts.query).toString();
  const hasBody = parts.body !== undefined;
  return {
    operationId: operation.operationId ?? '',
    kind: 'valid',
    method: method.toUpperCase(),
    path: query === '' ? filled : `${filled}?${query}`,
    headers: {
      authorization: `Bearer ${keys.full}`,
      ...(hasBody && { 'content-type': 'application/json' }),
      ...parts.headers,
    },
    ...(hasBody && { body: JSON.stringify(parts.body) }),
  };
}

type Fault = (entry: Entry, parts: Parts, keys: Keys, known: Known) => fc.Arbitrary<FuzzRequest> | null;

const parameterFault =
  (where: 'path' | 'query'): Fault =>
  (entry, parts, keys, known) => {
    const all = (entry.operation.parameters ?? []).filter((parameter) => parameter.in === where);
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
  const takes = entry.operation.requestBody?.content['application/json'] !== undefined;
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
  if (takes)
    options.push(
      as('broken JSON', { ...withHeaders({ 'content-type': 'application/json' }), body: '{"a":', expected: [400] }),
      as('other type', { ...withHeaders({ 'content-type': 'text/yaml' }), body: 'a: 1', expected: [415] }),
      as('prototype', {
        ...withHeaders({ 'content-type': 'application/json' }),
        body: '{"__proto__": {"x": 1}}',
        expected: [400],
      }),
      as('oversize', {
        ...withHeaders({ 'content-type': 'application/json' }),
        body: `{"name":"${'x'.repeat(1_100_000)}"}`,
        expected: [413],
      }),
    );
  return fc.constantFrom(...options);
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

const accessOf = (operation: Operation) => ({
  needsKey: (operation.security ?? []).length > 0,
  scope: (operation as { 'x-scope'?: string })['x-scope'],
});

const FAULTS: readonly [number, Fault][] = [
  [2, parameterFault('path')],
  [3, parameterFault('query')],
  [5, bodyFault],
  [1, headerFault],
  [9, multipart],
  [3, protocolFault],
];

/** Requests over the whole document: about a third right, the others with exactly one thing wrong. */
export function requestsOf(
  document: Document,
  known: Known,
  keys: Keys,
  leaveOut: ReadonlySet<string>,
): fc.Arbitrary<FuzzRequest> {
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId = '' }]) => !leaveOut.has(operationId))
      .map(([method, operation]): Entry => ({ path, method, operation })),
  );
  return fc.constantFrom(...entries).chain((entry) =>
    partsOf(entry, known).chain((parts) => {
      const right = fc.constant(assemble(entry, parts, keys));
      const faults = FAULTS.flatMap(([weight, fault]) => {
        const arbitrary = fault(entry, parts, keys, known);
        return arbitrary ? [{ weight, arbitrary }] : [];
      });
      return fc.oneof({ weight: 5, arbitrary: right }, ...faults);
    }),
  );
}
