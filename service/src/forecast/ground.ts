import { firstIdAt } from '../batches/uuid.ts';
import type { Owner } from '../tenants/owner.ts';
import { MAX_PAST, MIN_MEASURED, type Ground, type Measured, type Past } from './predict.ts';

/** Older batches say little of the machine and the images of today. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
const OWN_IMAGES = 200;
const OTHER_BATCHES = 20;
const IMAGES_EACH = 20;
/** A batch of which more than this share failed says nothing of how long images take. */
const FAILED_MAX = 0.1;

export interface Model {
  name: string;
  version: string;
}
/** The lowest id of what is remembered. */
export const since = (): string => firstIdAt(Date.now() - REMEMBERED_MS);

const measured = (sql: Owner['sql']) =>
  sql`r.image_width::float8 * r.image_height AS px, r.processing_ms::float8 AS ms, octet_length(r.polygons)::float8 AS bytes`;

/** The newest images of a project that this model segmented: what most resembles the others there. */
const ofProject = ({ sql, tenantId }: Owner, projectId: string, model: Model) => sql<Measured[]>`
  SELECT ${measured(sql)}
  FROM (
    SELECT result_id FROM images WHERE project_id = ${projectId} AND status = 'completed'
    ORDER BY created_at DESC, id DESC LIMIT ${OWN_IMAGES}
  ) i JOIN results r ON r.id = i.result_id AND r.tenant_id = ${tenantId} AND r.model = ${model.name} AND r.model_version = ${model.version}`;

const ofTenant = ({ sql, tenantId }: Owner, model: Model) => sql<Measured[]>`
  WITH recent AS (
    SELECT b.id FROM batches b JOIN projects p ON p.id = b.project_id AND p.tenant_id = ${tenantId}
    WHERE b.id >= ${since()}::uuid AND b.status = 'completed' AND b.model = ${model.name} AND b.model_version = ${model.version}
    ORDER BY b.id DESC LIMIT ${OTHER_BATCHES}
  )
  SELECT ${measured(sql)}
  FROM recent CROSS JOIN LATERAL (
    SELECT result_id FROM batch_items WHERE batch_id = recent.id AND status = 'completed' AND worker IS NOT NULL LIMIT ${IMAGES_EACH}
  ) i JOIN results r ON r.id = i.result_id`;

const readPast = ({ sql, tenantId }: Owner, model: Model) => sql<Past[]>`
  SELECT (b.forecast ->> 'workSeconds')::float8 AS "workSeconds", (b.forecast ->> 'workers')::float8 AS workers,
         (b.forecast ->> 'imageMs')::float8 AS "imageMs", extract(epoch FROM b.finished_at - b.created_at)::float8 AS "tookSeconds"
  FROM batches b JOIN projects p ON p.id = b.project_id AND p.tenant_id = ${tenantId}
  WHERE b.id >= ${since()}::uuid AND b.status = 'completed' AND b.forecast IS NOT NULL AND b.resumed_at IS NULL
    AND b.failed <= ${FAILED_MAX}::float8 * b.total AND b.model = ${model.name} AND b.model_version = ${model.version}
  ORDER BY b.id DESC LIMIT ${MAX_PAST}`;

/** What a forecast for a project stands on: its own images where there are enough, else the tenant's of the last month. */
export async function readGround(owner: Owner, projectId: string, model: Model): Promise<Ground> {
  const [own, past] = await Promise.all([ofProject(owner, projectId, model), readPast(owner, model)]);
  const ownProject = own.length >= MIN_MEASURED;
  return { measured: ownProject ? own : await ofTenant(owner, model), ownProject, past };
}
