import { shown } from '../../src/errors.ts';
import type { JsonSchema } from '../../src/openapi/examples.ts';

/** A value that a schema refuses, with what a message about it says beside its place. */
export interface BadValue {
  what: string;
  value: unknown;
  /** Of what is allowed; the value is among them where it is not too long to be shown. */
  names: string[];
  /** Not refused by the schema, but by what reads the field: the message names it without a place. */
  read?: true;
  /** Behind the field's own place, e.g. `[0]`. */
  at?: string;
}

const TYPED: readonly [string, unknown][] = [
  ['string', 'text'],
  ['number', 7.5],
  ['integer', 7],
  ['boolean', true],
  ['null', null],
  ['array', []],
  ['object', {}],
];
/** Types that a schema takes; an integer is a number as well. */
function typesOf(schema: JsonSchema): Set<string> {
  const choices = schema.anyOf ?? schema.oneOf ?? [schema];
  const types = choices.flatMap((choice) => [
    ...[choice.type ?? []].flat(),
    ...(choice.const !== undefined && choice.type === undefined ? [typeof choice.const] : []),
  ]);
  return new Set(types.includes('number') ? [...types, 'integer'] : types);
}
const showing = (value: unknown, ...allowed: string[]) => [shown(value), ...allowed];

/** Every way in which a value can be wrong by its schema, once each. @param resolve looks a `$ref` up */
export function badValuesOf(raw: JsonSchema, resolve: (schema: JsonSchema) => JsonSchema): BadValue[] {
  const schema = resolve(raw);
  const choices = schema.anyOf ?? schema.oneOf ?? [schema];
  const types = typesOf(schema);
  const bad: BadValue[] = [];
  if (types.size > 0)
    for (const [type, value] of TYPED) {
      if (types.has(type)) continue;
      if (choices.some(({ const: only }) => only === value)) continue;
      bad.push({
        what: `a ${type}`,
        value,
        names: showing(
          value,
          [...types].find((known) => known !== 'null')!,
        ),
      });
    }
  for (const choice of choices.map(resolve)) {
    const { minimum, exclusiveMinimum, maximum, minLength, maxLength, enum: values } = choice;
    const number = choice.type === 'integer' || choice.type === 'number';
    if (minimum !== undefined)
      bad.push({ what: 'below the minimum', value: minimum - 1, names: showing(minimum - 1, String(minimum)) });
    if (exclusiveMinimum !== undefined)
      bad.push({
        what: 'at the excluded minimum',
        value: exclusiveMinimum,
        names: showing(exclusiveMinimum, String(exclusiveMinimum)),
      });
    if (maximum !== undefined && maximum + 1 > maximum)
      bad.push({ what: 'above the maximum', value: maximum + 1, names: showing(maximum + 1, String(maximum)) });
    if (number && maximum !== undefined)
      bad.push({ what: 'far above', value: 1e300, names: ['1e+300', String(maximum)] });
    if (choice.type === 'integer') bad.push({ what: 'a fraction', value: 1.5, names: ['1.5', 'integer'] });
    if (minLength !== undefined) bad.push({ what: 'too short', value: '', names: ['""', String(minLength)] });
    if (maxLength !== undefined) {
      bad.push({ what: 'too long', value: 'y'.repeat(maxLength + 1), names: ['"yyyyy', String(maxLength)] });
      bad.push({ what: 'much too long', value: 'z'.repeat(500_000), names: ['"zzzzz', String(maxLength)] });
    }
    if (values) {
      bad.push({ what: 'not of the list', value: 'no such value', names: ['"no such value"', ...values.map(String)] });
      bad.push({
        what: 'in capitals',
        value:
          String(values[0]).toUpperCase() === values[0] ? `${String(values[0])} ` : String(values[0]).toUpperCase(),
        names: values.map(String),
      });
    }
    if (choice.format === 'uuid')
      for (const value of [
        'not-an-id',
        `${'0'.repeat(8)}-0000-4000-8000-00000000000g`,
        'urn:uuid:00000000-0000-4000-8000-000000000001',
      ])
        bad.push({ what: 'no id', value, names: showing(value, 'uuid') });
    if (choice.format === 'date-time')
      for (const value of ['yesterday', '2026-13-01T00:00:00Z', '2026-01-01'])
        bad.push({ what: 'no time', value, names: showing(value, 'date-time') });
    if (
      choice.type === 'string' &&
      choice.enum === undefined &&
      choice.const === undefined &&
      choice.format === undefined
    ) {
      const read = choice.pattern === undefined ? { read: true as const } : {};
      bad.push({ what: 'the character zero', value: 'a\0b', names: ['expected'], ...read });
      bad.push({ what: 'half a surrogate pair', value: 'a\ud800b', names: ['expected'], ...read });
    }
    if (choice.type === 'array') {
      const inner = resolve(choice.items ?? {});
      const fine: unknown =
        inner.enum?.[0] ?? (inner.format === 'uuid' ? '01980000-0000-7000-8000-000000000002' : 'text');
      if (choice.minItems) bad.push({ what: 'no items', value: [], names: ['[]', String(choice.minItems)] });
      if (choice.maxItems !== undefined)
        bad.push({
          what: 'too many items',
          value: Array.from({ length: choice.maxItems + 1 }, () => fine),
          names: [String(choice.maxItems)],
        });
      if (choice.uniqueItems) bad.push({ what: 'an item twice', value: [fine, fine], names: ['duplicate'] });
      for (const item of badValuesOf(inner, resolve))
        bad.push({ ...item, what: `an item that is ${item.what}`, value: [item.value], at: `[0]${item.at ?? ''}` });
    }
  }
  return bad;
}
