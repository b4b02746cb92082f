import type { Transaction } from '../database/client.ts';
import type { KeptForecast } from '../forecast/predict.ts';
import { parametersText, type SegmentationParameters } from './parameters.ts';

/** What a new batch is made of; `imageIds` null means every image of the project. */
export interface BatchSpec extends SegmentationParameters {
  id: string;
  projectId: string;
  /** Whose stored results may answer. */
  tenantId: string;
  imageIds: readonly string[] | null;
  model: string;
  modelVersion: string;
  priority: number;
  force: boolean;
  retryOf: string | null;
  /** Of the request that starts it, where that is traced. */
  traceparent: string | null;
  /** Who is told of its end, beside the operator's target. */
  webhook: string | null;
  forecast: KeptForecast | null;
}

/**
 * Locks the images of a new batch in the order of their ids.
 * @returns how many of them belong to the project, and when all are locked, in ms since 1970 by the database's clock: that of every API
 */
export async function lockImages(tx: Transaction, projectId: string, imageIds: readonly string[] | null) {
  const chosen = imageIds === null ? tx`` : tx`AND id = ANY(${[...imageIds]}::uuid[])`;
  const [row] = await tx<{ count: number; lockedAt: number }[]>`
    WITH locked AS MATERIALIZED (
      SELECT id FROM images WHERE project_id = ${projectId} ${chosen} ORDER BY id FOR NO KEY UPDATE
    )
    SELECT count(*)::int AS count, extract(epoch FROM clock_timestamp())::float8 * 1000 AS "lockedAt" FROM locked`;
  return row!;
}

/**
 * Writes a batch in one statement: its row, items, the images' status, jobs for the queue and events. One statement is one
 * snapshot, so the counters cannot disagree with the rows. An image whose result is known (same bytes, model, parameters)
 * completes here and now, unless `force`. Its times are the statement's, behind the locks of its images: in the order of the ids.
 */
export async function insertBatch(tx: Transaction, spec: BatchSpec): Promise<void> {
  const parameters = parametersText(spec);
  const chosen = spec.imageIds === null ? tx`` : tx`AND i.id = ANY(${[...spec.imageIds]}::uuid[])`;
  await tx`
    WITH picked AS MATERIALIZED (
      SELECT i.id, i.created_at, r.id AS result_id, r.polygon_count,
             CASE WHEN r.id IS NULL THEN 'queued' ELSE 'completed' END AS status
      FROM images i
      LEFT JOIN results r ON NOT ${spec.force}::boolean AND r.sha256 = i.sha256 AND r.model = ${spec.model}
        AND r.model_version = ${spec.modelVersion} AND r.parameters = ${parameters} AND r.tenant_id = ${spec.tenantId}
      WHERE i.project_id = ${spec.projectId} ${chosen}
    ), batch AS (
      INSERT INTO batches (id, project_id, status, model, model_version, threshold, channel, page, detect_holes, parameters,
                           priority, force, retry_of, forecast, traceparent, webhook, total, queued, completed, reused, created_at, started_at, finished_at)
      SELECT ${spec.id}::uuid, ${spec.projectId}::uuid, CASE WHEN count(*) = count(result_id) THEN 'completed' ELSE 'queued' END,
             ${spec.model}, ${spec.modelVersion}, ${spec.threshold}::real, ${spec.channel}::int, ${spec.page}::int,
             ${spec.detectHoles}::boolean, ${parameters}, ${spec.priority}::int, ${spec.force}::boolean,
             ${spec.retryOf}::uuid, ${spec.forecast === null ? null : tx.json({ ...spec.forecast })}::jsonb,
             ${spec.traceparent}::text, ${spec.webhook}::text, count(*), count(*) - count(result_id), count(result_id), count(result_id),
             statement_timestamp(), CASE WHEN count(*) = count(result_id) THEN statement_timestamp() END,
             CASE WHEN count(*) = count(result_id) THEN statement_timestamp() END
      FROM picked
    ), items AS (
      INSERT INTO batch_items (batch_id, image_id, status, result_id, finished_at)
      SELECT ${spec.id}::uuid, id, status, result_id, CASE WHEN result_id IS NOT NULL THEN clock_timestamp() END FROM picked
    ), touched AS (
      UPDATE images SET status = picked.status, batch_id = ${spec.id}::uuid, result_id = picked.result_id,
                        polygon_count = picked.polygon_count, error_code = NULL, error_message = NULL
      FROM picked WHERE images.id = picked.id
    ), jobs AS (
      INSERT INTO job_outbox (project_id, batch_id, image_id, generation, priority)
      SELECT ${spec.projectId}::uuid, ${spec.id}::uuid, id, 1, ${spec.priority}::int
      FROM picked WHERE result_id IS NULL ORDER BY created_at, id
    )
    INSERT INTO event_outbox (project_id, image_id, batch_id, status, polygon_count)
    SELECT ${spec.projectId}::uuid, id, ${spec.id}::uuid, status, polygon_count FROM picked ORDER BY created_at, id`;
}
