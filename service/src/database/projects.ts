import { randomUUID } from 'node:crypto';
import type { Project, ProjectBody } from '#contract/images.ts';
import type { Cache } from '../cache.ts';
import { withRetry } from '../batches/locks.ts';
import { badValue, notFound } from '../errors.ts';
import type { Owner } from '../tenants/owner.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { namesOf } from './images.ts';

/** Version key of what spans a tenant's projects: the list of them. */
export const allProjectsOf = (tenantId: string): string => `*${tenantId}`;
const ORDER = { list: 'projects', sort: 'createdAt' };

/** A project with what only some want to know. */
export interface ProjectFacts extends Project {
  /** Name of the key that created it; null where nobody knows. */
  createdBy: string | null;
  /** Images that are completed. */
  segmentedImages: number;
}

export function createProjectStore({ sql, cache, tenantId }: Owner & { cache: Cache }) {
  const allProjects = allProjectsOf(tenantId);
  const alive = sql`deleted_at is null and tenant_id = ${tenantId}`;
  const columns = sql`p.id, p.name, p.pixel_size_um as "pixelSizeUm",
    (select coalesce(sum(c.n), 0)::bigint from image_counts c where c.project_id = p.id) as "imageCount",
    to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"`;

  async function load(id: string): Promise<Project | null> {
    const [row] = await sql<Project[]>`select ${columns} from projects p where id = ${id} and ${alive}`;
    return row ?? null;
  }
  const changed = async (id: string) => {
    await Promise.all([cache.bump(id), cache.bump(namesOf(id)), cache.bump(allProjects)]);
  };
  const get = (id: string): Promise<Project | null> =>
    cache.wrap({ kind: 'project', projectId: id, key: 'one' }, () => load(id));

  async function loadPage(limit: number, offset: number, cursor: string | undefined) {
    const at = cursor === undefined ? null : decodeCursor(cursor, ORDER);
    const [rows, [counted]] = await Promise.all([
      sql<Project[]>`
        select ${columns} from projects p
        where ${alive} ${at ? sql`and (created_at, id) > (${String(at.value)}::text::timestamptz, ${at.id})` : sql``}
        order by created_at, id limit ${limit + 1} offset ${offset}`,
      sql<{ total: number }[]>`select count(*) as total from projects where ${alive}`,
    ]);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const more = rows.length > limit && last !== undefined;
    const nextCursor = more ? encodeCursor({ ...ORDER, value: last.createdAt, id: last.id }) : null;
    return { items, total: counted?.total ?? 0, limit, offset, nextCursor };
  }

  return {
    get,
    /** Those of the given projects that there are, in no order, past the cache. */
    many(ids: readonly string[]): Promise<ProjectFacts[]> {
      return sql<ProjectFacts[]>`
        select ${columns}, p.created_by as "createdBy",
          (select coalesce(sum(c.n), 0)::bigint from image_counts c where c.project_id = p.id and c.status = 'completed') as "segmentedImages"
        from projects p where p.id = any(${[...ids]}::uuid[]) and ${alive}`;
    },
    /** @throws ApiError NOT_FOUND */
    async need(id: string): Promise<Project> {
      const project = await get(id);
      if (!project) throw notFound('project', id);
      return project;
    },
    /** Call after images were added or removed. */
    changed,
    /** `createdBy` is the name of the key that asked. */
    async create({ name, pixelSizeUm = null }: ProjectBody, createdBy: string): Promise<Project> {
      const id = randomUUID();
      await sql`
        insert into projects (id, tenant_id, name, pixel_size_um, created_by)
        values (${id}, ${tenantId}, ${name}, ${pixelSizeUm}, ${createdBy})`;
      await cache.bump(allProjects);
      return (await load(id))!;
    },
    list(limit: number, offset: number, cursor: string | undefined) {
      if (cursor !== undefined && offset > 0) throw badValue('offset', offset, 'nothing or 0 together with cursor');
      const key = JSON.stringify([limit, offset, cursor]);
      const at = { kind: 'projects', projectId: allProjects, key };
      return cache.wrap(at, () => loadPage(limit, offset, cursor));
    },
    async update(id: string, change: Partial<ProjectBody>): Promise<Project> {
      const [row] = await sql`
        update projects set
          name = coalesce(${change.name ?? null}, name),
          pixel_size_um = ${change.pixelSizeUm === undefined ? sql`pixel_size_um` : change.pixelSizeUm}
        where id = ${id} and ${alive} returning id`;
      if (!row) throw notFound('project', id);
      await changed(id);
      return (await load(id))!;
    },
    /**
     * From here on nobody finds the project or anything in it, and nothing of it is worked on. What it holds is removed in the
     * background, see `deletion/purge.ts`.
     */
    async remove(id: string): Promise<{ name: string; imageCount: number }> {
      const removed = await withRetry(() =>
        sql.begin(async (tx) => {
          // Waits for uploads and new batches, which hold the row until they commit.
          const [row] = await tx<{ name: string; imageCount: number }[]>`
            select p.name, (select coalesce(sum(c.n), 0)::bigint from image_counts c where c.project_id = p.id) as "imageCount"
            from projects p where id = ${id} and ${alive} for update of p`;
          if (!row) throw notFound('project', id);
          await tx`update projects set deleted_at = clock_timestamp() where id = ${id}`;
          await tx`
            update batches set status = 'cancelled', paused_reason = null, finished_at = clock_timestamp(),
              cancelled = cancelled + queued + processing, queued = 0, processing = 0
            where project_id = ${id} and status in ('queued', 'running', 'paused')`;
          return row;
        }),
      );
      await changed(id);
      return removed;
    },
  };
}
export type ProjectStore = ReturnType<typeof createProjectStore>;
