import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorld, listed, nounOf, UNKNOWN_ID, type Call, type Noun, type World } from './world.ts';

let world: World;
let before: string;
let withId: { call: Call; name: string; noun: Noun }[];
beforeAll(async () => {
  world = await createWorld();
  withId = world.calls.flatMap((call) =>
    call.parameters
      .filter(({ in: where, schema }) => where === 'path' && schema?.format === 'uuid')
      .map(({ name }) => ({ call, name, noun: nounOf(call.path, name) })),
  );
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

async function everyId(problemsOf: (call: Call, name: string, noun: Noun) => Promise<string[]>): Promise<string> {
  const problems: string[] = [];
  for (const { call, name, noun } of withId) problems.push(...(await problemsOf(call, name, noun)));
  return listed(problems);
}
const NOTHING = [UNKNOWN_ID, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
/** The upload reads its body only when it knows where to: it gets one of no file. */
const MULTIPART = { headers: [['content-type', 'multipart/form-data; boundary=b']], body: '--b--\r\n' } as const;
const rest = (call: Call) => (call.multipart ? MULTIPART : {});

it('every path parameter of the document is an id', () => {
  expect(withId.length).toBeGreaterThan(15);
  const others = world.calls.flatMap(({ at, parameters }) =>
    parameters
      .filter(({ in: where, schema }) => where === 'path' && schema?.format !== 'uuid')
      .map(({ name }) => `${at} ${name}`),
  );
  expect(others).toEqual([]);
});

/** As it stands in the address, and as the message shows it. */
const MALFORMED: [string, string, string][] = [
  ['a word', 'abc', '"abc"'],
  ['a number', '7', '"7"'],
  ['a number below 0', '-1', '"-1"'],
  ['without hyphens', UNKNOWN_ID.replaceAll('-', ''), UNKNOWN_ID.replaceAll('-', '')],
  ['one character short', UNKNOWN_ID.slice(0, -1), `"${UNKNOWN_ID.slice(0, -1)}"`],
  ['one character long', `${UNKNOWN_ID}0`, `"${UNKNOWN_ID}0"`],
  ['a letter that is no digit', `${UNKNOWN_ID.slice(0, -1)}g`, `${UNKNOWN_ID.slice(0, -1)}g`],
  ['a URN', `urn:uuid:${UNKNOWN_ID}`, 'urn:uuid:'],
  ['in braces', `%7B${UNKNOWN_ID}%7D`, `"{${UNKNOWN_ID}}"`],
  ['blanks around it', `%20${UNKNOWN_ID}%20`, `" ${UNKNOWN_ID} "`],
  ['a line feed behind it', `${UNKNOWN_ID}%0A`, '\\n"'],
  ['the character zero behind it', `${UNKNOWN_ID}%00`, '\\u0000"'],
  ['the character zero alone', '%00', '"\\u0000"'],
  ['an encoded slash', `..%2F${UNKNOWN_ID.slice(0, 8)}`, '"../01980000"'],
  ['an encoded backslash', '..%5C..%5Cetc', '"..\\\\..\\\\etc"'],
  ['encoded twice', '%2531', '"%31"'],
  ['a wildcard', '*', '"*"'],
  ['SQL', "'%20or%201=1--", `"' or 1=1--"`],
  ['full width digits', encodeURIComponent('０１９８'), '"０１９８"'],
  ['undefined', 'undefined', '"undefined"'],
  ['null', 'null', '"null"'],
];
it.each(MALFORMED)(
  'an id that is malformed (%s) is refused by every route that takes one',
  async (what, text, seen) => {
    const problems = await everyId((call, name) => {
      const expected = { status: 400, code: 'VALIDATION', names: [`params.${name}`, seen, 'expected a uuid'] };
      return world.refused(call, what, { path: { [name]: text }, ...rest(call) }, expected);
    });
    expect(problems).toBe('');
  },
);

it.each([
  ['too long', 'a'.repeat(201), 'VALIDATION', ['path', '"/api/', 'at most 200 characters']],
  ['far too long', 'a'.repeat(8000), 'VALIDATION', ['path', '"/api/', 'at most 200 characters']],
  ['badly escaped', '%E0%A4%A', 'BAD_REQUEST', ['path', '%E0%A4%A', 'expected percent-encoded UTF-8']],
  ['half an escape', '%', 'BAD_REQUEST', ['path', '/%', 'expected percent-encoded UTF-8']],
])('an id that is %s is refused by every route that takes one', async (what, text, code, names) => {
  const problems = await everyId((call, name) =>
    world.refused(call, what, { path: { [name]: text }, ...rest(call) }, { status: 400, code, names }),
  );
  expect(problems).toBe('');
});

it('an id of nothing, and one of something else, are unknown to every route, in capitals as well', async () => {
  const problems = await everyId(async (call, name, noun) => {
    const others = (Object.keys(world.ids) as Noun[]).filter((other) => other !== noun);
    const ids = [...NOTHING, ...others.map((other) => world.ids[other][0]!)];
    const found: string[] = [];
    for (const written of ids.flatMap((id) => [id, id.toUpperCase()])) {
      const names = [`no ${noun.replace(/(?<=ch)es$|s$/, '')} `, written.toLowerCase()];
      const change = { path: { [name]: written }, ...rest(call) };
      found.push(...(await world.refused(call, written, change, { status: 404, code: 'NOT_FOUND', names })));
    }
    return found;
  });
  expect(problems).toBe('');
});

describe('in a world of its own', () => {
  let own: World;
  beforeEach(async () => {
    own = await createWorld();
  });
  afterEach(() => own.close());

  it('an id in capitals is the same id to every route', async () => {
    // First what only reads; what is deleted is missed by the others.
    const rank = ({ call, noun }: (typeof withId)[number]) =>
      call.method === 'GET' ? 0 : call.method !== 'DELETE' ? 1 : noun !== 'projects' ? 2 : 3;
    const problems: string[] = [];
    for (const { call, name, noun } of withId.toSorted((a, b) => rank(a) - rank(b))) {
      const { status, body } = await own.ask(call, {
        path: { [name]: own.ids[noun][0]!.toUpperCase() },
        ...rest(call),
      });
      // No file in the upload, no pause of what has ended: past the id all the same.
      if (status >= 300 && status !== (call.multipart ? 400 : 409))
        problems.push(`${call.at}: ${status} ${body.toString().slice(0, 200)}`);
    }
    expect(listed(problems)).toBe('');
  });

  it('nothing of a deleted project can be reached any more', async () => {
    await own.service.call(`/api/projects/${own.ids.projects[0]}`, { method: 'DELETE' });
    const after = await own.state();
    const problems: string[] = [];
    for (const { call, name, noun } of withId.filter((each) => !['keys', 'runs'].includes(each.noun))) {
      const id = own.ids[noun][0]!;
      const expected = { status: 404, code: 'NOT_FOUND', names: [id] };
      problems.push(
        ...(await own.refused(call, 'of a deleted project', { path: { [name]: id }, ...rest(call) }, expected)),
      );
    }
    expect(listed(problems)).toBe('');
    await own.untouched(after);
  });
});
