import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertProject } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { UNKNOWN, ask, newProject, page, walk } from './support.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

interface Row {
  id: string | number;
}
const COUNT = 12;
let service: TestApp;
let projectId: string;
let other: string;
/** By its name, each list of the service with at least `COUNT` items. */
let lists: Record<string, string>;

async function manyBatches(project: string): Promise<void> {
  for (let index = 0; index < COUNT; index++) {
    const init = { method: 'POST', json: { all: true, force: true } };
    expect((await service.call(`/api/projects/${project}/batches`, init)).status).toBe(202);
  }
}
beforeAll(async () => {
  service = await startTestApp();
  const { sql } = service;
  const { keys } = service.app;
  ({ projectId } = await insertProject(sql, COUNT));
  ({ projectId: other } = await insertProject(sql, COUNT));
  await Promise.all([manyBatches(projectId), manyBatches(other)]);
  for (let index = 0; index < COUNT; index++) {
    await newProject(service, `plate ${index}`);
    await keys.create({ name: `key ${index}`, scopes: ['read'], tenantId: FIRST_TENANT });
  }
  // Half of them at one moment: the order must be decided by more than the time.
  await sql`update projects set created_at = '2026-01-01' where name like 'plate %' and name < 'plate 5'`;
  await sql`update api_keys set created_at = '2026-01-01' where name like 'key %' and name < 'key 5'`;
  await sql`update images set created_at = '2026-01-01' where project_id = ${projectId} and name < '000006'`;
  lists = {
    projects: '/api/projects',
    images: `/api/projects/${projectId}/images`,
    'images, newest first': `/api/projects/${projectId}/images?sort=-createdAt`,
    'images by name': `/api/projects/${projectId}/images?sort=name`,
    batches: `/api/projects/${projectId}/batches`,
    keys: '/api/keys',
    audit: '/api/audit',
  };
});
afterAll(() => service.close());

const NAMES = ['projects', 'images', 'images, newest first', 'images by name', 'batches', 'keys', 'audit'];
const at = (path: string, query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`;
const idsOf = (items: readonly Row[]) => items.map(({ id }) => id);

describe.each(NAMES)('the list of %s', (name) => {
  const path = () => lists[name]!;

  it('has 50 items from 0 where nothing is said, and tells how many there are of all', async () => {
    const first = await page<Row>(service, path());
    expect(Object.keys(first).sort()).toEqual(['items', 'limit', 'nextCursor', 'offset', 'total']);
    expect(first).toMatchObject({ limit: 50, offset: 0, nextCursor: null });
    expect(first.total).toBe(first.items.length);
    expect(first.total).toBeGreaterThanOrEqual(COUNT);
    const part = await page<Row>(service, path(), { limit: 3, offset: 2 });
    expect(part).toMatchObject({ limit: 3, offset: 2, total: first.total });
    expect(idsOf(part.items)).toEqual(idsOf(first.items.slice(2, 5)));
  });

  it('gives every item once and in the same order, by cursor and by offset, one at a time or many', async () => {
    const { items, total } = await page<Row>(service, path(), { limit: 500 });
    const all = idsOf(items);
    expect(new Set(all).size).toBe(total);
    for (const limit of [1, 5, total, 500]) expect(idsOf(await walk<Row>(service, path(), limit))).toEqual(all);
    const byOffset: Row['id'][] = [];
    for (let offset = 0; offset < total; offset += 5)
      byOffset.push(...idsOf((await page<Row>(service, path(), { limit: 5, offset })).items));
    expect(byOffset).toEqual(all);
    const behind = await page<Row>(service, path(), { offset: total + 5 });
    expect(behind).toMatchObject({ items: [], total, nextCursor: null });
    const last = await page<Row>(service, path(), { limit: total });
    expect(last.nextCursor).toBeNull();
    const { nextCursor } = await page<Row>(service, path(), { limit: 4 });
    const second = await page<Row>(service, path(), { limit: 4, cursor: nextCursor! });
    expect(second).toMatchObject({ total, offset: 0, limit: 4 });
  });

  it.each([
    ['limit=500', 200],
    ['limit=501', 400],
    ['limit=0', 400],
    ['limit=-1', 400],
    ['limit=', 400],
    ['limit=1.5', 400],
    ['limit=1&limit=2', 400],
    ['offset=-1', 400],
    ['offset=0.5', 400],
    ['offset=9007199254740992', 400],
    ['cursor=', 400],
    ['cursor=abc', 400],
    ['page=2', 400],
  ])('answers ?%s with %i', async (query, status) => {
    const reply = await ask(service, at(path(), query));
    const named = reply.body.message?.includes(query.split('=')[0]!) ?? null;
    expect([reply.status, named]).toEqual([status, status === 400 || null]);
  });

  it('refuses a cursor together with an offset, and one that another list gave out', async () => {
    const cursorOf = async (list: string) => (await page(service, list, { limit: 1 })).nextCursor!;
    const own = await cursorOf(path());
    expect((await ask(service, at(path(), `cursor=${own}&offset=0`))).status).toBe(200);
    const both = await ask(service, at(path(), `cursor=${own}&offset=1`));
    expect([both.status, both.body.message]).toEqual([400, expect.stringContaining('offset is 1')]);
    const foreign = [...Object.values(lists), path().replace(projectId, other)].filter((list) => list !== path());
    for (const list of foreign) {
      const { status, body } = await ask(service, at(path(), `cursor=${await cursorOf(list)}`));
      expect([list, status, body.code]).toEqual([list, 400, 'BAD_CURSOR']);
    }
  });

  it('refuses a cursor that a client has changed to what PostgreSQL would choke on', async () => {
    const { nextCursor } = await page(service, path(), { limit: 1 });
    const parts = JSON.parse(Buffer.from(nextCursor!, 'base64url').toString()) as unknown[];
    const changed = [null, [], 1.5, -1, 1e300, 'a\0b', '2026-02-31T00:00:00Z'].map((value) => [
      parts[0],
      value,
      parts[2],
    ]);
    for (const one of [
      ...changed,
      [parts[0], parts[1], 'x'],
      [parts[0], parts[1], '\0'],
      parts.slice(0, 2),
      'x',
      null,
    ]) {
      const cursor = Buffer.from(JSON.stringify(one)).toString('base64url');
      // Any text without the character zero is a name.
      const isName =
        Array.isArray(one) && one.length === 3 && one[1] === '2026-02-31T00:00:00Z' && name.endsWith('name');
      const { status } = await ask(service, at(path(), `cursor=${cursor}`));
      expect([one, status]).toEqual([one, isName ? 200 : 400]);
    }
  });
});

describe('a list that does not have what it belongs to', () => {
  it.each(['images', 'batches'])('is 404 for %s of an unknown project', async (what) => {
    expect((await ask(service, `/api/projects/${UNKNOWN}/${what}`)).status).toBe(404);
  });
});
