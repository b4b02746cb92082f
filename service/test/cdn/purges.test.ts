import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import type { PurgeConfig, PurgeRequest } from '../../src/cdn/purge-requests.ts';
import { createPurges, notePurges, retryMs } from '../../src/cdn/purges.ts';
import { purgeStep } from '../../src/deletion/purge.ts';
import { createMetrics } from '../../src/metrics.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let service: TestApp;
let projectId: string;
const HOST = 'cdn.example.org';
const config: PurgeConfig = {
  cdnBaseUrl: `https://${HOST}`,
  cdnPurge: 'fastly',
  cdnPurgeHosts: [HOST],
  cdnPurgeId: 'S1',
  cdnPurgeKeyId: '',
  cdnPurgeToken: 'token-token',
  cdnPurgeMethod: 'PURGE',
  cdnPurgeUrl: '',
};
const noted = () =>
  service.sql<{ imageId: string; what: string; attempts: number; later: boolean }[]>`
    select image_id as "imageId", what, attempts, due_at > clock_timestamp() + interval '30 s' as later from cdn_purges order by id`;
/** A CDN that answers as it is told, and what it was asked. */
function cdn(fails: () => boolean = () => false) {
  const asked: PurgeRequest[] = [];
  const errors: unknown[] = [];
  const metrics = createMetrics('relay');
  const purges = createPurges({
    sql: service.sql,
    config,
    metrics,
    onError: (error) => errors.push(error),
    send: async (request) => {
      asked.push(request);
      if (fails()) throw new Error('the CDN is down');
    },
  });
  const counted = async (outcome: string) =>
    Number(
      new RegExp(`segbench_cdn_purges_total\\{outcome="${outcome}"[^}]*\\} (\\d+)`).exec(
        await metrics.registry.metrics(),
      )?.[1] ?? 0,
    );
  return {
    asked,
    errors,
    purges,
    counted,
    keys: () => asked.map(({ body }) => (JSON.parse(body!) as { surrogate_keys: string[] }).surrogate_keys),
  };
}

beforeAll(async () => {
  service = await startTestApp();
});
beforeEach(async () => {
  await notePurges(service.sql, false);
  await notePurges(service.sql, true);
  projectId = ((await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project)
    .id;
});
afterAll(() => service.close());

it('notes nothing where no CDN is told', async () => {
  await notePurges(service.sql, false);
  const [image] = await uploadPictures(service, projectId, 1);
  await service.call(`/api/images/${image!.id}`, { method: 'DELETE' });
  expect(await noted()).toEqual([]);
});

it('notes a deleted image twice, a replaced result once, a first result never', async () => {
  const images = await uploadPictures(service, projectId, 2);
  await finishBatch(service, projectId, images, [1, 1]);
  expect(await noted()).toEqual([]);
  await finishBatch(service, projectId, [images[1]!], [2]);
  await service.call(`/api/images/${images[0]!.id}`, { method: 'DELETE' });
  expect(await noted()).toEqual([
    { imageId: images[1]!.id, what: 'overlay', attempts: 0, later: false },
    { imageId: images[0]!.id, what: 'image', attempts: 0, later: false },
    { imageId: images[0]!.id, what: 'image', attempts: 0, later: true },
  ]);
});

it('notes every image of a deleted project', async () => {
  const images = await uploadPictures(service, projectId, 3);
  expect((await service.call(`/api/projects/${projectId}`, { method: 'DELETE' })).status).toBe(204);
  while (await purgeStep({ sql: service.sql, storage: service.app.storage }));
  const now = (await noted()).filter(({ later }) => !later).map(({ imageId }) => imageId);
  expect(now.toSorted()).toEqual(images.map(({ id }) => id).toSorted());
});

it('sends what is due in one request, and forgets it', async () => {
  const images = await uploadPictures(service, projectId, 3);
  for (const { id } of images) await service.call(`/api/images/${id}`, { method: 'DELETE' });
  const { purges, keys, counted } = cdn();
  await purges.step();
  expect(keys()).toEqual([images.map(({ id }) => `image-${id}`)]);
  expect((await noted()).every(({ later }) => later)).toBe(true);
  expect([await counted('sent'), await counted('failed')]).toEqual([3, 0]);
});

it('lets a deletion neither wait nor fail, tries again with growing pauses, and counts', async () => {
  const [image] = await uploadPictures(service, projectId, 1);
  let down = true;
  const { purges, asked, errors, counted } = cdn(() => down);
  expect((await service.call(`/api/images/${image!.id}`, { method: 'DELETE' })).status).toBe(204);
  const [before] = await service.sql<{ at: Date }[]>`select clock_timestamp() as at`;
  await purges.step();
  expect([asked.length, errors.length, await counted('failed')]).toEqual([1, 1, 1]);
  const [tried] = await service.sql<{ due: Date }[]>`select due_at as due from cdn_purges where attempts > 0`;
  expect(tried!.due.getTime() - before!.at.getTime()).toBeGreaterThanOrEqual(1000);
  const [first] = await noted();
  expect(first).toMatchObject({ imageId: image!.id, attempts: 1 });
  // Not at once again.
  await service.sql`update cdn_purges set due_at = due_at + interval '1 hour'`;
  await purges.step();
  expect(asked.length).toBe(1);
  await service.sql`update cdn_purges set due_at = clock_timestamp() where attempts > 0`;
  down = false;
  await purges.step();
  expect([asked.length, await counted('sent')]).toEqual([2, 1]);
  expect(await noted()).toHaveLength(1);
  expect([0, 1, 2, 5, 30].map(retryMs)).toEqual([1000, 2000, 4000, 32_000, 600_000]);
});

it('gives up what no cache can still have', async () => {
  const [image] = await uploadPictures(service, projectId, 1);
  await service.call(`/api/images/${image!.id}`, { method: 'DELETE' });
  await service.sql`update cdn_purges set created_at = clock_timestamp() - interval '12 days'`;
  const { purges, counted } = cdn(() => true);
  await purges.step();
  expect([await noted(), await counted('given-up')]).toEqual([[], 2]);
});
