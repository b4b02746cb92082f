import type { Sql } from '../database/client.ts';
import { lockRows, withRetry } from './locks.ts';
import { keyOf, type ItemKey, type Outcome } from './outcome.ts';
import { settle } from './settle.ts';

/**
 * Gives back what a worker that ends has claimed and not finished: it goes out again at once, under a new generation, instead of
 * when its lease ends. The attempt does not count: nothing is wrong with the image.
 * @param kept what it is still going to finish
 * @returns how many
 */
export async function handBack(sql: Sql, worker: string, kept: readonly ItemKey[] = []): Promise<number> {
  const staying = new Set(kept.map(keyOf));
  const claimed = await sql<(ItemKey & { attempts: number; startedMs: number; heldMs: number })[]>`
    SELECT batch_id AS "batchId", image_id AS "imageId", generation, attempts,
           extract(epoch FROM started_at)::float8 * 1000 AS "startedMs",
           extract(epoch FROM clock_timestamp() - started_at)::float8 * 1000 AS "heldMs"
    FROM batch_items WHERE status = 'processing' AND worker = ${worker}`;
  const held = claimed.filter((key) => !staying.has(keyOf(key)));
  if (held.length === 0) return 0;
  const outcomes = held.map(({ attempts, startedMs, heldMs, ...key }): Outcome => {
    const stages = [
      { stage: 'returned', startedAt: startedMs, durationMs: heldMs, cause: 'its worker was asked to end' },
    ];
    return { ...key, status: 'queued', sha256: '', attempt: attempts, worker, stages };
  });
  const applied = await withRetry(() =>
    sql.begin(async (tx) => {
      await lockRows(
        tx,
        outcomes.map((outcome) => outcome.batchId),
        outcomes.map((outcome) => outcome.imageId),
      );
      const current = await settle(tx, outcomes, { failurePauseRatio: 1 });
      const given = outcomes.filter((_, index) => current[index]);
      await tx`
        UPDATE batch_items t SET attempts = t.attempts - 1
        FROM unnest(${given.map((o) => o.batchId)}::uuid[], ${given.map((o) => o.imageId)}::uuid[]) AS w (batch_id, image_id)
        WHERE t.batch_id = w.batch_id AND t.image_id = w.image_id AND t.status = 'queued' AND t.attempts > 0`;
      return current;
    }),
  );
  return applied.filter(Boolean).length;
}
