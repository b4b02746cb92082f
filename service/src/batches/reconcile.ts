import type { Sql, Transaction } from '../database/client.ts';
import { ATTEMPTS_IN_ALL } from './failure-policy.ts';
import { finishDone } from './lifecycle.ts';
import { lockRows } from './locks.ts';
import type { ItemKey, Outcome } from './outcome.ts';
import type { JobQueue } from './queue.ts';
import { settle } from './settle.ts';

const CHUNK = 500;
export interface Reconciled {
  /** Running items whose worker let the lease expire. */
  expired: number;
  /** Queued items that were no longer in Redis. */
  vanished: number;
  /** Queued items that were neither in Redis nor in the outbox. */
  orphaned: number;
  finished: number;
}

/** Running items past their lease: their worker died, hangs or was stopped. They go out again under a new generation. */
async function expireRunning(sql: Sql, failurePauseRatio: number): Promise<number> {
  const rows = await sql<(ItemKey & { attempts: number; worker: string; startedMs: number; lateMs: number })[]>`
    SELECT batch_id AS "batchId", image_id AS "imageId", generation, attempts, coalesce(worker, '') AS worker,
           extract(epoch FROM started_at)::float8 * 1000 AS "startedMs",
           extract(epoch FROM clock_timestamp() - started_at)::float8 * 1000 AS "lateMs"
    FROM batch_items WHERE status = 'processing' AND lease_until < clock_timestamp() LIMIT ${CHUNK}`;
  if (rows.length === 0) return 0;
  const outcomes = rows.map(({ attempts, worker, startedMs, lateMs, ...key }): Outcome => {
    const given = attempts < ATTEMPTS_IN_ALL;
    const cause = `worker ${worker} did not renew its lease`;
    const stages = [{ stage: 'lease', startedAt: startedMs, durationMs: lateMs, cause }];
    const message = `${cause}, attempt ${attempts} of ${ATTEMPTS_IN_ALL}`;
    return {
      ...key,
      status: given ? 'queued' : 'failed',
      sha256: '',
      code: 'CRASHED',
      message,
      attempt: attempts,
      worker,
      stages,
    };
  });
  const applied = await sql.begin(async (tx) => {
    await lockRows(
      tx,
      outcomes.map((outcome) => outcome.batchId),
      outcomes.map((outcome) => outcome.imageId),
    );
    const still = await stillExpired(tx, outcomes);
    return settle(tx, still, { failurePauseRatio });
  });
  return applied.filter(Boolean).length;
}

/** A worker may have renewed between the look and the lock. */
async function stillExpired(tx: Transaction, outcomes: readonly Outcome[]): Promise<Outcome[]> {
  const rows = await tx<{ batchId: string; imageId: string }[]>`
    SELECT t.batch_id AS "batchId", t.image_id AS "imageId" FROM batch_items t
    JOIN unnest(${outcomes.map((o) => o.batchId)}::uuid[], ${outcomes.map((o) => o.imageId)}::uuid[])
      AS w (batch_id, image_id) ON t.batch_id = w.batch_id AND t.image_id = w.image_id
    WHERE t.lease_until < clock_timestamp()`;
  const expired = new Set(rows.map((row) => `${row.batchId}/${row.imageId}`));
  return outcomes.filter((outcome) => expired.has(`${outcome.batchId}/${outcome.imageId}`));
}

/** Puts queued items into the outbox again, under a new generation: BullMQ ignores an id that it still knows. */
async function requeue(tx: Transaction, keys: readonly ItemKey[]): Promise<number> {
  if (keys.length === 0) return 0;
  await lockRows(
    tx,
    keys.map((key) => key.batchId),
  );
  const rows = await tx`
    WITH again AS (
      UPDATE batch_items t SET generation = t.generation + 1, lease_until = NULL
      FROM unnest(${keys.map((k) => k.batchId)}::uuid[], ${keys.map((k) => k.imageId)}::uuid[],
                  ${keys.map((k) => k.generation)}::int[]) AS w (batch_id, image_id, generation)
      WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation AND t.status = 'queued'
      RETURNING t.batch_id, t.image_id, t.generation
    )
    INSERT INTO job_outbox (project_id, batch_id, image_id, generation, priority)
    SELECT b.project_id, b.id, again.image_id, again.generation, b.priority
    FROM again JOIN batches b ON b.id = again.batch_id RETURNING 1 AS one`;
  return rows.length;
}

/** Queued items past their lease are looked up in Redis: what is there waits on, what vanished goes out again. */
async function recoverQueued(
  sql: Sql,
  queue: Pick<JobQueue, 'known' | 'wasEmptied'>,
  leaseMs: number,
): Promise<number> {
  if (await queue.wasEmptied()) await endQueuedLeases(sql);
  let recovered = 0;
  for (;;) {
    const keys = await sql<ItemKey[]>`
      SELECT batch_id AS "batchId", image_id AS "imageId", generation FROM batch_items
      WHERE status = 'queued' AND lease_until < clock_timestamp() LIMIT ${CHUNK}`;
    if (keys.length === 0) return recovered;
    const known = await queue.known(keys);
    const vanished = keys.filter((_, index) => !known[index]);
    const waiting = keys.filter((_, index) => known[index]);
    recovered += await sql.begin(async (tx) => {
      await lockRows(
        tx,
        keys.map((key) => key.batchId),
      );
      await tx`
        UPDATE batch_items t SET lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
        FROM unnest(${waiting.map((k) => k.batchId)}::uuid[], ${waiting.map((k) => k.imageId)}::uuid[],
                    ${waiting.map((k) => k.generation)}::int[]) AS w (batch_id, image_id, generation)
        WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.generation = w.generation AND t.status = 'queued'`;
      return requeue(tx, vanished);
    });
  }
}

/** Redis lost everything: whatever was sent there is looked up now instead of when its lease ends. */
async function endQueuedLeases(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT id FROM batches WHERE status IN ('queued', 'running', 'paused') ORDER BY id FOR NO KEY UPDATE`;
    await tx`UPDATE batch_items SET lease_until = '-infinity' WHERE status = 'queued' AND lease_until IS NOT NULL`;
  });
}

/**
 * Queued items that nobody will ever hand out: in no outbox and never sent. That cannot happen by this program's own writes; it
 * is looked for because an image that is answered with 2xx must end.
 */
async function recoverOrphans(sql: Sql): Promise<number> {
  return sql.begin(async (tx) => {
    const keys = await tx<ItemKey[]>`
      SELECT t.batch_id AS "batchId", t.image_id AS "imageId", t.generation FROM batch_items t
      WHERE t.status = 'queued' AND t.lease_until IS NULL AND NOT EXISTS (
        SELECT 1 FROM job_outbox o
        WHERE o.batch_id = t.batch_id AND o.image_id = t.image_id AND o.generation = t.generation
      ) LIMIT ${CHUNK}`;
    return requeue(tx, keys);
  });
}

/** One pass over everything that may be stuck. Redis being down delays only the part that needs it. */
export async function reconcileOnce(
  sql: Sql,
  queue: Pick<JobQueue, 'known' | 'wasEmptied'>,
  options: { leaseMs: number; failurePauseRatio: number; orphans: boolean },
): Promise<Reconciled> {
  const expired = await expireRunning(sql, options.failurePauseRatio);
  const finished = await sql.begin((tx) => finishDone(tx, null));
  const orphaned = options.orphans ? await recoverOrphans(sql) : 0;
  const vanished = await recoverQueued(sql, queue, options.leaseMs);
  return { expired, vanished, orphaned, finished };
}
