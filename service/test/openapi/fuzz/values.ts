import fc from 'fast-check';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../../../src/openapi/examples.ts';
import { EXAMPLE_IDS } from '../../../src/openapi/ids.ts';
import { errorsIn } from '../schemas.ts';

export interface Known {
  ajv: Ajv2020;
  resolve: (ref: string) => JsonSchema;
  /** Ids that exist, by the name of the field that holds them. */
  idsFor: (name: string) => readonly string[];
}

const hex = (length: number) =>
  fc.string({ minLength: length, maxLength: length, unit: fc.constantFrom(...'0123456789abcdef'.split('')) });
const anyUuid = fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((parts) => parts.join('-'));
/** Text of any script; the character zero only where a schema allows it. */
const text = (schema: JsonSchema) => {
  const { minLength = 0, maxLength = 40 } = schema;
  const limit = Math.min(maxLength, 40);
  const words = fc
    .string({ unit: 'grapheme', minLength, maxLength: limit })
    .filter((value) => Array.from(value).length <= maxLength && !value.includes('\0'));
  return fc.oneof(
    { weight: 6, arbitrary: words },
    { weight: 1, arbitrary: fc.constant('x'.repeat(Math.min(maxLength, 5000))) },
  );
};
/** Cursors are opaque, and clients open them all the same: lists in the encoding of the real ones. */
const cursor = fc
  .tuple(
    fc.constantFrom(
      'ids',
      'batch',
      'projects by createdAt',
      'keys by createdAt',
      'audit by -id',
      'audit by name',
      '-id',
    ),
    fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      anyUuid,
      fc.maxSafeInteger(),
      fc.constantFrom<unknown>('2026-02-31T00:00:00Z', 'a\0b', 1e300),
    ),
    fc.oneof(anyUuid, fc.constantFrom<unknown>('', null)),
  )
  .chain(([sort, value, id]) =>
    fc.constantFrom<unknown[]>(...['projects', 'keys', 'audit'].map((list) => [list, sort, value, id]), [sort, value]),
  )
  .map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url').slice(0, 512));
const bounded = ({ minimum, exclusiveMinimum, maximum }: JsonSchema) => ({
  min: minimum ?? exclusiveMinimum ?? -1e6,
  max: maximum ?? 1e6,
});

function numberOf(schema: JsonSchema): fc.Arbitrary<number> {
  const { min, max } = bounded(schema);
  if (schema.type === 'integer') {
    const near = fc.integer({ min: Math.ceil(min), max: Math.min(max, min + 60) });
    return fc.oneof({ weight: 4, arbitrary: near }, fc.constantFrom(Math.ceil(min), Math.floor(max)));
  }
  const inside = fc.double({ min, max, noNaN: true, minExcluded: schema.exclusiveMinimum !== undefined });
  return fc.oneof({ weight: 4, arbitrary: inside }, fc.constant(max));
}

/** A document of the examples about things that exist, or one of them with something cut out and something else put in. */
function documentOf(examples: readonly string[], known: Known): fc.Arbitrary<string> {
  const nouns = { projects: 'projectId', images: 'imageIds', batches: 'batchId' };
  const right = Object.entries(nouns).reduce(
    (all, [noun, field]) => {
      const ids = known.idsFor(field);
      if (ids.length === 0) return all;
      return fc.tuple(all, fc.constantFrom(...ids)).map(([text, id]) => text.replaceAll(EXAMPLE_IDS[noun]!, id));
    },
    fc.constantFrom(...examples),
  );
  const piece = fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      '$',
      '@skip(if: true)',
      '...x',
      '...on Image { id }',
      '__schema { types { name } }',
      '"',
      '-1',
      'null',
    ),
    fc.string({ maxLength: 5 }),
  );
  const broken = fc
    .tuple(right, fc.nat(300), fc.nat(12), piece)
    .map(([text, at, length, put]) => text.slice(0, at) + put + text.slice(at + length))
    .filter((text) => text !== '');
  return fc.oneof({ weight: 2, arbitrary: right }, { weight: 2, arbitrary: broken });
}

/** Values that a schema takes, its edges among them. @param name of the field: ids that exist are drawn by it. */
export function validOf(schema: JsonSchema, known: Known, name = ''): fc.Arbitrary<unknown> {
  const next = (inner: JsonSchema, field = name) => validOf(inner, known, field);
  if (schema.$ref !== undefined) return next(known.resolve(schema.$ref));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => next(choice)));
  switch (String(schema.type)) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const fields = Object.fromEntries(
        Object.entries(properties).map(([field, inner]) => [field, next(inner, field)]),
      );
      const least = schema.minProperties ?? 0;
      return fc
        .record(fields, { requiredKeys: required })
        .map((value) => ({ ...value }))
        .filter((value) => Object.keys(value).length >= least);
    }
    case 'array': {
      const items = next(schema.items ?? {});
      const size = { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 5, 5) };
      return schema.uniqueItems ? fc.uniqueArray(items, size) : fc.array(items, size);
    }
    case 'string': {
      if (schema.format === 'date-time')
        return fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') })
          .map((date) => date.toISOString());
      if (name === 'query' && schema.examples) return documentOf(schema.examples.map(String), known);
      if (name === 'region' || name === 'ids') return fc.stringMatching(new RegExp(schema.pattern!));
      if (name === 'cursor') return fc.oneof(text(schema), cursor);
      if (schema.format !== 'uuid') return text(schema);
      const ids = known.idsFor(name);
      return ids.length === 0 ? anyUuid : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ids) }, anyUuid);
    }
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

/** Just outside of the schema's edges. */
function outside(schema: JsonSchema, known: Known): unknown[] {
  const plain = schema.$ref === undefined ? schema : known.resolve(schema.$ref);
  const values: unknown[] = [];
  for (const choice of [plain, ...(plain.anyOf ?? [])]) {
    if (choice.minimum !== undefined) values.push(choice.minimum - 1, choice.minimum - 0.001);
    if (choice.exclusiveMinimum !== undefined) values.push(choice.exclusiveMinimum);
    if (choice.maximum !== undefined) values.push(choice.maximum + 1, choice.maximum * 2, 1e300);
    if (choice.type === 'integer') values.push(1.5);
    if (choice.maxLength !== undefined) values.push('y'.repeat(choice.maxLength + 1));
    if (choice.minLength !== undefined) values.push('');
    if (choice.pattern !== undefined) values.push('a\0b');
    if (choice.enum) values.push('no such value', String(choice.enum[0]).toUpperCase());
    if (choice.format === 'uuid')
      values.push('not-an-id', '01980000-0000-7000-8000-00000000000g', 'urn:uuid:01980000-0000-7000-8000-000000000001');
    if (choice.format === 'date-time') values.push('2026-13-01T00:00:00Z', 'yesterday');
    if (choice.type === 'array' && choice.maxItems !== undefined)
      values.push(Array.from({ length: choice.maxItems + 1 }, () => '01980000-0000-7000-8000-000000000001'));
    if (choice.uniqueItems && choice.items?.enum) values.push([choice.items.enum[0], choice.items.enum[0]]);
    if (choice.minItems !== undefined) values.push([]);
  }
  return values;
}

/** Values that a schema refuses: beyond its edges, and of every other type. */
export function invalidOf(schema: JsonSchema, known: Known): fc.Arbitrary<unknown> {
  const edges = outside(schema, known);
  const others = fc.oneof(
    fc.constantFrom<unknown>(null, true, -1, 0.5, '', 'text', [], {}, [null]),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const any =
    edges.length === 0
      ? others
      : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...edges) }, { weight: 1, arbitrary: others });
  return any.filter((value) => errorsIn(known.ajv, schema, value).length > 0);
}
