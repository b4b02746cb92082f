import type { Sql } from '../database/client.ts';
import { lockRows, withRetry } from './locks.ts';
import type { ItemKey } from './outcome.ts';

/** An image handed out to this worker, with all that is needed to work on it. */
export interface Claim extends ItemKey {
  projectId: string;
  tenantId: string;
  sha256: string;
  /** Sides of the image's first page in pixels. */
  width: number;
  height: number;
  priority: number;
  model: string;
  modelVersion: string;
  parameters: string;
  threshold: number;
  channel: number | null;
  page: number;
  detectHoles: boolean;
  force: boolean;
  attempts: number;
  crashes: number;
  /** Epoch milliseconds by the database's clock. */
  queuedAt: number;
  startedAt: number;
  /** A result of the same bytes, model and parameters is stored already. */
  known: boolean;
}

/**
 * Claims queued items for a worker, once per (batch, image, generation): a job that is delivered twice, is paused or cancelled
 * or carries an older generation claims nothing. The commit does not wait for the disk: a lost claim is only handed out again.
 * When the connection breaks during the commit it is not known whether it took effect: the next try also takes what this worker
 * has by now and does not work on, else it would lie there until its lease ends.
 * @param leaseMs until when the claim holds unless it is renewed
 * @param holds whether the worker works on this hand-out already
 * @returns one entry per key, null where nothing was claimed
 */
export async function claimItems(
  sql: Sql,
  keys: readonly ItemKey[],
  options: { worker: string; leaseMs: number; holds?: (key: ItemKey) => boolean },
): Promise<(Claim | null)[]> {
  let tries = 0;
  const rows = await withRetry(() => {
    const lost = tries++ > 0 ? keys.filter((key) => options.holds?.(key) !== true) : [];
    return sql.begin(async (tx) => {
      const relaxed = tx`SET LOCAL synchronous_commit = off`.execute();
      const locked = lockRows(
        tx,
        keys.map((key) => key.batchId),
        keys.map((key) => key.imageId),
      );
      const claimed = tx<Claim[]>`
        WITH claimed AS (
          UPDATE batch_items t SET status = 'processing', attempts = t.attempts + 1, worker = ${options.worker},
            started_at = clock_timestamp(), lease_until = clock_timestamp() + ${options.leaseMs}::float8 * interval '1 ms'
          FROM batches b,
            unnest(${keys.map((k) => k.batchId)}::uuid[], ${keys.map((k) => k.imageId)}::uuid[],
                   ${keys.map((k) => k.generation)}::int[]) AS w (batch_id, image_id, generation)
          WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation
            AND t.status = 'queued' AND b.id = t.batch_id AND b.status IN ('queued', 'running')
          RETURNING t.*
        ), adopted AS (
          SELECT t.* FROM batch_items t
          JOIN unnest(${lost.map((k) => k.batchId)}::uuid[], ${lost.map((k) => k.imageId)}::uuid[],
                      ${lost.map((k) => k.generation)}::int[]) AS w (batch_id, image_id, generation)
            ON t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation
          WHERE t.status = 'processing' AND t.worker = ${options.worker}
        ), counted AS (
          UPDATE batches b SET queued = b.queued - n, processing = b.processing + n, status = 'running',
                               started_at = coalesce(b.started_at, clock_timestamp())
          FROM (SELECT batch_id, count(*) AS n FROM claimed GROUP BY batch_id) s WHERE b.id = s.batch_id
        ), touched AS (
          UPDATE images i SET status = 'processing' FROM claimed c WHERE i.id = c.image_id AND i.batch_id = c.batch_id
        ), events AS (
          INSERT INTO event_outbox (project_id, image_id, batch_id, status)
          SELECT b.project_id, c.image_id, c.batch_id, 'processing' FROM claimed c JOIN batches b ON b.id = c.batch_id
        )
        SELECT c.batch_id AS "batchId", c.image_id AS "imageId", c.generation, b.project_id AS "projectId", p.tenant_id AS "tenantId",
               encode(i.sha256, 'hex') AS sha256, f.width, f.height, b.priority, b.model, b.model_version AS "modelVersion", b.parameters, b.threshold,
               b.channel, b.page, b.detect_holes AS "detectHoles", b.force, c.attempts, c.crashes,
               extract(epoch FROM c.queued_at)::float8 * 1000 AS "queuedAt",
               extract(epoch FROM c.started_at)::float8 * 1000 AS "startedAt",
               NOT b.force AND EXISTS (
                 SELECT 1 FROM results r WHERE r.sha256 = i.sha256 AND r.model = b.model
                   AND r.model_version = b.model_version AND r.parameters = b.parameters AND r.tenant_id = p.tenant_id
               ) AS known
        FROM (SELECT * FROM claimed UNION ALL SELECT * FROM adopted) c
          JOIN batches b ON b.id = c.batch_id JOIN projects p ON p.id = b.project_id JOIN images i ON i.id = c.image_id
          JOIN blobs f ON f.sha256 = i.sha256`;
      const [, , claims] = await Promise.all([relaxed, locked, claimed]);
      return claims;
    });
  });
  const found = new Map(rows.map((row) => [`${row.batchId}/${row.imageId}`, row]));
  return keys.map((key) => {
    const row = found.get(`${key.batchId}/${key.imageId}`);
    return row?.generation === key.generation ? row : null;
  });
}

/** Extends the leases of what a worker still holds; an item that was handed out again is left alone. */
export async function renewLeases(sql: Sql, keys: readonly ItemKey[], leaseMs: number): Promise<void> {
  if (keys.length === 0) return;
  await sql.begin(async (tx) => {
    await tx`SET LOCAL synchronous_commit = off`;
    await lockRows(
      tx,
      keys.map((key) => key.batchId),
    );
    await tx`
      UPDATE batch_items t SET lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      FROM unnest(${keys.map((k) => k.batchId)}::uuid[], ${keys.map((k) => k.imageId)}::uuid[],
                  ${keys.map((k) => k.generation)}::int[]) AS w (batch_id, image_id, generation)
      WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation
        AND t.status = 'processing'`;
  });
}

/** Which of these a worker holds in vain: cancelled, deleted or handed to another. Takes no lock. */
export async function findLost(sql: Sql, keys: readonly ItemKey[]): Promise<ItemKey[]> {
  if (keys.length === 0) return [];
  const rows = await sql<{ index: number }[]>`
    SELECT w.index::int AS index
    FROM unnest(${keys.map((k) => k.batchId)}::uuid[], ${keys.map((k) => k.imageId)}::uuid[],
                ${keys.map((k) => k.generation)}::int[]) WITH ORDINALITY AS w (batch_id, image_id, generation, index)
    WHERE NOT EXISTS (
      SELECT 1 FROM batch_items t WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id
        AND t.generation = w.generation AND t.status = 'processing'
    )`;
  return rows.map(({ index }) => keys[index - 1]!);
}
