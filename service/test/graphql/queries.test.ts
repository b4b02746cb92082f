import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '#contract/images.ts';
import { Image as ImageSchema, Project as ProjectSchema } from '#contract/images.ts';
import { Batch as BatchSchema } from '#contract/batches.ts';
import { Export as ExportSchema } from '#contract/exports.ts';
import { Result as ResultSchema } from '#contract/results.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { countQueries, PATIENT } from '../support/queries.ts';
import { ask, newKey, newScene } from './support.ts';
import { allProjectsOf } from '../../src/database/projects.ts';
import { Forecast } from '#contract/forecasts.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

let service: TestApp;
let scene: Awaited<ReturnType<typeof newScene>>;
beforeAll(async () => {
  service = await startTestApp(PATIENT);
  scene = await newScene(service, [3, 0, null, ...Array.from({ length: 19 }, () => 2)]);
});
afterAll(() => service.close());

const UNKNOWN = '01980000-0000-7000-8000-0000000000ff';
const http = async (path: string, init?: Parameters<TestApp['call']>[1]) =>
  (await (await service.call(path, init)).json()) as Record<string, unknown>;
/** All fields of a shape of the contract, as a selection. */
const fieldsOf = (schema: { properties: object }, inner: Record<string, string> = {}) =>
  Object.keys(schema.properties)
    .map((name) => `${name} ${inner[name] ?? ''}`)
    .join(' ');
const ONE_IMAGE = fieldsOf(ImageSchema, { error: '{ code message retryable }' });
/** Lists have fewer addresses. */
const IMAGE = ONE_IMAGE.replace(/(overlay|file)Url /g, '');
const BATCH = fieldsOf(BatchSchema, {
  counts: '{ queued processing completed failed cancelled }',
  eta: '{ seconds low high }',
  forecast: `{ ${fieldsOf(Forecast, { basis: `{ ${fieldsOf(Forecast.properties.basis)} }` })} }`,
});
const RESULT = fieldsOf(ResultSchema, {
  stages: '{ name durationMs }',
  polygons: '{ id type parentId points area bbox confidence }',
});

describe('what the contract names', () => {
  it('has the contract’s fields and the values of the HTTP routes', async () => {
    const { project, images, batchId } = scene;
    const [image] = images;
    const query = `query ($p: ID!, $i: ID!, $b: ID!) {
      project(id: $p) { ${fieldsOf(ProjectSchema)} }
      image(id: $i) { ${ONE_IMAGE} }
      batch(id: $b) { ${BATCH} }
      result(imageId: $i) { ${RESULT} }
      failures(batchId: $b) { batchId total groups { code retryable count first last sampleImageIds sampleMessage retryId } }
    }`;
    const { errors, data } = await ask(service, query, { p: project.id, i: image!.id, b: batchId });
    expect(errors).toBeUndefined();
    expect(data!['project']).toEqual(await http(`/api/projects/${project.id}`));
    expect(data!['image']).toEqual(await http(`/api/images/${image!.id}`));
    expect(data!['batch']).toEqual(await http(`/api/batches/${batchId}`));
    expect(data!['failures']).toEqual(await http(`/api/batches/${batchId}/failures`));
    const { stages, ...result } = await http(`/api/images/${image!.id}/segmentation`);
    expect(data!['result']).toEqual({
      // Absent over HTTP where there are none.
      warnings: [],
      ...result,
      stages: Object.entries(stages as object).map(([name, durationMs]) => ({ name, durationMs: Number(durationMs) })),
    });
  });

  it('pages, filters and sorts images as the list route does', async () => {
    const { project } = scene;
    const query = `query ($p: ID!, $page: Pagination!, $filter: ImageFilter!, $sort: ImageSort!) {
      images(projectId: $p, pagination: $page, filter: $filter, sort: $sort) { total limit offset nextCursor items { ${IMAGE} } } }`;
    const page = { limit: 4, offset: 1 };
    const filter = { status: ['completed'], q: 'image-1' };
    const variables = { p: project.id, page, filter, sort: 'name_desc' };
    const first = await ask(service, query, variables);
    const path = `/api/projects/${project.id}/images?status=completed&q=image-1&sort=-name&limit=4`;
    expect(first.data!['images']).toEqual(await http(`${path}&offset=1`));
    const cursor = (first.data!['images'] as { nextCursor: string }).nextCursor;
    const second = await ask(service, query, { ...variables, page: { limit: 4, cursor } });
    expect(second.data!['images']).toEqual(await http(`${path}&cursor=${cursor}`));
    const wrong = await ask(service, query, { ...variables, page: { limit: 4, cursor: 'AAAA' } });
    expect([wrong.data, wrong.codes]).toEqual([{ images: null }, ['BAD_CURSOR']]);
  });

  it('lists projects, batches, exports, and says who asks and what the queue does', async () => {
    const { project, batchId } = scene;
    const made = await ask(
      service,
      `mutation ($b: ID!) { createExport(batchId: $b, format: labels_zip) { id format } }`,
      {
        b: batchId,
      },
    );
    const { id } = made.data!['createExport'] as { id: string; format: string };
    await until(async () => (await http(`/api/exports/${id}`))['status'] === 'ready');
    const query = `query ($p: ID!, $b: ID!, $e: ID!) {
      projects { total limit offset nextCursor items { ${fieldsOf(ProjectSchema)} } }
      batches(projectId: $p) { total limit offset nextCursor items { ${BATCH} project { id } exports { total } } }
      export(id: $e) { ${fieldsOf(ExportSchema)} }
      exports(batchId: $b) { total limit offset items { id status } }
      me { keyId name scopes }
      queue { waiting active delayed failed oldestAgeMs workers { id } }
    }`;
    const { errors, data } = await ask(service, query, { p: project.id, b: batchId, e: id });
    expect(errors).toBeUndefined();
    expect(data!['projects']).toEqual(await http('/api/projects'));
    expect(data!['batches']).toEqual({
      ...(await http(`/api/projects/${project.id}/batches`)),
      items: [{ ...(await http(`/api/batches/${batchId}`)), project: { id: project.id }, exports: { total: 1 } }],
    });
    expect(data!['export']).toEqual({ ...(await http(`/api/exports/${id}`)), format: 'labels_zip' });
    const { downloadUrl } = data!['export'] as { downloadUrl: string };
    expect((await service.call(downloadUrl, { key: null })).status).toBe(200);
    expect(data!['exports']).toEqual({ total: 1, limit: 50, offset: 0, items: [{ id, status: 'ready' }] });
    expect(data!['me']).toEqual(await http('/api/session'));
    expect(data!['queue']).toMatchObject({ waiting: 0, active: 0 });
  });

  it('reads results of images and of a batch, page by page, polygons at the level that was asked for', async () => {
    const { images, batchId } = scene;
    const ids = [...images.slice(0, 4).map(({ id }) => id), UNKNOWN];
    const query = `query ($ids: [ID!], $b: ID, $page: ResultPagination!) {
      results(imageIds: $ids, batchId: $b, pagination: $page) { missing nextCursor items { imageId cellCount polygons(lod: low) { points } image { name } } } }`;
    const { data, errors } = await ask(service, query, { ids, page: {} });
    expect(errors).toBeUndefined();
    const page = data!['results'] as { items: { imageId: string; cellCount: number }[]; missing: string[] };
    expect(page.items.map(({ imageId, cellCount }) => [imageId, cellCount])).toEqual([
      [ids[0], 3],
      [ids[1], 0],
      [ids[3], 2],
    ]);
    expect(page.missing).toEqual([UNKNOWN]);
    const reply = await http(`/api/images/${ids[0]}/segmentation?lod=low`);
    const points = (reply['polygons'] as { points: number[] }[]).map((polygon) => ({ points: polygon.points }));
    expect(page.items[0]).toMatchObject({ polygons: points, image: { name: images[0]!.name } });

    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next = await ask(service, query, { b: batchId, page: { limit: 5, cursor } });
      const part = next.data!['results'] as { items: { imageId: string }[]; nextCursor: string | null };
      seen.push(...part.items.map(({ imageId }) => imageId));
      cursor = part.nextCursor;
    } while (cursor !== null);
    const completed = images.filter((_, index) => index !== 2).map(({ id }) => id);
    expect(seen.toSorted()).toEqual(completed.toSorted());
    const both = await ask(service, query, { ids, b: batchId, page: {} });
    expect([both.data, both.codes]).toEqual([{ results: null }, ['VALIDATION']]);
  });
});

describe('an id that is unknown or foreign', () => {
  it.each([
    ['project(id: $id) { id }', 'project'],
    ['image(id: $id) { id }', 'image'],
    ['images(projectId: $id) { total }', 'images'],
    ['batch(id: $id) { id }', 'batch'],
    ['batches(projectId: $id) { total }', 'batches'],
    ['result(imageId: $id) { imageId }', 'result'],
    ['results(batchId: $id) { missing }', 'results'],
    ['failures(batchId: $id) { total }', 'failures'],
    ['export(id: $id) { id }', 'export'],
    ['exports(batchId: $id) { total }', 'exports'],
  ])('is null with NOT_FOUND: %s', async (selection, name) => {
    const { status, data, errors } = await ask(service, `query ($id: ID!) { ${selection} }`, { id: UNKNOWN });
    expect(status).toBe(200);
    expect(data).toEqual({ [name]: null });
    const extensions = { code: 'NOT_FOUND', statusCode: 404 };
    expect(errors).toMatchObject([{ path: [name], extensions, message: expect.stringContaining(UNKNOWN) }]);
  });

  it('is null beside what is there, and a deleted project is as unknown as one that never was', async () => {
    const { project, images } = await newScene(service, [1]);
    await service.call(`/api/projects/${project.id}`, { method: 'DELETE' });
    const query = `query ($p: ID!, $i: ID!) { project(id: $p) { id } image(id: $i) { id } me { name } }`;
    const { data, codes } = await ask(service, query, { p: project.id, i: images[0]!.id });
    expect(data).toEqual({ project: null, image: null, me: { name: 'bootstrap' } });
    expect(codes).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  });
});

describe('the database', () => {
  let asked: () => Promise<number>;
  beforeAll(async () => {
    asked = await countQueries(service);
  });
  const count = async (query: string, variables: Record<string, unknown>) => {
    // the key is known by then, and nothing is cached
    await service.call('/api/session');
    await Promise.all([service.app.cache.bump(scene.project.id), service.app.cache.bump(allProjectsOf(FIRST_TENANT))]);
    const before = await asked();
    const { errors, data } = await ask(service, query, variables);
    expect(errors).toBeUndefined();
    return { queries: (await asked()) - before, data: data! };
  };

  it('is asked at most four times for 20 images with results, polygons, project, owner and counts', async () => {
    const query = `query ($p: ID!) { images(projectId: $p, pagination: { limit: 20 }) {
      items { ${IMAGE} project { name imageCount owner { name } stats { segmentedImages } }
        segmentation { ${RESULT} image { name } } } } }`;
    const { queries, data } = await count(query, { p: scene.project.id });
    const items = (data['images'] as { items: (Image & { project: { name: string }; segmentation: unknown })[] }).items;
    expect(items).toHaveLength(20);
    expect(items.filter(({ segmentation }) => segmentation !== null)).toHaveLength(19);
    for (const item of items) expect(item.project.name).toBe(scene.project.name);
    expect(queries).toBeGreaterThan(0);
    expect(queries).toBeLessThanOrEqual(4);
  });

  it('is asked at most four times for a project with its images, their results and projects', async () => {
    const query = `query ($p: ID!) { project(id: $p) { owner { name } stats { totalImages }
      images(pagination: { limit: 20 }) { items { name segmentation { cellCount } project { name } } } } }`;
    expect((await count(query, { p: scene.project.id })).queries).toBeLessThanOrEqual(4);
  });

  it('is asked as often for the owners of 40 more projects', async () => {
    const query = '{ projects { items { owner { name } stats { segmentedImages } } } }';
    const few = await count(query, {});
    await service.sql`insert into projects (id, name) select gen_random_uuid(), 'many' from generate_series(1, 40)`;
    const many = await count(query, {});
    expect((many.data['projects'] as { items: unknown[] }).items.length).toBeGreaterThan(40);
    expect(many.queries).toBe(few.queries);
  });
});

describe('scopes', () => {
  it('lets any key ask who it is, and only keys that read see the rest', async () => {
    const { token } = await newKey(service, ['metrics']);
    const me = await ask(service, '{ me { scopes } }', {}, { key: token });
    expect([me.status, me.data]).toEqual([200, { me: { scopes: ['metrics'] } }]);
    const { status, codes, message } = await ask(service, '{ me { name } projects { total } }', {}, { key: token });
    expect([status, codes, message]).toEqual([403, ['FORBIDDEN'], expect.stringContaining('read is needed')]);
  });
});
