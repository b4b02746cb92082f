import { randomUUID } from 'node:crypto';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Image, UploadReply } from '#contract/images.ts';
import type { Polygon } from '#contract/results.ts';
import { uuidv7 } from '../../src/batches/uuid.ts';
import type { TestApp } from './app.ts';
import { form, picture } from './pictures.ts';

/** A square with a square hole, which its area leaves out, then `count - 1` small diamonds. */
export function polygons(count: number): Polygon[] {
  const square: Polygon = {
    id: 1,
    type: 'external',
    parentId: null,
    points: [4, 4, 30, 4, 30, 30, 4, 30],
    area: 576,
    bbox: [4, 4, 26, 26],
    confidence: 0.9,
  };
  const hole: Polygon = {
    id: 2,
    type: 'internal',
    parentId: 1,
    points: [10, 10, 10, 20, 20, 20, 20, 10],
    area: 100,
    bbox: [10, 10, 10, 10],
    confidence: 0.9,
  };
  const others = Array.from({ length: count - 1 }, (_, index): Polygon => {
    const x = 40 + (index % 8);
    return {
      id: index + 3,
      type: 'external',
      parentId: null,
      points: [x, 40, x + 2, 42, x, 44, x - 2, 42],
      area: 8,
      bbox: [x - 2, 40, 4, 4],
      confidence: 0.5,
    };
  });
  return count === 0 ? [] : [square, hole, ...others];
}

export async function uploadPictures(service: TestApp, projectId: string, count: number, seed = 1): Promise<Image[]> {
  const files = await Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `image-${index}.png`,
      bytes: await picture(seed + index),
    })),
  );
  const reply = await service.call(`/api/projects/${projectId}/images`, { method: 'POST', body: form(files) });
  return ((await reply.json()) as UploadReply).images;
}

/** A batch as the worker leaves it: `counts[i]` cells for the i-th image, null for one that failed. */
export async function finishBatch(
  service: TestApp,
  projectId: string,
  images: readonly Image[],
  counts: readonly (number | null)[],
): Promise<string> {
  const { sql } = service;
  const { cache } = service.app;
  const batchId = uuidv7();
  const completed = counts.filter((count) => count !== null).length;
  await sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total, completed, failed)
    values (${batchId}, ${projectId}, 'completed', 'nuclei', '1', 0.5, 't=0.5', ${images.length}, ${completed}, ${images.length - completed})`;
  for (const [index, image] of images.entries()) {
    const count = counts[index] ?? null;
    const resultId = count === null ? null : randomUUID();
    if (resultId !== null)
      await sql`insert into results (id, tenant_id, sha256, model, model_version, parameters, threshold, image_width, image_height, polygon_count, processing_ms, stages, polygons)
        values (${resultId}, (select tenant_id from projects where id = ${projectId}), ${Buffer.from(image.sha256, 'hex')}, 'nuclei', '1', ${resultId}, 0.5, ${image.width}, ${image.height}, ${count}, 12.5,
          ${sql.json({ infer: 10, decode: 2.5 })}, ${Buffer.from(encodePolygons(polygons(count!)))})`;
    const status = resultId === null ? 'failed' : 'completed';
    await sql`insert into batch_items (batch_id, image_id, status, result_id, error_code, finished_at) values (${batchId}, ${image.id}, ${status}, ${resultId}, ${resultId ? null : 'TIMEOUT'}, now())`;
    await sql`update images set status = ${status}, result_id = ${resultId}, batch_id = ${batchId}, polygon_count = ${count}, error_code = ${resultId ? null : 'TIMEOUT'} where id = ${image.id}`;
  }
  await cache.bump(projectId);
  return batchId;
}
