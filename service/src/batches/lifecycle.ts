import type { BatchStatus } from '../contract/common.ts';
import type { Transaction } from '../database/client.ts';

export interface BatchHead {
  id: string;
  projectId: string;
  status: BatchStatus;
}

/** Locks one batch of a live project of the tenant (null: of any); null when it is unknown. */
export async function lockBatch(tx: Transaction, tenantId: string | null, id: string): Promise<BatchHead | null> {
  const own = tenantId === null ? tx`` : tx`AND p.tenant_id = ${tenantId}`;
  const [row] = await tx<BatchHead[]>`
    SELECT b.id, b.project_id AS "projectId", b.status
    FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL ${own}
    WHERE b.id = ${id} FOR NO KEY UPDATE OF b`;
  return row ?? null;
}

/** Tells the event stream that a batch's state changed although none of its images did. */
export async function announceBatch(tx: Transaction, batch: Pick<BatchHead, 'id' | 'projectId'>): Promise<void> {
  await tx`INSERT INTO event_outbox (project_id, batch_id) VALUES (${batch.projectId}, ${batch.id})`;
}

/**
 * Pauses a locked, open batch. Jobs that are in Redis already become stale by a new generation and wait in the outbox; what
 * runs may finish.
 * @param reason why the batch paused itself; null when a person did
 */
export async function pauseLocked(tx: Transaction, batch: BatchHead, reason: string | null): Promise<void> {
  await tx`UPDATE batches SET status = 'paused', paused_reason = ${reason} WHERE id = ${batch.id}`;
  await tx`
    WITH pulled AS (
      UPDATE batch_items SET generation = generation + 1, lease_until = NULL
      WHERE batch_id = ${batch.id} AND status = 'queued' AND lease_until IS NOT NULL
      RETURNING image_id, generation
    )
    INSERT INTO job_outbox (project_id, batch_id, image_id, generation, priority)
    SELECT b.project_id, b.id, pulled.image_id, pulled.generation, b.priority
    FROM pulled JOIN batches b ON b.id = ${batch.id}`;
  await announceBatch(tx, batch);
}

/** Lets a locked, paused batch go on; failures from before no longer count towards pausing itself. */
export async function resumeLocked(tx: Transaction, batch: BatchHead): Promise<void> {
  await tx`
    UPDATE batches SET status = CASE WHEN started_at IS NULL THEN 'queued' ELSE 'running' END, paused_reason = NULL,
                       resumed_at = clock_timestamp()
    WHERE id = ${batch.id}`;
  await tx`SELECT pg_notify('segbench_jobs', '')`;
  await announceBatch(tx, batch);
}

/**
 * Cancels whatever of a locked batch has not ended, running images included: their workers hold an older generation from
 * here on, so nothing they bring changes a row, and the batch's state is final at once.
 */
export async function cancelLocked(tx: Transaction, batch: BatchHead): Promise<void> {
  await tx`
    WITH open AS MATERIALIZED (
      SELECT i.id FROM images i JOIN batch_items t ON t.image_id = i.id
      WHERE t.batch_id = ${batch.id} AND t.status IN ('queued', 'processing') ORDER BY i.id FOR NO KEY UPDATE OF i
    )
    SELECT count(*) FROM open`;
  await tx`DELETE FROM job_outbox WHERE batch_id = ${batch.id}`;
  await tx`
    WITH stopped AS (
      UPDATE batch_items SET status = 'cancelled', generation = generation + 1, lease_until = NULL,
                             finished_at = clock_timestamp()
      WHERE batch_id = ${batch.id} AND status IN ('queued', 'processing')
      RETURNING image_id
    ), counted AS (
      UPDATE batches SET cancelled = cancelled + queued + processing, queued = 0, processing = 0, status = 'cancelled',
                         paused_reason = NULL, finished_at = clock_timestamp()
      WHERE id = ${batch.id}
    ), touched AS (
      UPDATE images SET status = 'cancelled' FROM stopped
      WHERE images.id = stopped.image_id AND images.batch_id = ${batch.id}
    )
    INSERT INTO event_outbox (project_id, image_id, batch_id, status)
    SELECT ${batch.projectId}::uuid, image_id, ${batch.id}::uuid, 'cancelled' FROM stopped ORDER BY image_id`;
  await announceBatch(tx, batch);
}

/**
 * Completes open batches with nothing left to do, and announces them.
 * @param batchIds null for all @returns how many were completed
 */
export async function finishDone(tx: Transaction, batchIds: readonly string[] | null): Promise<number> {
  const which = batchIds === null ? tx`` : tx`AND id = ANY(${[...batchIds]}::uuid[])`;
  const rows = await tx`
    WITH done AS (
      UPDATE batches SET status = 'completed', paused_reason = NULL, finished_at = clock_timestamp(),
                         started_at = coalesce(started_at, clock_timestamp())
      WHERE status IN ('queued', 'running', 'paused') AND queued = 0 AND processing = 0 ${which}
      RETURNING id, project_id
    )
    INSERT INTO event_outbox (project_id, batch_id) SELECT project_id, id FROM done RETURNING id`;
  return rows.length;
}
