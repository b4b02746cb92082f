import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { ErrorBody } from '#contract/common.ts';
import type { Project } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';

let service: TestApp;
let projectId: string;
let ids: string[];
const newProject = async () =>
  ((await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project).id;
const start = (json: object, project = projectId) =>
  service.call(`/api/projects/${project}/batches`, { method: 'POST', json });
const refusal = async (reply: Promise<Response>) => {
  const { statusCode, code, message } = (await (await reply).json()) as ErrorBody;
  return { statusCode, code, message };
};

beforeAll(async () => {
  service = await startTestApp();
  projectId = await newProject();
  const [image] = await uploadPictures(service, projectId, 1);
  ids = Array.from({ length: 10_000 }, () => randomUUID());
  await service.app.sql`
    insert into images (id, project_id, name, sha256, status)
    select id, ${projectId}, id || '.png', ${Buffer.from(image!.sha256, 'hex')}, 'uploaded' from unnest(${ids}::uuid[]) id`;
});
afterAll(() => service.close());

describe('a batch by ids', () => {
  it('takes 10,000 in one call, and all of them', async () => {
    const reply = await start({ imageIds: ids });
    expect(reply.status).toBe(202);
    const { id, total } = (await reply.json()) as Batch;
    expect(total).toBe(10_000);
    const rows = await service.app.sql<{ id: string }[]>`select image_id as id from batch_items where batch_id = ${id}`;
    expect(new Set(rows.map((row) => row.id))).toEqual(new Set(ids));
    await service.call(`/api/batches/${id}/cancel`, { method: 'POST' });
  });

  it('refuses one more by name, and starts nothing', async () => {
    const count = async () => (await service.app.sql`select 1 from batches`).length;
    const before = await count();
    const refused = await refusal(start({ imageIds: [...ids, randomUUID()] }));
    expect(refused).toMatchObject({ statusCode: 400, code: 'VALIDATION' });
    expect(refused.message).toMatch(/imageIds.*10,?001.*10,?000/);
    expect(await refusal(start({ imageIds: [] }))).toMatchObject({ statusCode: 400, code: 'VALIDATION' });
    const large = await refusal(start({ imageIds: Array.from({ length: 40_000 }, () => ids[0]) }));
    expect(large).toMatchObject({ statusCode: 413 });
    expect(await count()).toBe(before);
  });

  it('counts an id once that comes twice, in upper case too', async () => {
    const [id] = ids;
    const { total, ...batch } = (await (await start({ imageIds: [id, id, id!.toUpperCase()] })).json()) as Batch;
    expect(total).toBe(1);
    await service.call(`/api/batches/${batch.id}/cancel`, { method: 'POST' });
  });

  it('refuses all when one is unknown or of another project, and names it', async () => {
    const other = await newProject();
    const [foreign] = await uploadPictures(service, other, 1);
    for (const id of [randomUUID(), foreign!.id]) {
      const refused = await refusal(start({ imageIds: [ids[0], id] }));
      expect(refused.statusCode).toBe(404);
      expect(refused.message).toContain(id);
    }
    const { items } = (await (await service.call(`/api/projects/${other}/batches`)).json()) as { items: Batch[] };
    expect(items).toEqual([]);
  });

  it.each([
    ['threshold', 0.09, /threshold.*0\.09.*0\.1/],
    ['threshold', 0.91, /threshold.*0\.91.*0\.9/],
    ['threshold', '0.5', /threshold.*"0\.5"/],
    ['priority', 11, /priority.*11.*10/],
    ['priority', -1, /priority.*-1.*0/],
    ['priority', 1.5, /priority.*1\.5.*integer/],
    ['model', 'nobody', /model.*nobody.*nuclei/],
    ['channel', -1, /channel.*-1.*0/],
    ['page', 10_000, /page.*10000.*9999/],
    ['force', 'yes', /force.*"yes".*boolean/],
    ['detectHoles', 1, /detectHoles.*1.*boolean/],
    ['all', false, /all.*false.*true/],
    ['colour', 'red', /colour/],
  ])('refuses %s %j by field, value and what is allowed', async (field, value, message) => {
    const body = field === 'all' ? { all: value } : { imageIds: [ids[0]], [field]: value };
    const refused = await refusal(start(body));
    expect(refused.statusCode).toBe(400);
    expect(refused.message).toMatch(message);
  });

  it.each([[0.1], [0.9]])('takes a threshold of %d', async (threshold) => {
    const reply = await start({ imageIds: [ids[1]], threshold });
    expect([reply.status, ((await reply.json()) as Batch).threshold]).toEqual([202, threshold]);
  });

  it('wants either ids or all, and images', async () => {
    for (const body of [{}, { imageIds: [ids[0]], all: true }])
      expect((await refusal(start(body))).message).toMatch(/imageIds.*all/);
    const empty = await refusal(start({ all: true }, await newProject()));
    expect(empty).toMatchObject({ statusCode: 400, code: 'EMPTY_PROJECT' });
  });
});
