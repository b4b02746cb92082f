import { estimateProgress, RATE_WINDOW_SECONDS, type ProgressSample } from '../batches/eta.ts';
import type { BatchStatus } from '../contract/common.ts';
import type { BatchState } from '../contract/events.ts';
import type { Sql, Transaction } from '../database/client.ts';

interface StateRow {
  id: string;
  status: BatchStatus;
  pausedReason: string | null;
  total: number;
  queued: number;
  processing: number;
  completed: number;
  failed: number;
  cancelled: number;
  nowMs: number;
  runMs: number | null;
  samples: ProgressSample[] | null;
}

/** Rate and time left of a batch; a finished one has its average over the run, a paused one no time left. */
export function progressOf(row: StateRow): Pick<BatchState, 'imagesPerSecond' | 'eta'> {
  if (row.runMs !== null) {
    const ended = row.completed + row.failed;
    return { imagesPerSecond: Number(((ended * 1000) / Math.max(row.runMs, 1)).toFixed(2)), eta: null };
  }
  const progress = estimateProgress(row.samples ?? [], row.queued + row.processing, row.nowMs);
  return row.status === 'running' ? progress : { ...progress, eta: null };
}

/** States of batches as frames carry them, all from one snapshot of the database. */
export async function readBatchStates(sql: Sql | Transaction, batchIds: readonly string[]): Promise<BatchState[]> {
  if (batchIds.length === 0) return [];
  const rows = await sql<StateRow[]>`
    SELECT b.id, b.status, b.paused_reason AS "pausedReason", b.total, b.queued, b.processing, b.completed, b.failed, b.cancelled,
           extract(epoch FROM now())::float8 * 1000 AS "nowMs",
           CASE WHEN b.finished_at IS NOT NULL
                THEN extract(epoch FROM b.finished_at - coalesce(b.started_at, b.created_at))::float8 * 1000 END AS "runMs",
           (SELECT json_agg(json_build_object('second', p.second, 'done', p.done)) FROM batch_progress p
            WHERE p.batch_id = b.id AND p.second >= extract(epoch FROM now()) - ${RATE_WINDOW_SECONDS + 1}::int) AS samples
    FROM batches b WHERE b.id = ANY(${[...batchIds]}::uuid[]) ORDER BY b.created_at, b.id`;
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    pausedReason: row.pausedReason,
    total: row.total,
    counts: {
      queued: row.queued,
      processing: row.processing,
      completed: row.completed,
      failed: row.failed,
      cancelled: row.cancelled,
    },
    ...progressOf(row),
  }));
}
