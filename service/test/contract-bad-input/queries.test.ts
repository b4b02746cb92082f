import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Parameter } from '../../src/openapi/document.ts';
import { badValuesOf, type BadValue } from './bad-values.ts';
import { createWorld, listed, type Call, type World } from './world.ts';

let world: World;
let before: string;
let withQuery: { call: Call; parameter: Parameter }[];
beforeAll(async () => {
  world = await createWorld();
  withQuery = world.calls.flatMap((call) =>
    call.parameters.filter(({ in: where }) => where === 'query').map((parameter) => ({ call, parameter })),
  );
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

const VALIDATION = { status: 400, code: 'VALIDATION' };
/** Bodies that the route would take: the query is looked at all the same. */
const rest = (call: Call) =>
  call.multipart
    ? ({ headers: [['content-type', 'multipart/form-data; boundary=b']], body: '--b--\r\n' } as const)
    : {};
const isNumber = ({ schema }: Parameter) => schema?.type === 'integer' || schema?.type === 'number';

async function everyParameter(problemsOf: (call: Call, parameter: Parameter) => Promise<string[]>): Promise<string> {
  const problems: string[] = [];
  for (const { call, parameter } of withQuery) problems.push(...(await problemsOf(call, parameter)));
  return listed(problems);
}

it('a parameter that no route has is named, with those that it has, on every route below /api', async () => {
  const calls = world.calls.filter(({ path }) => path.startsWith('/api/'));
  const problems: string[] = [];
  for (const call of calls)
    for (const name of ['surprise', '__proto__', 'constructor', 'LIMIT', 'limit%5B%5D', 'a%00b']) {
      const own = withQuery.filter((each) => each.call === call).map(({ parameter }) => parameter.name);
      const names = [
        `querystring has the unknown field ${JSON.stringify(decodeURIComponent(name))}`,
        ...(own.length > 0 ? own : ['none']),
      ];
      problems.push(
        ...(await world.refused(call, name, { query: `${name}=1`, ...rest(call) }, { ...VALIDATION, names })),
      );
    }
  expect(listed(problems)).toBe('');
  expect(calls.length).toBeGreaterThan(35);
});

/** A value as a query says it; null for what it cannot say, or what reads as something else there. */
function asQuery({ value }: BadValue, parameter: Parameter): string | null {
  if (typeof value === 'number')
    return isNumber(parameter) ? String(Number.isInteger(value) ? BigInt(value) : value) : null;
  // A request line has its limit, and half of a surrogate pair cannot be escaped.
  const fits = typeof value === 'string' && value.length <= 5000 && value.isWellFormed();
  return fits ? encodeURIComponent(value) : null;
}
/** Whatever is wrong with a signature, it is not the server's. */
const FORGED = {
  status: 403,
  code: 'LINK_INVALID',
  names: ['signature', 'expected the one that this server gave out'],
};

it('every parameter is refused with its name, its value and what is allowed', async () => {
  let sent = 0;
  const problems = await everyParameter(async (call, parameter) => {
    const found: string[] = [];
    for (const bad of badValuesOf(parameter.schema ?? {}, world.resolve)) {
      const text = asQuery(bad, parameter);
      if (text === null) continue;
      sent++;
      const { name } = parameter;
      const expected = bad.read
        ? { status: 400, names: [name, 'expected'] }
        : { ...VALIDATION, names: [`querystring.${name}`, ...bad.names] };
      const change = { query: `${name}=${text}` };
      found.push(
        ...(await world.refused(call, `${name} is ${bad.what}`, change, name === 'signature' ? FORGED : expected)),
      );
    }
    return found;
  });
  expect(problems).toBe('');
  expect(sent).toBeGreaterThan(100);
});

/** Parameters whose empty text says as much as their absence. */
const MAY_BE_EMPTY = new Set(['status', 'q']);
it('a parameter that comes twice, that is empty, or badly escaped, is refused by its name', async () => {
  const problems = await everyParameter(async (call, { name, schema = {} }) => {
    const known = { status: 'completed', q: 'a', cursor: 'abc' }[name] ?? (schema.enum?.[0] as string | undefined);
    const good = String(known ?? (schema.format === 'uuid' ? world.ids.projects[0] : 1));
    const wrong: [string, string[]][] = [
      [`${name}=${good}&${name}=${good}`, [`["${good}","${good}"]`.slice(0, 70)]],
      [`${name}=%E0%A4%A`, ['%E0%A4%A']],
      [`${name}=50%`, ['50%']],
      ...(MAY_BE_EMPTY.has(name)
        ? []
        : ([
            [`${name}=`, []],
            [name, []],
          ] as [string, string[]][])),
    ];
    const found: string[] = [];
    for (const [query, names] of wrong) {
      const expected = name === 'signature' ? FORGED : { status: 400, names: [name, 'expected', ...names] };
      found.push(...(await world.refused(call, query, { query }, expected)));
    }
    return found;
  });
  expect(problems).toBe('');
});

it.each([
  '1e2',
  '0x10',
  '1_000',
  '+1',
  '%201',
  '1%20',
  '1.0.0',
  '--1',
  '١',
  'NaN',
  'Infinity',
  '9'.repeat(400),
  '1%00',
])('a number written as %s is refused wherever one is expected', async (text) => {
  const escaped = text.includes('%') ? text : encodeURIComponent(text);
  const problems = await everyParameter(async (call, parameter) => {
    if (!isNumber(parameter)) return [];
    const names = [`querystring.${parameter.name} is`];
    return world.refused(
      call,
      escaped.slice(0, 20),
      { query: `${parameter.name}=${escaped}` },
      { ...VALIDATION, names },
    );
  });
  expect(problems).toBe('');
});

it('a limit is never clamped, and a page asked for twice is refused', async () => {
  for (const { path, operation } of world.calls.filter(({ parameters }) =>
    parameters.some(({ name }) => name === 'limit'),
  )) {
    const at = path.replace(/\{id\}/, world.ids.projects[0]!);
    const seen = await Promise.all(
      ['limit=501', 'limit=0', 'limit=-1', 'limit=1&limit=2', 'offset=-1', 'offset=9007199254740993'].map(
        async (query) => (await world.service.call(`${at}?${query}`)).status,
      ),
    );
    expect([operation.operationId, ...seen]).toEqual([operation.operationId, 400, 400, 400, 400, 400, 400]);
    const last = (await (await world.service.call(`${at}?limit=500&offset=9007199254740991`)).json()) as {
      items: unknown[];
    };
    expect(last.items).toEqual([]);
  }
});
