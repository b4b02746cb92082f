import type { Sql } from 'postgres';
import type { StageSummary } from '../contract.ts';
import type { LedgerRow } from './ledger.ts';
import { histogramOf, LEAST_MS, PER_OCTAVE, type LogHistogram } from './log-histogram.ts';
import { summarise } from './statistics.ts';

interface StageRow {
  stage: string;
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
  cpu: number | null;
}

/** By stage: the same bins as `histogramOf` makes, counted where the rows are. */
async function readHistograms(sql: Sql, projectId: string, batchId: string): Promise<Map<string, LogHistogram>> {
  const rows = await sql<{ stage: string; k: number; count: number }[]>`
    SELECT stage, floor(ln(greatest(duration_ms::float8, ${LEAST_MS}::float8)) / ln(2::float8) * ${PER_OCTAVE}::int)::int AS k, count(*)::int AS count
    FROM image_stages s JOIN images i ON i.id = s.image_id
    WHERE i.project_id = ${projectId} AND (s.batch_id = ${batchId} OR s.batch_id IS NULL)
    GROUP BY 1, 2 ORDER BY 1, 2`;
  const found = new Map<string, LogHistogram>();
  for (const { stage, k, count } of rows) found.set(stage, [...(found.get(stage) ?? []), [k, count]]);
  return found;
}

/** Exact percentiles of every stage that the service recorded for one batch, and for the uploads before it. */
export async function readStages(sql: Sql, projectId: string, batchId: string): Promise<Record<string, StageSummary>> {
  const rows = await sql<StageRow[]>`
    SELECT stage, count(*)::int AS count,
      percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50,
      percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95,
      percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99,
      max(duration_ms) AS max, avg(cpu_ms)::float8 AS cpu
    FROM image_stages s JOIN images i ON i.id = s.image_id
    WHERE i.project_id = ${projectId} AND (s.batch_id = ${batchId} OR s.batch_id IS NULL)
    GROUP BY stage ORDER BY min(s.started_at)`;
  const histograms = await readHistograms(sql, projectId, batchId);
  return Object.fromEntries(
    rows.map(({ stage, count, p50, p95, p99, max, cpu }) => [
      stage,
      {
        count,
        p50Ms: p50,
        p95Ms: p95,
        p99Ms: p99,
        maxMs: max,
        cpuMsPerImage: cpu,
        histogram: histograms.get(stage) ?? [],
      },
    ]),
  );
}

/** Means over images that a worker inferred, once each: the sum of an image's stages until its end, and its time from queue to end. */
export interface StageSums {
  images: number;
  sumMs: number;
  tookMs: number;
}

/** Null for a batch without such images. */
export async function readStageSums(sql: Sql, batchId: string): Promise<StageSums | null> {
  const [row] = await sql<(StageSums | { images: 0 })[]>`
    SELECT count(*)::int AS images, avg(sum)::float8 AS "sumMs", avg(took)::float8 AS "tookMs"
    FROM (SELECT sum(s.duration_ms), extract(epoch FROM b.finished_at - b.queued_at) * 1000 AS took
          FROM batch_items b JOIN image_stages s ON s.image_id = b.image_id AND s.batch_id = b.batch_id
          WHERE b.batch_id = ${batchId} AND b.status = 'completed' AND b.attempts = 1
            AND s.stage <> 'publish'
          GROUP BY b.image_id, b.finished_at, b.queued_at) each`;
  return row && row.images > 0 ? (row as StageSums) : null;
}

const withoutCpu = (values: number[]): StageSummary | null => {
  const summary = summarise(values);
  return summary && { ...summary, cpuMsPerImage: null, histogram: histogramOf(values) };
};

/** Stages that only the harness sees: the upload request, the way from the committed row to the subscriber outside, the settling page. */
export function harnessStages(rows: readonly LedgerRow[], settleMs: number | null): Record<string, StageSummary> {
  const arrival = rows.flatMap(({ items }) => {
    const { finishedAtMs, outside } = items[0] ?? {};
    return finishedAtMs && outside?.atMs ? [Math.max(0, outside.atMs - finishedAtMs)] : [];
  });
  const stages = {
    uploadRequest: withoutCpu(rows.map(({ uploadRequestMs }) => uploadRequestMs)),
    arrival: withoutCpu(arrival),
    settle: settleMs === null ? null : withoutCpu([settleMs]),
  };
  return Object.fromEntries(Object.entries(stages).flatMap(([name, summary]) => (summary ? [[name, summary]] : [])));
}
