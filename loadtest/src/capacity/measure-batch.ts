import type { Sql } from '../../../service/src/database/client.ts';
import { mean, quantileOfSorted } from '../measure/statistics.ts';
import { capacityOf } from '../prove/capacity.ts';
import type { CapacityLevel, ShapeTimes } from './contract.ts';

/** Stages that a worker executes (`service/src/batches/process-image.ts`). */
const EXECUTED = ['decode', 'normalise', 'infer', 'polygons', 'encode'];
const QUANTILES = 101;

export interface BatchRow {
  queuedMs: number;
  endedMs: number;
}
interface Executed {
  width: number;
  height: number;
  cells: number;
  ms: number;
}

/** Images of a batch that ended completed, by the database's clock. */
export const readEnds = (sql: Sql, batchId: string): Promise<BatchRow[]> =>
  sql<BatchRow[]>`
    SELECT extract(epoch FROM queued_at)::float8 * 1000 AS "queuedMs", extract(epoch FROM finished_at)::float8 * 1000 AS "endedMs"
    FROM batch_items WHERE batch_id = ${batchId} AND status = 'completed'`.then((rows) => [...rows]);

/** Execution of every image of a batch that was executed, with its shape. */
const readExecuted = (sql: Sql, batchId: string): Promise<Executed[]> =>
  sql<Executed[]>`
    SELECT b.width, b.height, coalesce(i.polygon_count, 0) AS cells, sum(s.duration_ms)::float8 AS ms
    FROM image_stages s JOIN images i ON i.id = s.image_id JOIN blobs b ON b.sha256 = i.sha256
    WHERE s.batch_id = ${batchId} AND s.stage = ANY(${EXECUTED}) AND s.cause IS NULL
    GROUP BY s.image_id, s.attempt, b.width, b.height, i.polygon_count HAVING sum(s.duration_ms) > 0`.then((rows) => [
    ...rows,
  ]);

/** Cells of one shape are at most so many times those of its emptiest image, and so many more. */
const ALIKE = { times: 3, more: 6 };

/** Images of about one size, cut where they have far more cells than the emptiest of them. */
function byCells(same: readonly Executed[]): Executed[][] {
  const groups: Executed[][] = [];
  let most = -1;
  for (const one of same.toSorted((a, b) => a.cells - b.cells)) {
    if (one.cells > most) {
      groups.push([]);
      most = ALIKE.times * one.cells + ALIKE.more;
    }
    groups.at(-1)!.push(one);
  }
  return groups;
}

/**
 * Distributions of executions by shape. Areas within a power of 2 count as one size: few shapes with many images each, whatever was
 * uploaded.
 */
export function shapeTimes(executed: readonly Executed[], meanBatch: number): ShapeTimes[] {
  const sizes = Map.groupBy(executed, ({ width, height }) => Math.round(Math.log2(width * height)));
  return [...sizes.values()]
    .flatMap(byCells)
    .map((same): ShapeTimes => {
      const sorted = same.map(({ ms }) => ms).toSorted((a, b) => a - b);
      const side = Math.max(1, Math.round(Math.sqrt(mean(same.map(({ width, height }) => width * height)))));
      return {
        width: side,
        height: side,
        cells: Number(mean(same.map(({ cells }) => cells)).toFixed(2)),
        images: same.length,
        meanBatch,
        meanMs: round(mean(sorted)),
        quantilesMs: Array.from({ length: QUANTILES }, (_, nth) =>
          round(quantileOfSorted(sorted, (nth + 0.5) / QUANTILES)),
        ),
      };
    })
    .toSorted((a, b) => a.width - b.width || a.cells - b.cells);
}

/** Never 0: a time or a rate of 0 is none. */
const round = (value: number): number => Math.max(1e-4, Number(value.toFixed(4)));

export const readShapes = async (sql: Sql, batchIds: readonly string[], meanBatch: number): Promise<ShapeTimes[]> => {
  const executed: Executed[] = [];
  for (const id of batchIds) executed.push(...(await readExecuted(sql, id)));
  return shapeTimes(executed, meanBatch);
};

/** Rate of the middle of a batch with its interval and blocks; null for too few images. */
export function rateOfEnds(
  rows: readonly BatchRow[],
): Pick<CapacityLevel, 'perSecond' | 'low' | 'high' | 'blocksMs'> | null {
  const capacity = capacityOf(rows.map(({ endedMs }) => endedMs));
  if (capacity === null || !(capacity.low > 0)) return null;
  const { perSecond, low, high, blocksMs } = capacity;
  return {
    perSecond: round(perSecond),
    low: round(low),
    high: high === null ? null : round(high),
    blocksMs: blocksMs.map((ms) => Number(ms.toFixed(4))),
  };
}
