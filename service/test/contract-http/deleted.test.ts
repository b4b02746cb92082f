import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { Export } from '#contract/exports.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { decodeIndex } from '#contract/index-format.ts';
import type { ResultsReply } from '#contract/results.ts';
import type { Document } from '../../src/openapi/document.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { startPath, type Path } from '../roles/path.ts';
import type { TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { ask, newProject, page, send } from './support.ts';

let path: Path;
let service: TestApp;
beforeEach(async () => {
  path = await startPath({ COLLECT_AFTER_MS: '0' });
  service = path.server;
});
afterEach(() => path.close());

/** A project of three images, one failed, with a batch, its export and pictures, all of which have been looked at. */
async function newScene() {
  const project = await newProject(service);
  const images = await uploadPictures(service, project.id, 3);
  const batchId = await finishBatch(service, project.id, images, [3, null, 2]);
  await service.sql`update batch_items set finished_at = now()`;
  const made = await send<Export>(service, 'POST', `/api/batches/${batchId}/exports`, { format: 'csv' });
  const exportId = made.body.id;
  const exported = async () => (await ask<Export>(service, `/api/exports/${exportId}`)).body;
  await until(async () => (await exported()).status === 'ready');
  const { body: image } = await ask<Image>(service, `/api/images/${images[0]!.id}`);
  const signed = [image.thumbnailUrl, image.overlayUrl, image.fileUrl, (await exported()).downloadUrl].map(
    (url) => url!,
  );
  return { project, images, batchId, exportId, signed };
}
type Scene = Awaited<ReturnType<typeof newScene>>;

interface Request {
  at: string;
  path: string;
  init: NonNullable<Parameters<TestApp['call']>[1]>;
}
/** A valid request for each operation of the document whose path names something of the scene. */
async function requestsFor({ project, images, batchId, exportId }: Scene): Promise<Request[]> {
  const document = (await (await service.call('/openapi.json')).json()) as Document;
  const ids: Record<string, string> = {
    projects: project.id,
    images: images[0]!.id,
    batches: batchId,
    exports: exportId,
    download: exportId,
  };
  const bytes = await picture(99);
  const bodies: Record<string, Request['init']> = {
    'PATCH /api/projects/{id}': { json: { name: 'renamed' } },
    'POST /api/projects/{id}/batches': { json: { all: true } },
    'POST /api/projects/{id}/forecast': { json: { all: true } },
    'POST /api/batches/{id}/retry': { json: { only: 'failed' } },
    'POST /api/batches/{id}/exports': { json: { format: 'coco' } },
  };
  return Object.entries(document.paths).flatMap(([template, operations]) => {
    const id = ids[/^\/api\/(\w+)\/\{/.exec(template)?.[1] ?? ''];
    if (id === undefined) return [];
    return Object.keys(operations).map((name): Request => {
      const [method, at] = [name.toUpperCase(), `${name.toUpperCase()} ${template}`];
      const isUpload = at === 'POST /api/projects/{id}/images';
      const body = isUpload ? { body: form([{ name: 'late.png', bytes }]) } : bodies[at];
      return { at, path: template.replace(/\{\w+\}/, id), init: { method, ...body } };
    });
  });
}
const upper = (url: string) => url.replace(/[0-9a-f-]{36}/, (id) => id.toUpperCase());
const isRead = ({ at }: Request) => at.startsWith('GET');

/** What is answered otherwise than with 404, with the id in either case. */
async function notGone(requests: readonly Request[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { at, path: url, init } of requests)
    for (const one of [url, upper(url)]) {
      const reply = await service.call(one, init);
      const { code } = (await reply.json()) as { code?: string };
      if (reply.status !== 404 || code !== 'NOT_FOUND') wrong.push(`${at} ${one}: ${reply.status} ${code}`);
    }
  return wrong;
}
/** That everything can be read, in either case, so that it lies in every cache there is. @returns etags by address */
async function readAll(requests: readonly Request[]): Promise<Map<string, string>> {
  const tags = new Map<string, string>();
  for (const { at, path: url } of requests.filter(isRead))
    for (const one of [url, upper(url)]) {
      const reply = await service.call(one);
      await reply.arrayBuffer();
      expect([at, reply.status]).toEqual([at, 200]);
      const tag = reply.headers.get('etag');
      if (tag !== null) tags.set(one, tag);
    }
  return tags;
}
const results = async (imageIds: string[]) =>
  (await send<ResultsReply>(service, 'POST', '/api/segmentation/batch/results', { imageIds })).body;
const filesIn = async (folder: string) => {
  const found = await readdir(join(service.dataDir, folder), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
};

const GRAPH = `query ($p: ID!, $i: ID!, $b: ID!, $e: ID!) {
  project(id: $p) { id } image(id: $i) { id } images(projectId: $p) { total } batch(id: $b) { id } batches(projectId: $p) { total }
  result(imageId: $i) { polygonCount } results(batchId: $b) { nextCursor } failures(batchId: $b) { total }
  export(id: $e) { id } exports(batchId: $b) { total } }`;

describe('a deleted project', () => {
  it('is 404 at once with everything in it, on every route, whatever was cached and signed', async () => {
    const scene = await newScene();
    const { project, images, batchId, exportId, signed } = scene;
    const other = await newProject(service);
    const [twin] = await uploadPictures(service, other.id, 1);
    const key = randomUUID();
    const upload = async (id: string) =>
      service.call(`/api/projects/${id}/images`, {
        method: 'POST',
        body: form([{ name: 'a.png', bytes: await picture(50) }]),
        headers: { 'idempotency-key': key },
      });
    const { images: waiting } = (await (await upload(project.id)).json()) as UploadReply;
    await path.start(project.id, { imageIds: waiting.map(({ id }) => id) });
    const requests = await requestsFor(scene);
    expect(requests.length).toBeGreaterThan(20);
    const tags = await readAll(requests);
    expect(tags.size).toBeGreaterThanOrEqual(8);
    const graph = { query: GRAPH, variables: { p: project.id, i: images[0]!.id, b: batchId, e: exportId } };
    expect((await send<{ errors?: unknown[] }>(service, 'POST', '/graphql', graph)).body.errors).toBeUndefined();
    const listed = (await page<Project>(service, '/api/projects')).total;

    expect((await send(service, 'DELETE', `/api/projects/${project.id}`)).status).toBe(204);
    expect(await notGone(requests)).toEqual([]);
    for (const [url, etag] of tags)
      for (const headers of [
        new Headers({ 'if-none-match': etag }),
        new Headers({ range: 'bytes=0-3', 'if-range': etag }),
      ])
        expect([url, (await service.call(url, { headers })).status]).toEqual([url, 404]);
    for (const url of signed) expect([url, (await service.call(url, { key: null })).status]).toEqual([url, 404]);
    const ids = images.map(({ id }) => id);
    expect(await results(ids)).toEqual({ results: {}, missing: ids, nextCursor: null });
    const ofBatch = await send(service, 'POST', '/api/segmentation/batch/results', { batchId });
    expect([ofBatch.status, ofBatch.body.code]).toEqual([404, 'NOT_FOUND']);
    await expect(openSocket(service.url, { query: `projectId=${project.id}` })).rejects.toThrow('HTTP 404');
    const { body: asked } = await send<{ data: Record<string, unknown>; errors: { extensions: { code: string } }[] }>(
      service,
      'POST',
      '/graphql',
      graph,
    );
    expect([...new Set(Object.values(asked.data))]).toEqual([null]);
    expect(asked.errors.map(({ extensions }) => extensions.code)).toEqual(Array(10).fill('NOT_FOUND'));
    expect((await upload(project.id)).status).toBe(404);
    const projects = await page<Project>(service, '/api/projects');
    expect([projects.total, projects.items.map(({ id }) => id)]).toEqual([listed - 1, [other.id]]);
    const queue = await ask<{ waiting: number }>(service, '/api/queue');
    expect(queue.body.waiting).toBe(0);
    // What has the same bytes elsewhere stays.
    expect((await service.call(`/api/images/${twin!.id}/file`)).status).toBe(200);
  });

  it('loses its files in the background, but for those that another project has', async () => {
    const { project, images, exportId } = await newScene();
    for (const url of [`/api/images/${images[0]!.id}/render?w=16&f=png`, `/api/images/${images[2]!.id}/overlay?w=16`])
      expect((await service.call(url)).status).toBe(200);
    const other = await newProject(service);
    const [twin] = await uploadPictures(service, other.id, 1, 3);
    expect(twin!.sha256).toBe(images[2]!.sha256);
    const before = {
      blobs: await filesIn('blobs'),
      derived: await filesIn('derived'),
      exports: await filesIn('exports'),
    };
    expect(before.blobs.sort()).toEqual(images.map(({ sha256 }) => sha256).sort());
    expect([before.derived.length, before.exports]).toEqual([2, [exportId]]);

    await send(service, 'DELETE', `/api/projects/${project.id}`);
    await path.relay();
    const { sql } = service;
    await until(async () => (await sql`select 1 from projects where id = ${project.id}`).length === 0);
    for (const table of ['batches', 'batch_items', 'exports', 'job_outbox'])
      expect([table, (await sql`select 1 from ${sql(table)}`).length]).toEqual([table, 0]);
    expect(await filesIn('exports')).toEqual([]);
    await until(async () => (await filesIn('blobs')).length === 1);
    expect(await filesIn('blobs')).toEqual([twin!.sha256]);
    // The mask of the bytes that stay is of a result that stays.
    await until(async () => (await filesIn('derived')).length === 1);
    const bytes = Buffer.from(await (await service.call(`/api/images/${twin!.id}/file`)).arrayBuffer());
    expect(bytes.equals(await picture(3))).toBe(true);
  });
});

describe('an id in capitals', () => {
  it('is the same id: what is changed or deleted by it is so for everybody', async () => {
    const { id } = await newProject(service, 'before');
    const [small, large] = [`/api/projects/${id}`, upper(`/api/projects/${id}`)];
    const read = async () => {
      const both = await Promise.all([small, large].map(async (url) => (await ask<Project>(service, url)).body));
      expect(both[1]).toEqual(both[0]);
      return both[0]!;
    };
    expect(await read()).toMatchObject({ id, name: 'before', imageCount: 0 });
    expect((await send<Project>(service, 'PATCH', large, { name: 'after' })).body).toMatchObject({ id, name: 'after' });
    const upload = async (url: string, headers = { 'idempotency-key': 'one' }) => {
      const body = form([{ name: 'a.png', bytes: await picture(1) }]);
      return ask<UploadReply>(service, `${url}/images`, { method: 'POST', body, headers });
    };
    const made = await upload(large);
    expect(made.body.images[0]!.projectId).toBe(id);
    expect(await upload(small)).toEqual(made);
    expect(await read()).toMatchObject({ name: 'after', imageCount: 1 });
    const lists = [await page<Image>(service, `${small}/images`), await page<Image>(service, `${large}/images`)];
    expect(lists.map(({ total }) => total)).toEqual([1, 1]);
    const { body: batch } = await send<Batch>(service, 'POST', `${large}/batches`, { all: true });
    expect(batch).toMatchObject({ projectId: id, total: 1 });
    const failures = await ask<{ batchId: string }>(service, `/api/batches/${batch.id.toUpperCase()}/failures`);
    expect(failures.body.batchId).toBe(batch.id);
    const query = `mutation { deleteProject(id: "${id.toUpperCase()}") }`;
    expect((await send<{ errors?: unknown }>(service, 'POST', '/graphql', { query })).body.errors).toBeUndefined();
    for (const url of [small, large]) expect((await ask(service, url)).status).toBe(404);
  });
});

describe('a deleted image', () => {
  it('is 404 at once on every route, missing in bulk, and out of every list and count', async () => {
    const scene = await newScene();
    const { project, images, batchId, signed } = scene;
    const [first, failed, last] = images.map(({ id }) => id) as [string, string, string];
    const requests = (await requestsFor(scene)).filter(({ at }) => at.includes('/images/{id}'));
    expect(requests.length).toBeGreaterThanOrEqual(7);
    const tags = await readAll(requests);
    const list = `/api/projects/${project.id}/images`;
    for (const query of ['', '?status=completed', '?q=image-0', '?sort=-polygonCount'])
      expect((await page<Image>(service, list + query)).total).toBeGreaterThan(0);

    expect((await send(service, 'DELETE', `/api/images/${first}`)).status).toBe(204);
    expect(await notGone(requests)).toEqual([]);
    for (const [url, etag] of tags)
      expect([url, (await service.call(url, { headers: { 'if-none-match': etag } })).status]).toEqual([url, 404]);
    const ofImage = signed.filter((url) => url.includes(first));
    expect(ofImage).toHaveLength(3);
    for (const url of ofImage) expect([url, (await service.call(url, { key: null })).status]).toEqual([url, 404]);

    const bulk = await results([first, failed, last]);
    expect([Object.keys(bulk.results), bulk.missing]).toEqual([[failed, last], [first]]);
    expect((await page<Image>(service, list)).items.map(({ id }) => id)).toEqual([failed, last]);
    const totals = ['', '?status=completed', '?q=image-0', '?sort=-polygonCount'].map(
      async (query) => (await page<Image>(service, list + query, { limit: 1 })).total,
    );
    expect(await Promise.all(totals)).toEqual([2, 1, 0, 2]);
    expect((await ask<Project>(service, `/api/projects/${project.id}`)).body.imageCount).toBe(2);
    const index = decodeIndex(
      new Uint8Array(await (await service.call(`/api/projects/${project.id}/index`)).arrayBuffer()),
    );
    expect([index.count, [...index.statuses]]).toEqual([2, [4, 3]]);
    const batch = await ask<Batch>(service, `/api/batches/${batchId}`);
    expect(batch.body).toMatchObject({ total: 2, counts: { completed: 1, failed: 1 } });
    const again = await send(service, 'POST', `/api/projects/${project.id}/batches`, { imageIds: [first, last] });
    expect([again.status, again.body.message.includes(first)]).toEqual([404, true]);
  });

  it('loses its bytes in the background when no other image has them, and comes back by a new upload', async () => {
    const { project, images } = await newScene();
    const copy = form([{ name: 'copy.png', bytes: await picture(2) }]);
    const twin = await service.call(`/api/projects/${project.id}/images`, { method: 'POST', body: copy });
    expect(twin.status).toBe(201);
    for (const { id } of images.slice(0, 2))
      expect((await send(service, 'DELETE', `/api/images/${id}`)).status).toBe(204);
    await path.relay();
    await until(async () => (await filesIn('blobs')).length === 2);
    expect((await filesIn('blobs')).sort()).toEqual([images[1]!.sha256, images[2]!.sha256].sort());
    const body = form([{ name: 'again.png', bytes: await picture(1) }]);
    const reply = await service.call(`/api/projects/${project.id}/images`, { method: 'POST', body });
    const [image] = ((await reply.json()) as UploadReply).images;
    expect(image).toMatchObject({ sha256: images[0]!.sha256, status: 'uploaded', polygonCount: null });
    expect((await service.call(`/api/images/${image!.id}/file`)).status).toBe(200);
  });
});
