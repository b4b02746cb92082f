import fc from 'fast-check';
import type { Operation, Parameter } from '../../../src/openapi/document.ts';
import { validOf, type Known } from './values.ts';

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
export interface Entry {
  path: string;
  method: string;
  operation: Operation;
}
export interface Parts {
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

export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const LATIN = /^[\x20-\x7e]*$/;
/** Operations that would take away what the others need get ids of things that were made to be deleted. */
const isDestructive = (operation: Operation) => (operation.operationId ?? '').startsWith('delete');

/** With them it is the signature that says who asks; signed addresses have tests of their own. */
export const isFuzzed = ({ name }: Parameter) => name !== 'expires' && name !== 'signature';

export function partsOf({ path, operation }: Entry, known: Known): fc.Arbitrary<Parts> {
  const group = (where: Parameter['in']) =>
    (operation.parameters ?? []).filter((parameter) => parameter.in === where && isFuzzed(parameter));
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

export function assemble({ path, method, operation }: Entry, parts: Parts, keys: Keys): FuzzRequest {
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

export const accessOf = (operation: Operation) => ({
  needsKey: (operation.security ?? []).length > 0,
  scope: (operation as { 'x-scope'?: string })['x-scope'],
});
