import { randomUUID } from 'node:crypto';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Sql } from '../../src/database/client.ts';
import { insertProject } from '../batches/fixture.ts';
import { polygons } from './results.ts';

/** A project of finished images with `cells` cells each, written as the worker leaves it. */
export async function finishedProject(
  sql: Sql,
  count: number,
  cells: number,
): Promise<{ imageIds: string[]; batchId: string }> {
  const { projectId, imageIds } = await insertProject(sql, count);
  const batchId = randomUUID();
  await sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total, completed)
    values (${batchId}, ${projectId}, 'completed', 'nuclei', '1', 0.5, 't', ${count}, ${count})`;
  const bytes = Buffer.from(encodePolygons(polygons(cells)));
  await sql`
    with made as (
      insert into results (id, sha256, model, model_version, parameters, threshold, image_width, image_height, polygon_count, processing_ms, stages, polygons)
      select gen_random_uuid(), sha256, 'nuclei', '1', 't', 0.5, 8, 8, ${cells}::int, 1, '{}', ${bytes} from images where project_id = ${projectId}
      returning id, sha256
    ), items as (
      insert into batch_items (batch_id, image_id, status, result_id)
      select ${batchId}::uuid, i.id, 'completed', made.id from made join images i on i.sha256 = made.sha256
    )
    update images i set status = 'completed', result_id = made.id, batch_id = ${batchId}, polygon_count = ${cells}
    from made where made.sha256 = i.sha256`;
  return { imageIds, batchId };
}
