import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project } from '#contract/images.ts';
import type { Document } from '../../src/openapi/document.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

interface Scene {
  projects: string;
  images: string;
  batches: string;
  exports: string;
  project: Project;
  rest: Image[];
}
interface Operation {
  method: string;
  path: string;
  body: unknown;
}
let service: TestApp;
let operations: Operation[];

async function newScene(): Promise<Scene> {
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  const project = (await made.json()) as Project;
  const images = await uploadPictures(service, project.id, 3);
  const batches = await finishBatch(service, project.id, images, [2, null, 0]);
  const reply = await service.call(`/api/batches/${batches}/exports`, { method: 'POST', json: { format: 'csv' } });
  const { id: exports } = (await reply.json()) as { id: string };
  const status = async () =>
    ((await (await service.call(`/api/exports/${exports}`)).json()) as { status: string }).status;
  await until(async () => (await status()) === 'ready');
  // Every picture and list is in the cache before it is deleted.
  for (const path of [`projects/${project.id}/images`, `images/${images[0]!.id}`, `images/${images[0]!.id}/render?w=9`])
    expect((await service.call(`/api/${path}`)).status).toBe(200);
  return { projects: project.id, images: images[0]!.id, batches, exports, project, rest: images.slice(1) };
}
/** Documented operations on one of these, with a body that works. */
async function ask({ method, path, body }: Operation, scene: Scene) {
  const owner = path.split('/')[2] as 'projects' | 'images' | 'batches' | 'exports' | 'download';
  const id = scene[owner === 'download' ? 'exports' : owner];
  const isUpload = path.endsWith('/images') && method === 'post';
  const reply = await service.call(path.replace(/\{\w+\}/, id), {
    method: method.toUpperCase(),
    ...(isUpload ? { body: form([{ name: 'a.png', bytes: await picture(99) }]) } : body ? { json: body } : {}),
  });
  const text = await reply.text();
  return { status: reply.status, code: reply.status < 400 ? '' : (JSON.parse(text) as ErrorBody).code };
}
const below = (...owners: string[]) =>
  operations.filter(({ path }) => owners.includes(path.split('/')[2] ?? '') && path.includes('{'));

beforeAll(async () => {
  service = await startTestApp();
  const { paths } = (await (await service.call('/openapi.json')).json()) as Document;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method,
      path,
      body: requestBody?.content['application/json']?.example,
    })),
  );
});
afterAll(() => service.close());

describe('once a project is deleted', () => {
  it('everything below it is 404 at once, whatever was cached', async () => {
    const scene = await newScene();
    const signed = (await (await service.call(`/api/images/${scene.images}`)).json()) as Image;
    const reads = below('projects', 'images', 'batches', 'exports', 'download').filter(
      ({ method }) => method === 'get',
    );
    for (const operation of reads)
      expect([operation.path, (await ask(operation, scene)).status]).toEqual([operation.path, 200]);
    expect((await service.call(`/api/projects/${scene.projects}`, { method: 'DELETE' })).status).toBe(204);

    const all = below('projects', 'images', 'batches', 'exports', 'download');
    expect(all.length).toBeGreaterThan(20);
    for (const operation of all)
      expect({ operation, ...(await ask(operation, scene)) }).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    for (const address of [signed.thumbnailUrl, signed.fileUrl, signed.overlayUrl])
      expect([address, (await service.call(address!, { key: null })).status]).toEqual([address, 404]);
    const post = (json: object) => service.call('/api/segmentation/batch/results', { method: 'POST', json });
    const ids = [scene.images, ...scene.rest.map(({ id }) => id)];
    expect(await (await post({ imageIds: ids })).json()).toEqual({ results: {}, missing: ids, nextCursor: null });
    expect((await post({ batchId: scene.batches })).status).toBe(404);
    await expect(openSocket(service.url, { query: `projectId=${scene.projects}` })).rejects.toThrow('HTTP 404');
    const query = `{ project(id: "${scene.projects}") { id } }`;
    const graph = (await (await service.call('/graphql', { method: 'POST', json: { query } })).json()) as {
      errors: { extensions: { code: string } }[];
    };
    expect(graph.errors[0]!.extensions.code).toBe('NOT_FOUND');
    const { items } = (await (await service.call('/api/projects?limit=500')).json()) as { items: Project[] };
    expect(items.map(({ id }) => id)).not.toContain(scene.projects);
  });
});

describe('once an image is deleted', () => {
  it('is 404 everywhere, its batch and its neighbours are not', async () => {
    const scene = await newScene();
    expect((await service.call(`/api/images/${scene.images}`, { method: 'DELETE' })).status).toBe(204);
    for (const operation of below('images'))
      expect({ operation, ...(await ask(operation, scene)) }).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const list = (await (await service.call(`/api/projects/${scene.projects}/images`)).json()) as {
      items: Image[];
      total: number;
    };
    expect([list.items.map(({ id }) => id), list.total]).toEqual([scene.rest.map(({ id }) => id), 2]);
    expect((await service.call(`/api/images/${scene.rest[0]!.id}/file`)).status).toBe(200);
    expect((await service.call(`/api/batches/${scene.batches}`)).status).toBe(200);
    const json = { imageIds: [scene.images, scene.rest[1]!.id] };
    const reply = await service.call('/api/segmentation/batch/results', { method: 'POST', json });
    expect(await reply.json()).toMatchObject({
      missing: [scene.images],
      results: { [scene.rest[1]!.id]: { polygonCount: 0 } },
    });
  });
});
