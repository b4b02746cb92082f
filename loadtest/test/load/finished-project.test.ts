import { expect, it } from 'vitest';
import { decodeBulk, countPolygons } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { Image } from '#contract/images.ts';
import { startTestApp } from '../../../service/test/support/app.ts';
import { seedFinishedProject } from '../../src/load/finished-project.ts';

it('makes a project that the service cannot tell from one that was segmented', async () => {
  const service = await startTestApp();
  try {
    const images = 300;
    const { projectId, batchId } = await seedFinishedProject(service.sql, {
      dataDir: service.app.config.dataDir,
      name: 'seeded',
      images,
      pictures: 4,
      side: 128,
      seed: 1,
    });
    const list = (await (await service.call(`/api/projects/${projectId}/images?limit=500&sort=name`)).json()) as {
      items: Image[];
      total: number;
    };
    expect([list.total, new Set(list.items.map(({ sha256 }) => sha256)).size]).toEqual([images, 4]);
    expect(list.items[0]).toMatchObject({ name: 'well-000001.png', status: 'completed', width: 128, batchId });
    const { counts } = (await (await service.call(`/api/batches/${batchId}`)).json()) as { counts: object };
    expect(counts).toEqual({ queued: 0, processing: 0, completed: images, failed: 0, cancelled: 0 });
    const reply = await service.call('/api/segmentation/batch/results', {
      method: 'POST',
      json: { imageIds: list.items.slice(0, 4).map(({ id }) => id) },
      headers: { accept: POLYGONS_MIME },
    });
    const { results, missing } = decodeBulk(new Uint8Array(await reply.arrayBuffer()));
    expect(missing).toEqual([]);
    for (const { id, polygonCount } of list.items.slice(0, 4)) {
      const { meta, polygons } = results.get(id)!;
      expect(meta.polygonCount).toBe(polygonCount);
      expect(countPolygons(polygons)).toBeGreaterThanOrEqual(polygonCount!);
    }
    const render = await service.call(`/api/images/${list.items[0]!.id}/render?w=64&f=webp`);
    expect([render.status, render.headers.get('content-type')]).toEqual([200, 'image/webp']);
  } finally {
    await service.close();
  }
});
