import type { Transaction } from '../database/client.ts';
import type { FailureCode } from '../contract/common.ts';
import { FAILURE_WINDOW, pauseReason } from './failure-policy.ts';
import { lockBatch, pauseLocked } from './lifecycle.ts';
import { lockRows } from './locks.ts';
import { keyOf, type ItemKey, type NewResult, type Outcome } from './outcome.ts';
import { uuidv7 } from './uuid.ts';

/** Which outcomes still belong to a current hand-out. Their batches must be locked: then this stays true until the commit. */
async function current(tx: Transaction, outcomes: readonly Outcome[]): Promise<Outcome[]> {
  const rows = await tx<ItemKey[]>`
    SELECT t.batch_id AS "batchId", t.image_id AS "imageId", t.generation
    FROM batch_items t
    JOIN unnest(${outcomes.map((o) => o.batchId)}::uuid[], ${outcomes.map((o) => o.imageId)}::uuid[],
                ${outcomes.map((o) => o.generation)}::int[]) AS w (batch_id, image_id, generation)
      ON t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation
    -- the items of a deleted project stay as they are until they are removed: its batches are cancelled
    JOIN batches b ON b.id = t.batch_id AND b.status <> 'cancelled'
    WHERE t.status = 'processing'`;
  const valid = new Set(rows.map(keyOf));
  return outcomes.filter((outcome) => valid.has(keyOf(outcome)));
}

async function insertResults(tx: Transaction, results: readonly NewResult[]): Promise<void> {
  const unique = new Map(
    results.map((r) => [`${r.tenantId}/${r.sha256}/${r.model}/${r.modelVersion}/${r.parameters}`, r]),
  );
  if (unique.size === 0) return;
  const rows = [...unique.values()].map((r) => ({
    id: uuidv7(),
    sha256: Buffer.from(r.sha256, 'hex'),
    tenant_id: r.tenantId,
    model: r.model,
    model_version: r.modelVersion,
    parameters: r.parameters,
    threshold: r.threshold,
    image_width: r.imageWidth,
    image_height: r.imageHeight,
    polygon_count: r.polygonCount,
    processing_ms: r.processingMs,
    // not its text: that would be stored as a string
    stages: tx.json(r.stages),
    warnings: r.warnings?.length ? r.warnings : null,
    polygons: Buffer.from(r.polygons.buffer, r.polygons.byteOffset, r.polygons.byteLength),
  }));
  await tx`INSERT INTO results ${tx(rows)} ON CONFLICT (sha256, model, model_version, parameters, tenant_id) DO NOTHING`.execute();
}

async function insertStages(tx: Transaction, outcomes: readonly Outcome[]): Promise<void> {
  const rows = outcomes.flatMap((outcome) => outcome.stages.map((stage) => ({ outcome, stage })));
  if (rows.length === 0) return;
  await tx`
    INSERT INTO image_stages (image_id, batch_id, attempt, worker, stage, started_at, duration_ms, cpu_ms, cause)
    SELECT image_id, batch_id, attempt, worker, stage, to_timestamp(started_ms / 1000), duration_ms, cpu_ms, cause
    FROM unnest(${rows.map((r) => r.outcome.imageId)}::uuid[], ${rows.map((r) => r.outcome.batchId)}::uuid[],
                ${rows.map((r) => r.outcome.attempt)}::int[], ${rows.map((r) => r.outcome.worker)}::text[],
                ${rows.map((r) => r.stage.stage)}::text[], ${rows.map((r) => r.stage.startedAt)}::float8[],
                ${rows.map((r) => r.stage.durationMs)}::float8[], ${rows.map((r) => r.stage.cpuMs ?? null)}::float8[],
                ${rows.map((r) => r.stage.cause ?? null)}::text[])
      AS s (image_id, batch_id, attempt, worker, stage, started_ms, duration_ms, cpu_ms, cause)`.execute();
}

/** Items, images, counters, jobs and events of outcomes that are current; one statement. */
async function applyCurrent(tx: Transaction, outcomes: readonly Outcome[]): Promise<void> {
  await tx`
    WITH wanted AS MATERIALIZED (
      SELECT w.*, b.project_id, b.priority, r.id AS result_id, r.polygon_count
      FROM unnest(${outcomes.map((o) => o.batchId)}::uuid[], ${outcomes.map((o) => o.imageId)}::uuid[],
                  ${outcomes.map((o) => o.status)}::text[], ${outcomes.map((o) => o.sha256)}::text[],
                  ${outcomes.map((o) => o.code ?? null)}::text[], ${outcomes.map((o) => o.message ?? null)}::text[],
                  ${outcomes.map((o) => (o.crashed ? 1 : 0))}::int[],
                  ${outcomes.map((o) => (o.status === 'completed' && !o.result ? 1 : 0))}::int[])
        AS w (batch_id, image_id, status, sha256, code, message, crashed, reused)
      JOIN batches b ON b.id = w.batch_id JOIN projects p ON p.id = b.project_id
      LEFT JOIN results r ON w.status = 'completed' AND r.sha256 = decode(w.sha256, 'hex') AND r.model = b.model
        AND r.model_version = b.model_version AND r.parameters = b.parameters AND r.tenant_id = p.tenant_id
    ), items AS (
      UPDATE batch_items t SET
        status = w.status, lease_until = NULL, crashes = t.crashes + w.crashed, result_id = w.result_id,
        generation = t.generation + CASE WHEN w.status = 'queued' THEN 1 ELSE 0 END,
        queued_at = CASE WHEN w.status = 'queued' THEN clock_timestamp() ELSE t.queued_at END,
        error_code = w.code, error_message = w.message,
        finished_at = CASE WHEN w.status = 'queued' THEN NULL ELSE clock_timestamp() END
      FROM wanted w WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id
      RETURNING t.batch_id, t.image_id, t.generation, t.status
    ), sums AS (
      SELECT batch_id, count(*) AS n, count(*) FILTER (WHERE status = 'completed') AS completed,
             count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'queued') AS queued,
             sum(reused) AS reused
      FROM wanted GROUP BY batch_id
    ), counted AS (
      UPDATE batches b SET
        processing = b.processing - s.n, queued = b.queued + s.queued, completed = b.completed + s.completed,
        failed = b.failed + s.failed, reused = b.reused + s.reused,
        status = CASE WHEN b.queued + s.queued + b.processing - s.n = 0 THEN 'completed' ELSE b.status END,
        paused_reason = CASE WHEN b.queued + s.queued + b.processing - s.n = 0 THEN NULL ELSE b.paused_reason END,
        finished_at = CASE WHEN b.queued + s.queued + b.processing - s.n = 0 THEN clock_timestamp() END
      FROM sums s WHERE b.id = s.batch_id
    ), touched AS (
      UPDATE images i SET status = w.status, result_id = w.result_id, polygon_count = w.polygon_count,
                          error_code = CASE WHEN w.status = 'failed' THEN w.code END,
                          error_message = CASE WHEN w.status = 'failed' THEN w.message END
      FROM wanted w WHERE i.id = w.image_id AND i.batch_id = w.batch_id
    ), progress AS (
      INSERT INTO batch_progress (batch_id, second, done)
      SELECT batch_id, floor(extract(epoch FROM clock_timestamp()))::bigint, completed + failed
      FROM sums WHERE completed + failed > 0
      ON CONFLICT (batch_id, second) DO UPDATE SET done = batch_progress.done + excluded.done
    ), jobs AS (
      INSERT INTO job_outbox (project_id, batch_id, image_id, generation, priority)
      SELECT w.project_id, t.batch_id, t.image_id, t.generation, w.priority
      FROM items t JOIN wanted w ON w.batch_id = t.batch_id AND w.image_id = t.image_id WHERE t.status = 'queued'
    )
    INSERT INTO event_outbox (project_id, image_id, batch_id, status, polygon_count, code)
    SELECT project_id, image_id, batch_id, status, polygon_count, CASE WHEN status = 'failed' THEN code END FROM wanted`.execute();
}

/** Pauses batches of which too many of the latest images failed (`FAILURE_PAUSE_RATIO`). */
async function pauseFailing(tx: Transaction, batchIds: readonly string[], ratio: number): Promise<void> {
  for (const id of batchIds) {
    const recent = await tx<{ code: FailureCode | null }[]>`
      SELECT CASE WHEN t.status = 'failed' THEN t.error_code END AS code
      FROM batches b JOIN batch_items t ON t.batch_id = b.id
      WHERE b.id = ${id} AND b.status IN ('queued', 'running') AND b.failed > ${ratio}::float8 * ${FAILURE_WINDOW}::int
        AND t.status IN ('completed', 'failed') AND t.worker IS NOT NULL
        AND t.finished_at > coalesce(b.resumed_at, '-infinity')
      ORDER BY t.finished_at DESC LIMIT ${FAILURE_WINDOW}`;
    const reason = pauseReason(
      recent.map((row) => row.code),
      ratio,
    );
    const batch = reason === null ? null : await lockBatch(tx, null, id);
    if (batch !== null) await pauseLocked(tx, batch, reason);
  }
}

/**
 * Writes how hand-outs ended: results, items, images, counters, stages and events, in the caller's transaction. Outcomes of an
 * older generation change nothing and send nothing.
 * @returns per outcome, whether it was current
 */
export async function settle(
  tx: Transaction,
  outcomes: readonly Outcome[],
  options: { failurePauseRatio: number },
): Promise<boolean[]> {
  const locked = lockRows(
    tx,
    outcomes.map((outcome) => outcome.batchId),
    outcomes.map((outcome) => outcome.imageId),
  );
  const [, valid] = await Promise.all([locked, current(tx, outcomes)]);
  if (valid.length > 0) {
    const results = valid.flatMap((outcome) => (outcome.status === 'completed' ? (outcome.result ?? []) : []));
    // sent together and run in this order: items refer to results
    await Promise.all([insertResults(tx, results), applyCurrent(tx, valid), insertStages(tx, valid)]);
    const failing = valid.filter((outcome) => outcome.status === 'failed').map((outcome) => outcome.batchId);
    await pauseFailing(tx, [...new Set(failing)], options.failurePauseRatio);
  }
  const applied = new Set(valid);
  return outcomes.map((outcome) => applied.has(outcome));
}
