import { parametersText, type SegmentationParameters } from '../batches/parameters.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Model } from './ground.ts';
import type { Demand, Waiting } from './predict.ts';

/** Of a whole project about this many are looked at, by a hash of their ids: the others are taken to be like them. */
const LOOKED_AT = 5_000;

/** What is to be segmented; `imageIds` null means every image of the project. */
export interface Wish extends SegmentationParameters {
  projectId: string;
  imageIds: readonly string[] | null;
  model: Model;
  /** True: stored results answer nothing. */
  force: boolean;
}

interface Row {
  all: number;
  looked: number;
  reused: number;
  mean: number | null;
  min: number | null;
  max: number | null;
}

async function readImages({ sql, tenantId }: Owner, wish: Wish): Promise<Row> {
  const { projectId, imageIds, model } = wish;
  const counted = sql`(
    SELECT coalesce(sum(c.n), 0)::int FROM image_counts c JOIN projects o ON o.id = c.project_id AND o.deleted_at IS NULL AND o.tenant_id = ${tenantId}
    WHERE c.project_id = ${projectId}
  )`;
  const all = imageIds === null ? counted : sql`count(i.id)::int`;
  const chosen =
    imageIds === null
      ? sql`uuid_hash(i.id) % greatest(1, ${counted} / ${LOOKED_AT}::int) = 0`
      : sql`i.id = ANY(${[...imageIds]}::uuid[])`;
  const [row] = await sql<Row[]>`
    SELECT ${all} AS all, count(i.id)::int AS looked, count(r.id)::int AS reused,
           avg(px) FILTER (WHERE r.id IS NULL) AS mean, min(px) FILTER (WHERE r.id IS NULL) AS min, max(px) FILTER (WHERE r.id IS NULL) AS max
    FROM images i JOIN projects p ON p.id = i.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
      JOIN blobs b ON b.sha256 = i.sha256 CROSS JOIN LATERAL (SELECT b.width::float8 * b.height AS px) size
      LEFT JOIN results r ON NOT ${wish.force}::boolean AND r.sha256 = i.sha256 AND r.model = ${model.name}
        AND r.model_version = ${model.version} AND r.parameters = ${parametersText(wish)} AND r.tenant_id = ${tenantId}
    WHERE i.project_id = ${projectId} AND ${chosen}`;
  return row!;
}

/** Images of open batches by project, and the mean of what one was reckoned to take; a paused batch takes no turn. */
const readAhead = ({ sql, tenantId }: Owner) => sql<(Waiting & { projectId: string })[]>`
  SELECT b.project_id AS "projectId", sum(b.queued + b.processing)::int AS images,
         sum((b.queued + b.processing) * (b.forecast ->> 'imageMs')::float8)
           / nullif(sum(b.queued + b.processing) FILTER (WHERE b.forecast ->> 'imageMs' IS NOT NULL), 0) AS "imageMs"
  FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
  WHERE b.status IN ('queued', 'running') GROUP BY 1`;

/** What workers must do for a wish, and `reused`: how many of its `images` stored results answer. */
export async function readDemand(
  owner: Owner,
  wish: Wish,
): Promise<{ images: number; reused: number; demand: Demand }> {
  const [row, ahead] = await Promise.all([readImages(owner, wish), readAhead(owner)]);
  const reused = row.looked === 0 ? 0 : Math.round((row.all * row.reused) / row.looked);
  const own = ahead.find(({ projectId }) => projectId === wish.projectId);
  return {
    images: row.all,
    reused,
    demand: {
      images: row.all - reused,
      px: { mean: row.mean ?? 0, min: row.min ?? 0, max: row.max ?? 0 },
      ahead: { own: own ?? { images: 0, imageMs: null }, others: ahead.filter((one) => one !== own) },
    },
  };
}
