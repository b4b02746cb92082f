import { access, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Image, Project } from '#contract/images.ts';
import { keepBytes } from '../../src/database/bytes-lock.ts';
import { sumCounts } from '../../src/database/sum-counts.ts';
import { collectBytes } from '../../src/deletion/collect.ts';
import { purgeStep } from '../../src/deletion/purge.ts';
import { createSweep } from '../../src/deletion/sweep.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

let service: TestApp;
beforeEach(async () => {
  service = await startTestApp();
});
afterEach(() => service.close());

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const makeProject = async () =>
  (await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
const deps = (graceMs = 0) => ({ sql: service.sql, storage: service.app.storage, graceMs });
const rowsIn = async (table: string) =>
  (await service.sql<{ n: number }[]>`select count(*) as n from ${service.sql(table)}`)[0]!.n;

describe('a deleted project', () => {
  it('is 404 at once, goes in bounded steps that may stop anywhere, and takes its bytes and results with it', async () => {
    const { sql } = service;
    const { storage } = service.app;
    const [project, other] = [await makeProject(), await makeProject()];
    const images = await uploadPictures(service, project.id, 6);
    const [shared] = await uploadPictures(service, other.id, 1);
    expect(shared!.sha256).toBe(images[0]!.sha256);
    const batchId = await finishBatch(service, project.id, images, [3, 1, null, 2, 0, 4]);
    const exportId = '00000000-0000-4000-8000-00000000000e';
    await sql`insert into exports (id, batch_id, format, status) values (${exportId}, ${batchId}, 'csv', 'ready')`;
    await writeFile(storage.exportPath(exportId), 'x');
    const derived = storage.derivedPath(images[1]!.sha256, '8x8q.webp');
    await mkdir(dirname(derived), { recursive: true });
    await writeFile(derived, 'x');

    expect((await service.call(`/api/projects/${project.id}`, { method: 'DELETE' })).status).toBe(204);
    for (const path of [
      `/api/projects/${project.id}`,
      `/api/projects/${project.id}/images`,
      `/api/projects/${project.id}/index`,
      `/api/images/${images[0]!.id}`,
      `/api/images/${images[0]!.id}/file`,
      `/api/batches/${batchId}`,
      `/api/exports/${exportId}`,
      `/api/download/${exportId}`,
    ])
      expect([path, (await service.call(path)).status]).toEqual([path, 404]);
    const results = await service.call('/api/segmentation/batch/results', { method: 'POST', json: { batchId } });
    expect(results.status).toBe(404);

    // Each step removes at most two rows; every call could be the last of a process that is killed.
    let steps = 0;
    while (await purgeStep({ sql, storage, stepRows: 2 })) steps++;
    expect(steps).toBeGreaterThan(5);
    expect(await exists(storage.exportPath(exportId))).toBe(false);
    expect(await sql`select id from projects where id = ${project.id}`).toEqual([]);
    for (const table of ['batches', 'batch_items', 'exports']) expect(await rowsIn(table)).toBe(0);
    expect(await rowsIn('images')).toBe(1);
    const audit = await sql<{ action: string; detail: unknown }[]>`
      select action, detail from audit where target_id = ${project.id} order by id`;
    expect(audit).toContainEqual({ action: 'DELETE /api/projects/:id', detail: { name: 'p', images: 6 } });
    expect(audit.at(-1)).toEqual({ action: 'PURGE', detail: { name: 'p' } });

    expect((await collectBytes(deps(3_600_000))).removed).toBe(0);
    expect((await collectBytes(deps())).removed).toBe(5);
    expect(await rowsIn('blobs')).toBe(1);
    // The result of the shared bytes stays, the next batch can use it.
    expect(await rowsIn('results')).toBe(1);
    expect(await rowsIn('blob_garbage')).toBe(0);
    expect(await exists(derived)).toBe(false);
    const kept = await Promise.all(images.map(({ sha256 }) => exists(storage.path(sha256))));
    expect(kept).toEqual([true, false, false, false, false, false]);
  });

  it('keeps the counts of other projects true, before and after they are summed up', async () => {
    const project = await makeProject();
    const images = await uploadPictures(service, project.id, 4, 30);
    await finishBatch(service, project.id, images, [1, null, 2, 3]);
    await service.call(`/api/images/${images[3]!.id}`, { method: 'DELETE' });
    const counts = () => service.sql`
      select status, sum(n)::int as n from image_counts where project_id = ${project.id}
      group by status having sum(n) <> 0 order by status`;
    const expected = await service.sql`
      select status, count(*)::int as n from images where project_id = ${project.id} group by status order by status`;
    expect(await counts()).toEqual(expected);
    await Promise.all([sumCounts(service.sql), sumCounts(service.sql)]);
    expect(await counts()).toEqual(expected);
    expect(await rowsIn('image_counts')).toBe(2);
  });
});

describe('collection', () => {
  it('leaves bytes alone that an upload is storing, and an upload gets them back that were just removed', async () => {
    const { sql } = service;
    const { storage } = service.app;
    const project = await makeProject();
    const [image] = await uploadPictures(service, project.id, 1, 60);
    await service.call(`/api/images/${image!.id}`, { method: 'DELETE' });
    await sql.begin(async (tx) => {
      await keepBytes(tx, [image!.sha256]);
      expect(await collectBytes(deps())).toEqual({ removed: 0, more: false });
    });
    expect(await exists(storage.path(image!.sha256))).toBe(true);

    const file = form([{ name: 'again.png', bytes: await picture(60) }]);
    let uploading!: Promise<Response>;
    // The collector holds the bytes' lock; the upload must wait for its end and not rely on a file that goes away.
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${Buffer.from(image!.sha256, 'hex').readBigInt64BE(0).toString()}::text::bigint)`;
      uploading = service.call(`/api/projects/${project.id}/images`, { method: 'POST', body: file });
      for (;;) {
        const [row] = await tx`select 1 as one from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`;
        if (row) break;
      }
      await tx`delete from blobs where sha256 = ${Buffer.from(image!.sha256, 'hex')}`;
      await storage.discard(storage.path(image!.sha256));
    });
    const { images } = (await (await uploading).json()) as { images: Image[] };
    expect((await service.call(`/api/images/${images[0]!.id}/file`)).status).toBe(200);
    await collectBytes(deps());
    expect((await service.call(`/api/images/${images[0]!.id}/file`)).status).toBe(200);
  });

  it('loses no image when uploads, deletions and the collector run at once', async () => {
    const project = await makeProject();
    const bytes = await picture(90);
    let over = false;
    const collector = (async () => {
      while (!over) await collectBytes(deps());
    })();
    const rounds = Array.from({ length: 3 }, async (_, lane) => {
      for (let round = 0; round < 12; round++) {
        const body = form([{ name: `${lane}.png`, bytes }]);
        const reply = await service.call(`/api/projects/${project.id}/images`, { method: 'POST', body });
        const [image] = ((await reply.json()) as { images: Image[] }).images;
        expect((await service.call(`/api/images/${image!.id}/file`)).status).toBe(200);
        expect((await service.call(`/api/images/${image!.id}`, { method: 'DELETE' })).status).toBe(204);
      }
    });
    await Promise.all(rounds).finally(() => (over = true));
    await collector;
    await collectBytes(deps());
    expect(await rowsIn('blobs')).toBe(0);
  });

  it('sweeps old files that no row leads to, and no others', async () => {
    const { storage } = service.app;
    const project = await makeProject();
    const [image] = await uploadPictures(service, project.id, 1, 120);
    const strays = [
      storage.path('ab'.repeat(32)),
      storage.derivedPath('cd'.repeat(32), '8x8q.webp'),
      storage.exportPath('00000000-0000-4000-8000-0000000000ff'),
    ];
    for (const path of [...strays, storage.path('ef'.repeat(32))]) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'x');
    }
    const old = new Date(Date.now() - 7_200_000);
    for (const path of [...strays, storage.path(image!.sha256)]) await utimes(path, old, old);
    const sweep = createSweep(deps(3_600_000));
    let removed = 0;
    for (let over = false; !over;) {
      const step = await sweep.step();
      removed += step.removed;
      over = step.over;
    }
    expect(removed).toBe(3);
    expect(await Promise.all(strays.map(exists))).toEqual([false, false, false]);
    expect(await exists(storage.path(image!.sha256))).toBe(true);
    expect(await exists(storage.path('ef'.repeat(32)))).toBe(true);
  });
});
