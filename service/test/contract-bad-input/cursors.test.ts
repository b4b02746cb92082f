import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createWorld, listed, type Call, type World } from './world.ts';

interface Page {
  items: { id: string }[];
  nextCursor: string | null;
}
/** A list of the document, or one of its orders, with a cursor that it gave out. */
interface List {
  call: Call;
  order: string;
  project: string;
  cursor: string;
}
let world: World;
let before: string;
const lists: List[] = [];

const pageOf = async (call: Call, project: string, query: string): Promise<Page> => {
  const { status, body } = await world.ask(call, { path: { id: project }, query });
  expect([call.at, query, status]).toEqual([call.at, query, 200]);
  return JSON.parse(body.toString()) as Page;
};
beforeAll(async () => {
  world = await createWorld();
  const { service, ids } = world;
  // Two lists of each kind, of two rows at least, and a name of which every character is escaped.
  await service.sql`update images set project_id = ${ids.projects[1]!} where id = ${ids.images[2]!}`;
  for (const project of [...ids.projects, ...ids.projects])
    await service.sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total)
      values (gen_random_uuid(), ${project}, 'completed', 'nuclei', '1', 0.5, 't', 0)`;
  await service.sql`insert into images (id, project_id, name, sha256, status)
    select gen_random_uuid(), project_id, repeat('"', 254) || n, sha256, 'uploaded' from images, generate_series(1, 2) n`;
  for (const call of world.calls.filter(({ parameters }) => parameters.some(({ name }) => name === 'cursor'))) {
    const orders = call.parameters.find(({ name }) => name === 'sort')?.schema?.enum ?? [''];
    for (const order of orders.map(String))
      for (const project of call.path.includes('{id}') ? ids.projects : [ids.projects[0]!]) {
        const { nextCursor } = await pageOf(call, project, `limit=1${order && `&sort=${order}`}`);
        if (nextCursor === null) throw new Error(`${call.at} has one row only`);
        lists.push({ call, order, project, cursor: nextCursor });
      }
  }
  before = await world.state();
});
afterEach(() => world.untouched(before));
afterAll(() => world.close());

const refused = ({ call, order, project }: List, what: string, cursor: string) =>
  world.refused(
    call,
    `${order} ${what}`,
    { path: { id: project }, query: `limit=2&cursor=${encodeURIComponent(cursor)}${order && `&sort=${order}`}` },
    {
      status: 400,
      code: 'BAD_CURSOR',
      names: ['cursor', JSON.stringify(cursor.slice(0, 20)).slice(1, -1), 'expected its nextCursor'],
    },
  );
const opened = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
const closed = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');

it('a cursor is taken by the list that gave it out, whatever the names in it', async () => {
  expect(lists.length).toBeGreaterThan(15);
  for (const { call, order, project } of lists) {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await pageOf(
        call,
        project,
        `limit=1${cursor && `&cursor=${cursor}`}${order && `&sort=${order}`}`,
      );
      seen.push(...page.items.map(({ id }) => String(id)));
      cursor = page.nextCursor;
    }
    const all = (await pageOf(call, project, `limit=500${order && `&sort=${order}`}`)).items.map(({ id }) =>
      String(id),
    );
    expect([call.at, order, seen]).toEqual([call.at, order, all]);
  }
});

it('a cursor of another list, or of another order, is refused by every list', async () => {
  const problems: string[] = [];
  for (const list of lists)
    for (const other of lists)
      if (other.cursor !== list.cursor)
        problems.push(...(await refused(list, `a cursor of ${other.call.at} ${other.order}`, other.cursor)));
  expect(listed(problems)).toBe('');
});

it('garbage, and a cursor that is cut, is refused by every list', async () => {
  const problems: string[] = [];
  for (const list of lists) {
    const cut = [1, 2, 3, 10, list.cursor.length - 1].map((length) => list.cursor.slice(0, -length));
    for (const text of [
      '',
      'abc',
      '0',
      'null',
      '%',
      '\0',
      '💥',
      '../..',
      'e30',
      'W10',
      closed({}),
      closed(null),
      closed([[[[]]]]),
      'A'.repeat(1024),
      `${list.cursor}AAAA`,
      `!${list.cursor.slice(1)}`,
      ...cut,
    ])
      problems.push(...(await refused(list, 'garbage', text)));
  }
  expect(listed(problems)).toBe('');
});

it('a cursor with something else put in is refused by every list, and never an error of the database', async () => {
  const problems: string[] = [];
  const others: unknown[] = [
    undefined,
    true,
    [],
    {},
    'a\0b',
    -1,
    1.5,
    1e300,
    '2026-02-31T00:00:00Z',
    '99999-01-01T00:00:00Z',
    "'; drop table images; --",
    'nobody',
    'é',
  ];
  for (const list of lists) {
    const parts = opened(list.cursor);
    for (const [at] of parts.entries())
      for (const other of others) {
        const cursor = closed(parts.with(at, other));
        // Some values are right in their place: any text where names are sorted, none where there is no count.
        const isName = list.order.endsWith('name') && typeof other === 'string' && !other.includes('\0');
        const isCount = list.order.endsWith('polygonCount') && other === undefined;
        if (at === parts.length - 2 && (isName || isCount)) continue;
        problems.push(...(await refused(list, `part ${at} is ${JSON.stringify(other)}`, cursor)));
      }
    problems.push(
      ...(await refused(list, 'one part more', closed([...parts, 1]))),
      ...(await refused(list, 'one part less', closed(parts.slice(1)))),
    );
  }
  expect(listed(problems)).toBe('');
});

it('a cursor of bulk results is taken by the batch that it is of, and by no other', async () => {
  const call = world.calls.find(({ body }) => Object.keys(body?.schema.properties ?? {}).includes('cursor') && body)!;
  const [batchId, other] = world.ids.batches;
  const ask = (body: object) => world.ask(call, { body: JSON.stringify(body) });
  const first = await ask({ batchId, maxBytes: 1 });
  const { nextCursor: cursor } = JSON.parse(first.body.toString()) as { nextCursor: string };
  expect((await ask({ batchId: batchId!.toUpperCase(), cursor })).status).toBe(200);
  const byIds = JSON.parse((await ask({ imageIds: world.ids.images, maxBytes: 1 })).body.toString()) as {
    nextCursor: string;
  };
  const wrong: [string, object][] = [
    ['of another batch', { batchId: other, cursor }],
    ['of a list of ids', { batchId, cursor: byIds.nextCursor }],
    ['of a batch', { imageIds: world.ids.images, cursor }],
    ['of a longer list', { imageIds: [world.ids.images[0]], cursor: closed(['ids', 3]) }],
    ['below 0', { imageIds: world.ids.images, cursor: closed(['ids', -1]) }],
    ['of a place between', { imageIds: world.ids.images, cursor: closed(['ids', 0.5]) }],
    ['of no image', { batchId, cursor: closed([`batch/${batchId}`, 'a\0b']) }],
    ['cut', { batchId, cursor: cursor.slice(0, -3) }],
    ['empty', { batchId, cursor: '' }],
    ['garbage', { batchId, cursor: 'abc' }],
  ];
  const problems: string[] = [];
  for (const [what, body] of wrong)
    problems.push(
      ...(await world.refused(
        call,
        what,
        { body: JSON.stringify(body) },
        { status: 400, code: 'BAD_CURSOR', names: ['cursor', 'expected'] },
      )),
    );
  expect(listed(problems)).toBe('');
});
