import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPage } from '../../src/batches/read.ts';
import { relayOnce } from '../../src/batches/relay.ts';
import { migrate } from '../../src/database/migrate.ts';
import { encodeCursor } from '../../src/database/cursor.ts';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { BIG, BIG_BATCH, BIG_IMAGES, LARGE, LARGE_IMAGES, fillMillion } from '../support/million.ts';
import { explained, pagesOf, sequentialScans } from '../support/plans.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { testServers } from '../../../test/servers.ts';

/**
 * Every list and read of the service on a table of a million images: by which index PostgreSQL goes, and how many pages of 8 KiB
 * it touches. The whole table has 23,000 pages. Times are only printed.
 */
let database: Awaited<ReturnType<ReturnType<typeof testServers>['createDatabase']>>;
let watched: ReturnType<typeof explained>;
let service: TestApp;
let ids: string[];
const figures: string[] = [];

beforeAll(async () => {
  database = await testServers().createDatabase();
  await migrate(database.url);
  await fillMillion(database.url);
  watched = explained(database.url);
  service = await startTestApp({ CACHE: 'off' }, { databaseUrl: database.url, connections: watched.connections });
  ids = (await watched.sql<{ id: string }[]>`select image_id as id from batch_items order by image_id limit 1000`).map(
    ({ id }) => id,
  );
}, 600_000);
afterAll(async () => {
  console.log(['path'.padEnd(44) + '   pages  database ms  reply ms', ...figures].join('\n'));
  await service?.close();
  await database?.drop();
});

/** @returns the reply; fails when a plan scans `images`, or touches more pages than allowed. */
async function look(name: string, path: string, maxPages: number, init: Parameters<TestApp['call']>[1] = {}) {
  let reply!: Response;
  let body!: ArrayBuffer;
  const begin = performance.now();
  const plans = await watched.plansOf(async () => {
    reply = await service.call(path, init);
    body = await reply.arrayBuffer();
  });
  const took = performance.now() - begin;
  const inDatabase = plans.reduce((sum, { durationMs }) => sum + durationMs, 0);
  figures.push(
    `${name.padEnd(44)}${String(pagesOf(plans)).padStart(8)}${inDatabase.toFixed(1).padStart(13)}${took.toFixed(0).padStart(10)}`,
  );
  expect(reply.status).toBeLessThan(300);
  expect(plans.length).toBeGreaterThan(0);
  expect(sequentialScans(plans, 'images').map(({ query }) => query)).toEqual([]);
  expect(sequentialScans(plans, 'batch_items').map(({ query }) => query)).toEqual([]);
  expect(pagesOf(plans)).toBeLessThanOrEqual(maxPages);
  return new Uint8Array(body);
}
type List = { total: number; items: { id: string }[]; nextCursor: string | null };
const list = async (name: string, query: string, maxPages: number) =>
  JSON.parse(new TextDecoder().decode(await look(name, `/api/projects/${BIG}/images?${query}`, maxPages))) as List;

const COLUMNS = { name: 'name', createdAt: 'created_at', polygonCount: 'polygon_count' };
const SORTS = ['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'];
/** A page of 50: their rows, bytes and projects, and the way down a few indexes. */
const PAGE = 1500;
/** Where 20,000 names are met: their index and rows, for the count and for the page. The whole order would be 25,000 and more. */
const FOUND = 15_000;
/** All names of the project once. */
const NAMES = 40_000;

describe('images of a project', () => {
  it.each(SORTS)('reads one page when sorted by %s, at the start and by cursor at the end', async (sort) => {
    const first = await list(`images ${sort}`, `sort=${sort}`, PAGE);
    expect(first).toMatchObject({ total: BIG_IMAGES });
    expect(first.items).toHaveLength(50);
    // Read from the other end, what stands 50 rows in is where the last page begins.
    const column = COLUMNS[sort.replace('-', '') as keyof typeof COLUMNS];
    const value =
      column === 'created_at' ? `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : column;
    const backwards = sort.startsWith('-') ? 'asc' : 'desc';
    const [at] = await watched.sql.unsafe<{ id: string; value: string | number | null }[]>(
      `select id, ${value} as value from images where project_id = '${BIG}'
       order by ${column} ${backwards} nulls first, id ${backwards} offset 50 limit 1`,
    );
    const last = await list(
      `images ${sort}, cursor at the end`,
      `sort=${sort}&cursor=${encodeCursor({ list: `images of ${BIG}`, sort, ...at! })}`,
      PAGE,
    );
    expect(last.items).toHaveLength(50);
    expect(last.nextCursor).toBeNull();
  });

  it.each(['polygonCount', '-polygonCount'])(
    'goes on from the last count to images without one by %s',
    async (sort) => {
      const value = sort === 'polygonCount' ? 119 : 0;
      const id =
        sort === 'polygonCount' ? 'ffffffff-ffff-4fff-8fff-ffffffffffff' : '00000000-0000-4000-8000-000000000000';
      const page = await list(
        `images ${sort}, cursor at the seam`,
        `sort=${sort}&cursor=${encodeCursor({ list: `images of ${BIG}`, sort, value, id })}`,
        PAGE,
      );
      expect(page.items).toHaveLength(50);
    },
  );

  it('walks an index and not the table to a deep offset', async () => {
    const { items } = await list('images createdAt, offset 799,950', 'offset=799950', 20_000);
    expect(items).toHaveLength(50);
  });

  it.each([
    ['failed', '', 800],
    ['failed', '&sort=name', 800],
    ['failed,uploaded', '&sort=-createdAt', 80_800],
    ['completed', '&sort=-polygonCount', 719_200],
  ])('filters by status %s%s', async (status, sort, total) => {
    const page = await list(`images status=${status}${sort}`, `status=${status}${sort}`, 3000);
    expect(page).toMatchObject({ total });
    expect(page.items).toHaveLength(50);
  });

  it('finds a part of a name by its trigrams, and counts what it found', async () => {
    expect(await list('images q=plate017_well123', 'q=PLATE017_well123', 6000)).toMatchObject({ total: 52 });
    expect(await list('images q=nowhere', 'q=nowhere', 100)).toMatchObject({ total: 0, items: [] });
    expect(await list('images q=_f01234 sort=-polygonCount', 'q=_f01234&sort=-polygonCount', 6000)).toMatchObject({
      total: 40,
    });
  });

  // 20,000 of 800,000: PostgreSQL takes them for evenly spread, and would walk the whole order to come to them.
  it.each([
    ['plate001', '-createdAt'],
    ['plate038', 'createdAt'],
    ['plate038', 'name'],
    ['plate001', '-polygonCount'],
  ])('finds %s sorted by %s, though its images stand together at the far end', async (q, sort) => {
    const first = await list(`images q=${q}, ${sort}`, `q=${q}&sort=${sort}`, FOUND);
    expect(first).toMatchObject({ total: 20_000 });
    const next = await list(`images q=${q}, ${sort}, next`, `q=${q}&sort=${sort}&cursor=${first.nextCursor}`, FOUND);
    expect(next).toMatchObject({ total: 20_000 });
    expect(new Set([...first.items, ...next.items].map(({ id }) => id)).size).toBe(100);
  });

  it('walks an index of names once for what has no trigram', async () => {
    expect(await list('images q=99, name', 'q=99&sort=name', NAMES)).toMatchObject({ total: 28_299 });
    expect(await list('images q=zz, -polygonCount', 'q=zz&sort=-polygonCount', NAMES)).toMatchObject({ total: 0 });
  });

  it('counts what a search of everything finds once, and not again when a status changed', async () => {
    const cached = await startTestApp({}, { databaseUrl: database.url, connections: watched.connections });
    const search = async (sort: string) => {
      const plans = await watched.plansOf(async () => {
        const page = (await (await cached.call(`/api/projects/${BIG}/images?q=well&sort=${sort}`)).json()) as List;
        expect(page).toMatchObject({ total: BIG_IMAGES });
        expect(page.items).toHaveLength(50);
      });
      const inDatabase = plans.reduce((sum, { durationMs }) => sum + durationMs, 0);
      figures.push(
        `images q=well (all), ${sort}`.padEnd(44) +
          String(pagesOf(plans)).padStart(8) +
          inDatabase.toFixed(1).padStart(13),
      );
      return plans;
    };
    expect((await search('name')).filter(({ query }) => query.includes('count(*)'))).toHaveLength(1);
    await watched.sql`update images set status = status where id = ${ids[0]!}`;
    await cached.app.cache.bump(BIG);
    const again = await search('name');
    expect(again.filter(({ query }) => query.includes('from images'))).toHaveLength(1);
    expect(pagesOf(again)).toBeLessThan(PAGE);
    expect(pagesOf(await search('-createdAt'))).toBeLessThan(PAGE);
    await cached.app.close();
    await cached.app.cache.close();
  });
});

describe('all other paths', () => {
  it('reads no table of a million rows from end to end', async () => {
    expect(ids).toHaveLength(1000);
    const results = (json: unknown) => ({
      method: 'POST',
      json,
      headers: { accept: 'application/vnd.segbench.polygons' },
    });
    await look('projects', '/api/projects', 500);
    await look('one project', `/api/projects/${BIG}`, 50);
    await look('one image', `/api/images/${ids[0]}`, 50);
    await look('timeline', `/api/images/${ids[0]}/timeline`, 100);
    await look('batches', `/api/projects/${BIG}/batches`, 1000);
    await look('now, idle', '/api/now', 1000);
    await watched.sql`update batches set status = 'running' where id = ${BIG_BATCH}`;
    await look('now, with an open batch of 200,000', '/api/now', 1000);
    await watched.sql`update batches set status = 'completed' where id = ${BIG_BATCH}`;
    await look('one batch', `/api/batches/${BIG_BATCH}`, 100);
    await look('failures of 200,000 items', `/api/batches/${BIG_BATCH}/failures`, 2000);
    await look('results of 1,000 ids', '/api/segmentation/batch/results', 30_000, results({ imageIds: ids }));
    await look(
      'results by batch, 64 KB',
      '/api/segmentation/batch/results',
      10_000,
      results({ batchId: BIG_BATCH, maxBytes: 65_536 }),
    );
    await look('audit', '/api/audit', 2000);
    await look('an export', '/api/exports/00000000-0000-4000-c000-000000000001', 50);
  });

  it('reads the index of a project in one pass over an index', async () => {
    const bytes = await look('index of 100,000 images', `/api/projects/${LARGE}/index`, 20_000);
    expect(bytes.length).toBeGreaterThan(20 * LARGE_IMAGES);
  });

  it('takes the next batches by cursor', async () => {
    const page = await readPage(watched.owner, BIG, { limit: 50, offset: 0 });
    const plans = await watched.plansOf(() =>
      readPage(watched.owner, BIG, { limit: 50, offset: 0, cursor: page.nextCursor! }),
    );
    expect(plans.flatMap(({ nodes }) => nodes.map((node) => node['Index Name']))).toContain('batches_list');
    expect(pagesOf(plans)).toBeLessThan(1000);
  });

  it('hands out jobs and numbers events by the order of their outbox', async () => {
    await watched.sql`update batches set status = 'running' where id = ${BIG_BATCH}`;
    const added: unknown[] = [];
    const queue = {
      depth: async () => ({ waiting: 0, active: 0 }),
      add: async (jobs: readonly unknown[]) => void added.push(...jobs),
    };
    const relayed = await watched.plansOf(() => relayOnce(watched.sql, queue, { window: 500, leaseMs: 1000 }));
    expect(added).toHaveLength(500);
    expect(sequentialScans(relayed, 'images')).toEqual([]);
    expect(await sequenceOnce(watched.sql)).toBe(true);
    const drained = await watched.plansOf(() => sequenceOnce(watched.sql));
    // Only a backlog of more than one window is looked through as well, for batches that are in it still.
    const windows = drained.filter(({ query }) => query.includes('DELETE FROM event_outbox'));
    expect(windows).toHaveLength(1);
    expect(sequentialScans(windows, 'event_outbox')).toEqual([]);
    expect(sequentialScans(drained, 'images')).toEqual([]);
  });
});
