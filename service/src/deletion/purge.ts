import { withRetry } from '../batches/locks.ts';
import type { Sql } from '../database/client.ts';
import type { Storage } from '../storage.ts';

/** No statement, each a transaction of its own, removes more rows than this. */
const STEP_ROWS = 5_000;
const IMAGES = 200;
const BATCHES = 50;

export interface PurgeDeps {
  sql: Sql;
  storage: Pick<Storage, 'discard' | 'exportPath'>;
  stepRows?: number;
}
/** Tables that name their owner, and how. */
const OWNED = {
  image_stages: 'image_id',
  batch_items: 'image_id',
  job_outbox: 'batch_id',
  batch_progress: 'batch_id',
  event_log: 'project_id',
} as const;

/**
 * Removes a bounded part of the oldest deleted project. What is left in the tables says where to go on, so it may be killed at any
 * moment, and two of it at once only do each other's work.
 * @returns false when no deleted project is left.
 */
export async function purgeStep({ sql, storage, stepRows = STEP_ROWS }: PurgeDeps): Promise<boolean> {
  const [project] = await sql<{ id: string }[]>`
    select id from projects where deleted_at is not null order by deleted_at limit 1`;
  if (!project) return false;

  /** False while there may be more rows of these owners. */
  async function emptied(table: keyof typeof OWNED, owners: readonly string[]): Promise<boolean> {
    const { count } = await withRetry(
      async () =>
        await sql`
        delete from ${sql(table)} where ctid = any(array(
          select ctid from ${sql(table)} where ${sql(OWNED[table])} = any(${[...owners]}::uuid[]) limit ${stepRows}))`,
    );
    return count < stepRows;
  }

  const images = await sql<{ id: string }[]>`select id from images where project_id = ${project.id} limit ${IMAGES}`;
  if (images.length > 0) {
    const ids = images.map(({ id }) => id);
    if ((await emptied('image_stages', ids)) && (await emptied('batch_items', ids)))
      await withRetry(async () => await sql`delete from images where id = any(${ids}::uuid[])`);
    return true;
  }
  const exports = await sql<{ id: string }[]>`
    select e.id from exports e join batches b on b.id = e.batch_id where b.project_id = ${project.id} limit ${BATCHES}`;
  if (exports.length > 0) {
    // Files first: without its row nothing would lead to a file any more.
    for (const { id } of exports) await storage.discard(storage.exportPath(id));
    await sql`delete from exports where id = any(${exports.map(({ id }) => id)}::uuid[])`;
    return true;
  }
  const batches = await sql<{ id: string }[]>`select id from batches where project_id = ${project.id} limit ${BATCHES}`;
  if (batches.length > 0) {
    const ids = batches.map(({ id }) => id);
    if ((await emptied('job_outbox', ids)) && (await emptied('batch_progress', ids)))
      await withRetry(async () => await sql`delete from batches where id = any(${ids}::uuid[])`);
    return true;
  }
  if (await emptied('event_log', [project.id])) await removeProject(sql, project.id);
  return true;
}

async function removeProject(sql: Sql, id: string): Promise<void> {
  await sql.begin(async (tx) => {
    const [row] = await tx<{ name: string; tenantId: string }[]>`
      delete from projects where id = ${id} and deleted_at is not null returning name, tenant_id as "tenantId"`;
    if (!row) return;
    await tx`delete from image_counts where project_id = ${id}`;
    await tx`
      insert into audit (tenant_id, key_name, action, target_type, target_id, detail)
      values (${row.tenantId}, 'service', 'PURGE', 'projects', ${id}, ${tx.json({ name: row.name })})`;
  });
}
