import type { NowBatch, NowReply } from '../contract/now.ts';
import type { Sql } from '../database/client.ts';
import type { Owner } from '../tenants/owner.ts';
import { readBatches } from './read.ts';
import { firstIdAt } from './uuid.ts';

/** More open batches than this are counted and not listed. */
const OPEN_MAX = 100;
const ENDED_MAX = 20;
const ENDED_MS = 24 * 3_600_000;
const FINISHED_SECONDS = 60;
/** Stages are those of the images that ended in these last seconds, the latest of them. */
const STAGE_SECONDS = 5;
const STAGE_IMAGES = 64;
/** Events that wait are looked at up to here: a backlog of others must not make this slow. */
const OUTBOX_LOOK = 1_000;

const isOpen = ({ status }: NowBatch): boolean => ['queued', 'running', 'paused'].includes(status);

type Reading = Omit<NowReply, 'timestamp' | 'queue'>;

async function batchIds({ sql, tenantId }: Owner, nowMs: number) {
  const rows = await sql<{ id: string; name: string; open: boolean; all: number }[]>`
    (SELECT b.id, p.name, true AS open, count(*) OVER ()::int AS "all"
     FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
     WHERE b.status IN ('queued', 'running', 'paused') ORDER BY b.created_at, b.id LIMIT ${OPEN_MAX})
    UNION ALL
    (SELECT b.id, p.name, false, 0
     FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
     WHERE b.id >= ${firstIdAt(nowMs - ENDED_MS)}::uuid AND b.status IN ('completed', 'cancelled')
     ORDER BY b.id DESC LIMIT ${ENDED_MAX})`;
  return rows;
}

const readFinished = (sql: Sql, ids: readonly string[]) => sql<{ second: number; done: number }[]>`
  SELECT second::float8 AS second, sum(done)::int AS done FROM batch_progress
  WHERE batch_id = ANY(${[...ids]}::uuid[]) AND second >= floor(extract(epoch FROM now())) - ${FINISHED_SECONDS}::int
    AND second < floor(extract(epoch FROM now()))
  GROUP BY 1 ORDER BY 1`;

interface StageRow {
  images: number;
  waitMs: number;
  runMs: number;
  runP95Ms: number;
  publishMs: number;
  longestMs: number;
}
/** An image that was tried again has each stage of each try. */
async function readStages(sql: Sql, ids: readonly string[]): Promise<StageRow | null> {
  const [row] = await sql<StageRow[]>`
    WITH ended AS (
      SELECT t.batch_id, t.image_id FROM unnest(${[...ids]}::uuid[]) AS b (id) CROSS JOIN LATERAL (
        SELECT i.batch_id, i.image_id, i.finished_at FROM batch_items i
        WHERE i.batch_id = b.id AND i.status IN ('completed', 'failed') AND i.worker IS NOT NULL
          AND i.finished_at > now() - ${STAGE_SECONDS}::int * interval '1 second'
        ORDER BY i.finished_at DESC LIMIT ${STAGE_IMAGES}
      ) t ORDER BY t.finished_at DESC LIMIT ${STAGE_IMAGES}
    ), each AS (
      SELECT coalesce(sum(s.duration_ms) FILTER (WHERE s.stage = 'wait'), 0) AS wait,
             coalesce(sum(s.duration_ms) FILTER (WHERE s.stage IN ('decode', 'normalise', 'infer', 'polygons', 'encode')), 0) AS run,
             coalesce(sum(s.duration_ms) FILTER (WHERE s.stage IN ('save', 'publish')), 0) AS publish,
             coalesce(max(s.duration_ms) FILTER (WHERE s.stage = 'publish'), 0) AS told
      FROM ended e JOIN image_stages s ON s.image_id = e.image_id AND s.batch_id = e.batch_id
      GROUP BY e.batch_id, e.image_id
    )
    SELECT count(*)::int AS images, avg(wait)::float8 AS "waitMs", avg(run)::float8 AS "runMs",
           percentile_cont(0.95) WITHIN GROUP (ORDER BY run)::float8 AS "runP95Ms", avg(publish)::float8 AS "publishMs",
           max(told)::float8 AS "longestMs"
    FROM each`;
  return row === undefined || row.images === 0 ? null : row;
}

/** Age of the oldest event that is not numbered yet; 0 for none. */
async function readWaiting({ sql, tenantId }: Owner): Promise<number> {
  const [row] = await sql<{ ageMs: number | null }[]>`
    SELECT extract(epoch FROM clock_timestamp() - min(o.created_at))::float8 * 1000 AS "ageMs"
    FROM (SELECT project_id, created_at FROM event_outbox ORDER BY id LIMIT ${OUTBOX_LOOK}) o
      JOIN projects p ON p.id = o.project_id AND p.tenant_id = ${tenantId}`;
  return Math.max(0, row?.ageMs ?? 0);
}

/** What happens now with a tenant's batches. Costs the same whatever the tables hold: each part goes by an index to what is recent. */
export async function readNow(owner: Owner, nowMs: number = Date.now()): Promise<Reading> {
  const rows = await batchIds(owner, nowMs);
  const ids = rows.map(({ id }) => id);
  const [found, finished, stages, waitingMs] = await Promise.all([
    readBatches(owner, ids),
    readFinished(owner.sql, ids),
    readStages(owner.sql, ids),
    readWaiting(owner),
  ]);
  const byId = new Map(found.map((batch) => [batch.id, batch]));
  const batches = rows.flatMap(({ id, name }) => {
    const batch = byId.get(id);
    return batch ? [{ ...batch, projectName: name }] : [];
  });
  const open = rows.filter((row) => row.open);
  const { longestMs = 0, ...means } = stages ?? {};
  return {
    finished: [...finished],
    stages: stages === null ? null : (means as Omit<StageRow, 'longestMs'>),
    eventLagMs: Math.max(longestMs, waitingMs),
    // what ended since the ids were read is open no more
    openBatches: Math.max(0, (open[0]?.all ?? 0) - open.length) + batches.filter(isOpen).length,
    batches,
  };
}
