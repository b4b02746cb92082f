import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { JsonSchema } from '../../src/openapi/examples.ts';
import { badValuesOf } from './bad-values.ts';
import { createWorld, listed, type Call, type World } from './world.ts';

let world: World;
let before: string;
let withBody: Call[];
beforeAll(async () => {
  world = await createWorld();
  withBody = world.calls.filter(({ body }) => body !== null);
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

const VALIDATION = { status: 400, code: 'VALIDATION' };
const fieldsOf = ({ body }: Call): [string, JsonSchema][] => Object.entries(objectOf(body!.schema).properties ?? {});
/** Of a body that may also be null. */
function objectOf(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.map((choice) => world.resolve(choice)).find(({ type }) => type === 'object') ?? schema;
}
const json = (value: unknown) => ({ body: JSON.stringify(value) });

async function everyBody(problemsOf: (call: Call) => Promise<string[]>): Promise<string> {
  const problems: string[] = [];
  for (const call of withBody) problems.push(...(await problemsOf(call)));
  return listed(problems);
}

it('the document has bodies', () => expect(withBody.length).toBeGreaterThan(10));

it('every body that is not an object is refused with what came and what is expected', async () => {
  const problems = await everyBody(async (call) => {
    const problems: string[] = [];
    for (const value of [[], [1], 'text', '', 7, true, ...(call.body!.optional ? [] : [null])]) {
      const isList = call.path === '/graphql' && Array.isArray(value);
      const expected = isList
        ? { status: 400, code: 'BATCHING_NOT_ALLOWED', names: ['body', 'expected one object'] }
        : { ...VALIDATION, names: ['body', JSON.stringify(value), 'object'] };
      problems.push(...(await world.refused(call, `a body that is ${JSON.stringify(value)}`, json(value), expected)));
    }
    return problems;
  });
  expect(problems).toBe('');
});

it('every body that is needed is missed', async () => {
  const problems = await everyBody(async (call) => {
    if (call.body!.optional) return [];
    const expected = { ...VALIDATION, names: ['body is missing', 'expected object'] };
    return [
      ...(await world.refused(call, 'no body', { body: undefined }, expected)),
      ...(await world.refused(call, 'an empty body', { body: '' }, expected)),
    ];
  });
  expect(problems).toBe('');
});

it('every field that is needed is missed by name', async () => {
  const problems = await everyBody(async (call) => {
    const problems: string[] = [];
    for (const name of objectOf(call.body!.schema).required ?? []) {
      const { [name]: _left, ...rest } = call.body!.example as Record<string, unknown>;
      problems.push(
        ...(await world.refused(call, `without ${name}`, json(rest), {
          ...VALIDATION,
          names: [`body.${name} is missing`],
        })),
      );
    }
    return problems;
  });
  expect(problems).toBe('');
});

it('every field that no body has is named, with those that it may have', async () => {
  const problems = await everyBody(async (call) => {
    const allowed = fieldsOf(call).map(([name]) => name);
    const problems: string[] = [];
    for (const name of ['surprise', 'constructor', 'toString', 'hasOwnProperty', 'ünïcode', 'a.b/c', 'n'.repeat(500)]) {
      const body = { ...(call.body!.example as object), [name]: 1 };
      const names = ['body', name.slice(0, 60), ...(allowed.length > 0 ? allowed : ['none'])];
      problems.push(...(await world.refused(call, `with ${name.slice(0, 20)}`, json(body), { ...VALIDATION, names })));
    }
    return problems;
  });
  expect(problems).toBe('');
});

it('every field is refused with its name, its value and what is allowed', async () => {
  const problems = await everyBody(async (call) => {
    const problems: string[] = [];
    for (const [name, schema] of fieldsOf(call))
      for (const { what, value, names, at = '', read } of badValuesOf(schema, world.resolve)) {
        const secret = schema.writeOnly === true;
        // A key of strange characters is a key that nobody has.
        if (secret && read) continue;
        const body = { ...(call.body!.example as object), [name]: value };
        const expected = read
          ? { status: 400, names: [name, ...names] }
          : { ...VALIDATION, names: [`body.${name}${at}`, ...(secret ? names.slice(1) : names)] };
        const secrets = secret && typeof value === 'string' && value !== '' ? [value.slice(0, 5)] : [];
        problems.push(...(await world.refused(call, `${name} is ${what}`, json(body), { ...expected, secrets })));
      }
    return problems;
  });
  expect(problems).toBe('');
});
