import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import { Page } from '#contract/common.ts';
import { Image, type Project } from '#contract/images.ts';
import { countsIn, decodeIndex } from '#contract/index-format.ts';
import { Timeline } from '#contract/timeline.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

interface ListReply {
  items: Image[];
  total: number;
  nextCursor: string | null;
}
let service: TestApp;
let project: Project;
let images: Image[];
const COUNTS = [5, null, 0, 5, null, 9, 2];
const list = async (query: string) =>
  (await (await service.call(`/api/projects/${project.id}/images?${query}`)).json()) as ListReply;

beforeAll(async () => {
  service = await startTestApp();
  project = (await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
  images = await uploadPictures(service, project.id, 9);
  await finishBatch(service, project.id, images.slice(0, 7), COUNTS);
});
afterAll(() => service.close());

describe('GET /api/projects/:id/images', () => {
  it('answers as its schema says, in order of creation', async () => {
    const page = await list('');
    expect(Value.Check(Page(Image), page)).toBe(true);
    expect(page.items.map(({ id }) => id)).toEqual(images.map(({ id }) => id));
    expect(page).toMatchObject({ total: 9, limit: 50, offset: 0, nextCursor: null });
    expect(page.items[1]!.error).toMatchObject({ code: 'TIMEOUT', retryable: true });
  });

  it.each(['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'])(
    'gives every image once by cursor and by offset when sorted by %s',
    async (sort) => {
      const all = (await list(`sort=${sort}`)).items.map(({ id }) => id);
      expect(new Set(all).size).toBe(9);
      const byCursor: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: ListReply = await list(`sort=${sort}&limit=2${cursor ? `&cursor=${cursor}` : ''}`);
        expect(page.total).toBe(9);
        byCursor.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(byCursor).toEqual(all);
      const byOffset = (
        await Promise.all([0, 4, 8].map((offset) => list(`sort=${sort}&limit=4&offset=${offset}`)))
      ).flatMap(({ items }) => items);
      expect(byOffset.map(({ id }) => id)).toEqual(all);
    },
  );

  it('filters by status and by part of the name', async () => {
    expect((await list('status=failed')).total).toBe(2);
    expect((await list('status=failed,uploaded')).total).toBe(4);
    expect((await list('q=AGE-3')).items.map(({ name }) => name)).toEqual(['image-3.png']);
    expect((await list('q=%25')).total).toBe(0);
    expect((await list('sort=-polygonCount')).items.map(({ polygonCount }) => polygonCount)).toEqual([
      9,
      5,
      5,
      2,
      0,
      null,
      null,
      null,
      null,
    ]);
  });

  it.each([
    'limit=501',
    'limit=0',
    'limit=x',
    'offset=-1',
    'sort=size',
    'status=done',
    'cursor=abc',
    'foo=1',
    'limit=1e2',
  ])('answers 400 to ?%s', async (query) => {
    expect((await service.call(`/api/projects/${project.id}/images?${query}`)).status).toBe(400);
  });

  it('refuses a cursor of another sort, and one together with an offset', async () => {
    const { nextCursor } = await list('limit=1');
    expect((await service.call(`/api/projects/${project.id}/images?sort=name&cursor=${nextCursor}`)).status).toBe(400);
    expect((await service.call(`/api/projects/${project.id}/images?offset=1&cursor=${nextCursor}`)).status).toBe(400);
  });

  it('shows an upload in the next read although pages are cached', async () => {
    await list('sort=name');
    const { hits } = service.app.metrics.cacheTotals;
    await list('sort=name');
    expect(service.app.metrics.cacheTotals.hits).toBeGreaterThan(hits);
    const own = (await (
      await service.call('/api/projects', { method: 'POST', json: { name: 'q' } })
    ).json()) as Project;
    const read = async () => (await (await service.call(`/api/projects/${own.id}/images`)).json()) as ListReply;
    expect((await read()).total).toBe(0);
    const [image] = await uploadPictures(service, own.id, 1, 50);
    expect((await read()).total).toBe(1);
    expect(((await (await service.call(`/api/projects/${own.id}`)).json()) as Project).imageCount).toBe(1);
    expect((await service.call(`/api/images/${image!.id}`)).status).toBe(200);
    expect((await service.call(`/api/images/${image!.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await read()).total).toBe(0);
    expect((await service.call(`/api/images/${image!.id}`)).status).toBe(404);
    expect((await service.call(`/api/projects/${own.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await service.call(`/api/projects/${own.id}`)).status).toBe(404);
    expect((await service.call(`/api/projects/${own.id}/images`)).status).toBe(404);
  });
});

describe('GET /api/projects/:id/index', () => {
  it('holds every image in list order with its status', async () => {
    const reply = await service.call(`/api/projects/${project.id}/index`);
    expect(reply.headers.get('content-type')).toBe('application/octet-stream');
    const index = decodeIndex(new Uint8Array(await reply.arrayBuffer()));
    expect(index.count).toBe(9);
    const ids = images.map(({ id }) => Buffer.from(id.replaceAll('-', ''), 'hex'));
    expect(Buffer.from(index.ids).equals(Buffer.concat(ids))).toBe(true);
    expect([...index.statuses]).toEqual([3, 4, 3, 3, 4, 3, 3, 0, 0]);
    expect(index.colours).toHaveLength(27);
    const again = decodeIndex(
      new Uint8Array(await (await service.call(`/api/projects/${project.id}/index`)).arrayBuffer()),
    );
    expect(again.epoch).toBe(index.epoch);
  });

  const idsOf = async (query: string) => {
    const reply = await service.call(`/api/projects/${project.id}/index?${query}`);
    const { ids, count } = decodeIndex(new Uint8Array(await reply.arrayBuffer()));
    const text = Buffer.from(ids).toString('hex');
    return Array.from({ length: count }, (_, i) =>
      text.slice(i * 32, i * 32 + 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    );
  };
  it.each(['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'])(
    'stands in the order of the list when sorted by %s, and holds what the list finds',
    async (sort) => {
      expect(await idsOf(`sort=${sort}`)).toEqual((await list(`sort=${sort}`)).items.map(({ id }) => id));
      const found = (await list(`sort=${sort}&q=AGE-3`)).items.map(({ id }) => id);
      expect(found).toHaveLength(1);
      expect(await idsOf(`sort=${sort}&q=AGE-3`)).toEqual(found);
      expect(await idsOf(`sort=${sort}&q=%25`)).toEqual([]);
    },
  );

  it('is not compressed, which @fastify/compress would do: ids are random', async () => {
    const json = { name: 'many' };
    const own = (await (await service.call('/api/projects', { method: 'POST', json })).json()) as Project;
    await service.sql`
      insert into images (id, project_id, name, sha256)
      select gen_random_uuid(), ${own.id}, n::text, sha256 from generate_series(1, 100) n, (select sha256 from blobs limit 1) one`;
    const reply = await service.call(`/api/projects/${own.id}/index`);
    expect(reply.headers.get('content-encoding')).toBe(null);
    expect(decodeIndex(new Uint8Array(await reply.arrayBuffer())).count).toBe(100);
  });

  it('ends after the first of any order when it is told how many', async () => {
    for (const sort of ['createdAt', '-name']) {
      const all = await idsOf(`sort=${sort}`);
      expect(await idsOf(`sort=${sort}&first=4`)).toEqual(all.slice(0, 4));
      expect(await idsOf(`sort=${sort}&first=100000`)).toEqual(all);
    }
  });

  it('tells beside the first ones how many there are of each status, also where an index is kept', async () => {
    const countsOf = async (query: string) =>
      (await service.call(`/api/projects/${project.id}/index?${query}`)).headers.get('image-counts');
    const counts: Record<string, number> = {
      uploaded: 0,
      queued: 0,
      processing: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
    };
    for (const { status, n } of await service.sql<{ status: string; n: number }[]>`
      select status, count(*)::int as n from images where project_id = ${project.id} group by status`)
      counts[status] = n;
    const meant = Object.entries(counts).map((entry) => entry.join('='));
    expect(await countsOf('first=2')).toBe(meant.join(', '));
    await service.call(`/api/projects/${project.id}/index?behind=0`);
    expect(await countsOf('first=2&behind=0')).toBe(meant.join(', '));
    expect(countsIn(await countsOf('first=1'))).toEqual(counts);
    expect(await countsOf('behind=0')).toBeNull();
  });

  it.each(['sort=size', 'foo=1', 'first=0', 'first=100001', 'first=x', `q=${'x'.repeat(201)}`])(
    'answers 400 to ?%s',
    async (query) => {
      expect((await service.call(`/api/projects/${project.id}/index?${query}`)).status).toBe(400);
    },
  );

  it('is empty for an empty project and 404 for an unknown one', async () => {
    const own = (await (
      await service.call('/api/projects', { method: 'POST', json: { name: 'empty' } })
    ).json()) as Project;
    const reply = await service.call(`/api/projects/${own.id}/index`);
    expect(decodeIndex(new Uint8Array(await reply.arrayBuffer())).count).toBe(0);
    expect((await service.call('/api/projects/00000000-0000-4000-8000-000000000001/index')).status).toBe(404);
  });
});

describe('GET /api/images/:id/timeline', () => {
  it('names the upload and each batch', async () => {
    const timeline = (await (await service.call(`/api/images/${images[1]!.id}/timeline`)).json()) as Timeline;
    expect(Value.Check(Timeline, timeline)).toBe(true);
    expect(timeline.stages.map(({ stage }) => stage)).toEqual(['upload']);
    expect(timeline.batches).toMatchObject([{ status: 'failed', errorCode: 'TIMEOUT' }]);
  });
});

describe('DELETE /api/images/:id', () => {
  it('keeps the counters of its batches true', async () => {
    await service.call(`/api/images/${images[0]!.id}`, { method: 'DELETE' });
    const [batch] = await service.sql`select total, completed, failed from batches where project_id = ${project.id}`;
    expect(batch).toEqual({ total: 6, completed: 4, failed: 2 });
  });
});
