import type { Batch, Failures } from '../contract/batches.ts';
import { FAILURE_CODES, type FailureCode } from '../contract/common.ts';
import { badValue } from '../errors.ts';
import type { Sql } from '../database/client.ts';
import type { Owner } from '../tenants/owner.ts';
import { decodeCursor, encodeCursor } from '../database/cursor.ts';
import { readBatchStates } from '../events/batch-states.ts';
import { shown, type KeptForecast } from '../forecast/predict.ts';

/** What does not change while a batch runs, as it is stored. */
type Fixed = Omit<Batch, 'status' | 'pausedReason' | 'total' | 'counts' | 'imagesPerSecond' | 'eta'>;
type Row = Omit<Fixed, 'createdAt' | 'startedAt' | 'finishedAt' | 'forecast'> & {
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  forecast: KeptForecast | null;
};

/** Batches of a tenant's live projects, newest first. */
export async function readBatches({ sql, tenantId }: Owner, ids: readonly string[]): Promise<Batch[]> {
  if (ids.length === 0) return [];
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    // sent together: a round trip costs more than either
    const [rows, states] = await Promise.all([
      tx<Row[]>`
      SELECT b.id, b.project_id AS "projectId", b.model, b.model_version AS "modelVersion",
             b.threshold, b.priority, b.reused, b.retry_of AS "retryOf", b.forecast, b.created_at AS "createdAt", b.started_at AS "startedAt",
             b.finished_at AS "finishedAt"
      FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
      WHERE b.id = ANY(${[...ids]}::uuid[]) ORDER BY b.created_at DESC, b.id DESC`,
      readBatchStates(tx, ids),
    ]);
    const byId = new Map(states.map((state) => [state.id, state]));
    return rows.map((row) => ({
      ...row,
      ...byId.get(row.id)!,
      forecast: row.forecast && shown(row.forecast),
      createdAt: row.createdAt.toISOString(),
      startedAt: row.startedAt?.toISOString() ?? null,
      finishedAt: row.finishedAt?.toISOString() ?? null,
    }));
  });
}

export interface PageRequest {
  limit: number;
  offset: number;
  cursor?: string | undefined;
}
export interface BatchPage {
  items: Batch[];
  total: number;
  limit: number;
  offset: number;
  nextCursor: string | null;
}
const orderOf = (projectId: string) => ({ list: `batches of ${projectId}`, sort: '-createdAt' });

/** A project's batches, newest first. */
export async function readPage(
  owner: Owner,
  projectId: string,
  { limit, offset, cursor }: PageRequest,
): Promise<BatchPage> {
  const { sql } = owner;
  if (cursor !== undefined && offset > 0) throw badValue('offset', offset, 'nothing or 0 together with cursor');
  const at = cursor === undefined ? null : decodeCursor(cursor, orderOf(projectId));
  const after = at === null ? sql`` : sql`AND (created_at, id) < (${String(at.value)}::text::timestamptz, ${at.id})`;
  const [rows, [counted]] = await Promise.all([
    sql<{ id: string; createdAt: string }[]>`
      SELECT id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt"
      FROM batches WHERE project_id = ${projectId} ${after}
      ORDER BY created_at DESC, id DESC LIMIT ${limit + 1} OFFSET ${offset}`,
    sql<{ total: number }[]>`SELECT count(*)::int AS total FROM batches WHERE project_id = ${projectId}`,
  ]);
  const items = await readBatches(
    owner,
    rows.slice(0, limit).map((row) => row.id),
  );
  const last = rows[limit - 1];
  const nextCursor =
    rows.length > limit && last ? encodeCursor({ ...orderOf(projectId), value: last.createdAt, id: last.id }) : null;
  return { items, total: counted?.total ?? 0, limit, offset, nextCursor };
}

/** Failures of a batch by code, the most frequent first. */
export async function readFailures(sql: Sql, batchId: string): Promise<Failures> {
  const rows = await sql<
    (Omit<Failures['groups'][number], 'code' | 'retryable' | 'first' | 'last'> & {
      code: FailureCode;
      first: Date;
      last: Date;
    })[]
  >`
    SELECT g.*, (SELECT r.id FROM batches r JOIN batch_items i ON i.batch_id = r.id AND i.image_id = g."sampleImageIds"[1]
                 WHERE r.retry_of = ${batchId} ORDER BY r.created_at DESC, r.id DESC LIMIT 1) AS "retryId"
    FROM (SELECT error_code AS code, count(*)::int AS count, min(finished_at) AS first, max(finished_at) AS last,
                 (array_agg(image_id ORDER BY finished_at, image_id))[1:5] AS "sampleImageIds",
                 coalesce((array_agg(error_message ORDER BY finished_at, image_id))[1], '') AS "sampleMessage"
          FROM batch_items WHERE batch_id = ${batchId} AND status = 'failed' GROUP BY error_code) g
    ORDER BY count DESC, code`;
  const groups = rows.map((row) => ({
    ...row,
    retryable: FAILURE_CODES[row.code].retryable,
    first: row.first.toISOString(),
    last: row.last.toISOString(),
  }));
  return { batchId, total: groups.reduce((sum, group) => sum + group.count, 0), groups };
}

export interface QueueCounts {
  waiting: number;
  active: number;
  /** Images of paused batches. */
  delayed: number;
  /** Failed images of batches that are open. */
  failed: number;
  oldestAgeMs: number;
}

/**
 * What stands in the queue, from the batches' own counters: true whether Redis answers or not.
 * @param tenantId of the batches that count; null for all
 */
export async function readQueue(sql: Sql, tenantId: string | null): Promise<QueueCounts> {
  const own =
    tenantId === null
      ? sql``
      : sql`AND EXISTS (SELECT FROM projects p WHERE p.id = batches.project_id AND p.tenant_id = ${tenantId})`;
  const [row] = await sql<QueueCounts[]>`
    SELECT coalesce(sum(queued) FILTER (WHERE status <> 'paused'), 0)::int AS waiting,
           coalesce(sum(processing), 0)::int AS active,
           coalesce(sum(queued) FILTER (WHERE status = 'paused'), 0)::int AS delayed,
           coalesce(sum(failed), 0)::int AS failed,
           coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE status <> 'paused' AND queued > 0)) * 1000, 0)::float8
             AS "oldestAgeMs"
    FROM batches WHERE status IN ('queued', 'running', 'paused') ${own}`;
  return row!;
}
