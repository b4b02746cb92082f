import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sql } from 'postgres';
import { encodePolygons } from '#contract/polygons-format.ts';
import { polygonsOf } from '../../../service/src/inference/polygons.ts';
import { createStorage } from '../../../service/src/storage.ts';
import { FIRST_TENANT } from '../../../service/src/tenants/first.ts';
import { planImage } from '../images/plan.ts';
import { synthesise } from '../images/synthesise.ts';

const MODEL = { name: 'nuclei', version: '1', parameters: 't=0.5' };
/** The labels are the truth: nobody was less sure of some. */
const CONFIDENCE = 0.9;

/** One picture with its ground truth as a stored result. */
async function makePicture(seed: number, index: number, side: number) {
  const limits = { minSide: side, maxSide: side, medianSide: side, maxCells: 60 };
  const plan = { ...planImage(seed, index, limits), format: 'png' as const };
  const { width, height } = plan;
  const { file, labels, cells } = await synthesise(seed, plan);
  const sure = new Float32Array(width * height).fill(CONFIDENCE);
  const polygons = polygonsOf(Int32Array.from(labels), sure, width, height, cells);
  return {
    file,
    sha256: createHash('sha256').update(file).digest(),
    width,
    height,
    cells: polygons.filter(({ type }) => type === 'external').length,
    polygons: Buffer.from(encodePolygons(polygons)),
    // Grey, and dark as such pictures are.
    colour: 0x010101 * Math.round(24 + 24 * plan.signal),
    resultId: randomUUID(),
  };
}

/**
 * A project whose images are done: rows in the database that share a few real pictures, each with its ground truth as the result. A
 * gallery cannot tell it from one that was uploaded and segmented; a hundred thousand images take seconds.
 */
export async function seedFinishedProject(
  sql: Sql,
  options: { dataDir: string; name: string; images: number; pictures: number; side: number; seed: number },
) {
  const { dataDir, name, images, side, seed } = options;
  const storage = createStorage(dataDir);
  const pictures: Awaited<ReturnType<typeof makePicture>>[] = [];
  for (let index = 0; index < options.pictures; index++) pictures.push(await makePicture(seed, index, side));
  for (const { file, sha256 } of pictures) {
    const path = storage.path(sha256.toString('hex'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file);
  }
  const projectId = randomUUID();
  const batchId = randomUUID();
  await sql.begin(async (tx) => {
    await tx`INSERT INTO projects (id, name, tenant_id) VALUES (${projectId}, ${name}, ${FIRST_TENANT})`;
    await tx`
      INSERT INTO batches (id, project_id, status, model, model_version, threshold, parameters, total, completed, started_at, finished_at)
      VALUES (${batchId}, ${projectId}, 'completed', ${MODEL.name}, ${MODEL.version}, 0.5, ${MODEL.parameters}, ${images}, ${images}, now(), now())`;
    for (const { file, sha256, width, height, colour, cells, polygons, resultId } of pictures) {
      await tx`
        INSERT INTO blobs (sha256, size_bytes, mime_type, width, height, channels, pages, average_colour)
        VALUES (${sha256}, ${file.length}, 'image/png', ${width}, ${height}, 1, 1, ${colour})`;
      await tx`
        INSERT INTO results (id, tenant_id, sha256, model, model_version, parameters, threshold, image_width, image_height,
                             polygon_count, processing_ms, stages, polygons)
        VALUES (${resultId}, ${FIRST_TENANT}, ${sha256}, ${MODEL.name}, ${MODEL.version}, ${MODEL.parameters}, 0.5,
                ${width}, ${height}, ${cells}, 10, ${tx.json({ infer: 10 })}, ${polygons})`;
    }
    // Picture n of p is that of every p-th image, so that neighbours differ.
    await tx`
      WITH pictures AS MATERIALIZED (
        SELECT row_number() OVER () - 1 AS n, r.sha256, r.id AS result_id, r.polygon_count
        FROM unnest(${pictures.map(({ resultId }) => resultId)}::uuid[]) AS w (id) JOIN results r USING (id)
      ), made AS (
        INSERT INTO images (id, project_id, name, sha256, status, batch_id, result_id, polygon_count)
        SELECT gen_random_uuid(), ${projectId}::uuid, 'well-' || lpad(i::text, 6, '0') || '.png', p.sha256, 'completed', ${batchId}::uuid,
               p.result_id, p.polygon_count
        FROM generate_series(1, ${images}::int) AS i JOIN pictures p ON p.n = i % ${pictures.length}::int ORDER BY i
        RETURNING id, result_id
      )
      INSERT INTO batch_items (batch_id, image_id, status, result_id, finished_at)
      SELECT ${batchId}::uuid, id, 'completed', result_id, now() FROM made`;
  });
  // Lists of so many rows are planned by what the planner knows of them.
  await sql`ANALYZE images, batch_items`;
  return { projectId, batchId };
}
