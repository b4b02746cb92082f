import type { Image } from '#contract/images.ts';
import type { FailureCode, ImageStatus } from '#contract/common.ts';
import { FAILURE_CODES } from '#contract/common.ts';
import type { Cache } from '../cache.ts';
import { badValue } from '../errors.ts';
import type { Sql } from './client.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

export const IMAGE_SORTS = ['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'] as const;
export type ImageSort = (typeof IMAGE_SORTS)[number];

export interface ImageRow extends Omit<Image, 'error'> {
  errorCode: FailureCode | null;
  errorMessage: string | null;
}
export interface ImageListQuery {
  projectId: string;
  statuses: readonly ImageStatus[];
  q?: string;
  sort: ImageSort;
  limit: number;
  offset: number;
  cursor?: string;
}
export interface ImagePage {
  items: Image[];
  total: number;
  nextCursor: string | null;
}

export function toImage({ errorCode, errorMessage, ...row }: ImageRow): Image {
  const error =
    errorCode === null
      ? null
      : { code: errorCode, message: errorMessage ?? '', retryable: FAILURE_CODES[errorCode]?.retryable ?? true };
  return { ...row, error };
}

/** Remembers which project an image belongs to, which never changes; an image that is gone is found gone under its version. */
const OWNERS_MAX = 200_000;
const TTL_SECONDS = 60;

export function createImageStore({ sql, cache }: { sql: Sql; cache: Cache }) {
  const owners = new Map<string, string>();
  const own = (imageId: string, projectId: string) => {
    if (owners.size >= OWNERS_MAX) owners.clear();
    owners.set(imageId, projectId);
  };

  /** Microseconds stay in `createdAt`, because cursors compare it. */
  const columns = sql`
    i.id, i.project_id as "projectId", i.name, i.relative_path as "relativePath", b.width, b.height, b.channels, b.pages,
    b.size_bytes as "sizeBytes", encode(i.sha256, 'hex') as sha256, b.mime_type as "mimeType", i.status,
    to_char(i.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
    i.polygon_count as "polygonCount", i.batch_id as "batchId", i.error_code as "errorCode",
    i.error_message as "errorMessage"`;
  const table = sql`images i join blobs b on b.sha256 = i.sha256 join projects p on p.id = i.project_id and p.deleted_at is null`;

  async function load(id: string): Promise<Image | null> {
    const [row] = await sql<ImageRow[]>`select ${columns} from ${table} where i.id = ${id}`;
    return row ? toImage(row) : null;
  }

  function after(sort: ImageSort, text: string) {
    const cursor = decodeCursor(text, sort);
    const { value, id } = cursor;
    switch (sort) {
      case 'name':
        return sql`and (i.name, i.id) > (${String(value)}, ${id})`;
      case '-name':
        return sql`and (i.name, i.id) < (${String(value)}, ${id})`;
      case 'createdAt':
        return sql`and (i.created_at, i.id) > (${String(value)}::text::timestamptz, ${id})`;
      case '-createdAt':
        return sql`and (i.created_at, i.id) < (${String(value)}::text::timestamptz, ${id})`;
      case 'polygonCount':
        return value === null
          ? sql`and i.polygon_count is null and i.id > ${id}`
          : sql`and ((i.polygon_count, i.id) > (${Number(value)}, ${id}) or i.polygon_count is null)`;
      case '-polygonCount':
        return value === null
          ? sql`and i.polygon_count is null and i.id < ${id}`
          : sql`and ((i.polygon_count, i.id) < (${Number(value)}, ${id}) or i.polygon_count is null)`;
    }
  }
  /** Images without a count come last, whichever way. */
  const ORDERS: Record<ImageSort, ReturnType<Sql>> = {
    name: sql`i.name, i.id`,
    '-name': sql`i.name desc, i.id desc`,
    createdAt: sql`i.created_at, i.id`,
    '-createdAt': sql`i.created_at desc, i.id desc`,
    polygonCount: sql`i.polygon_count, i.id`,
    '-polygonCount': sql`i.polygon_count desc nulls last, i.id desc`,
  };

  const cursorValue = (sort: ImageSort, image: Image) => {
    if (sort.endsWith('name')) return image.name;
    return sort.endsWith('createdAt') ? image.createdAt : image.polygonCount;
  };

  async function loadPage(query: ImageListQuery): Promise<ImagePage> {
    const pattern = query.q ? `%${query.q.replace(/[\\%_]/g, '\\$&')}%` : null;
    const filter = sql`
      i.project_id = ${query.projectId}
      ${query.statuses.length > 0 ? sql`and i.status in ${sql([...query.statuses])}` : sql``}
      ${pattern === null ? sql`` : sql`and i.name ilike ${pattern}`}`;
    const [rows, [counted]] = await Promise.all([
      sql<ImageRow[]>`
        select ${columns} from ${table}
        where ${filter} ${query.cursor === undefined ? sql`` : after(query.sort, query.cursor)}
        order by ${ORDERS[query.sort]} limit ${query.limit + 1} offset ${query.offset}`,
      sql<{ total: number }[]>`select count(*) as total from images i where ${filter}`,
    ]);
    const items = rows.slice(0, query.limit).map(toImage);
    const last = items.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return {
      items,
      total: counted?.total ?? 0,
      nextCursor: more ? encodeCursor({ sort: query.sort, value: cursorValue(query.sort, last), id: last.id }) : null,
    };
  }

  return {
    /** The image, or null when it is unknown or its project was deleted. Cached; true to the last `cache.bump` of its project. */
    async get(id: string): Promise<Image | null> {
      const projectId = owners.get(id);
      if (projectId !== undefined)
        return cache.wrap({ kind: 'image', projectId, key: id, ttlSeconds: TTL_SECONDS }, () => load(id));
      const [row] = await sql<{ projectId: string }[]>`select project_id as "projectId" from images where id = ${id}`;
      if (!row) return null;
      own(id, row.projectId);
      return cache.wrap({ kind: 'image', projectId: row.projectId, key: id, ttlSeconds: TTL_SECONDS }, () => load(id));
    },
    /** Called for new images, so that their first read needs one query less. */
    own,
    list(query: ImageListQuery): Promise<ImagePage> {
      if (query.cursor !== undefined && query.offset > 0)
        throw badValue('offset', query.offset, 'nothing or 0 together with cursor');
      if (query.cursor !== undefined) decodeCursor(query.cursor, query.sort);
      const { projectId, statuses, ...rest } = query;
      const key = JSON.stringify([[...statuses].sort(), rest]);
      return cache.wrap({ kind: 'list', projectId, key, ttlSeconds: TTL_SECONDS }, () => loadPage(query));
    },
    /**
     * Removes the row and takes the image out of the counters of its batches, in one transaction.
     * @returns its project, or null when there was no such image.
     */
    async remove(id: string): Promise<string | null> {
      const projectId = await sql.begin(async (tx) => {
        const batches = await tx<{ id: string }[]>`
          select b.id from batches b join batch_items bi on bi.batch_id = b.id where bi.image_id = ${id} order by b.id for update of b`;
        const [image] = await tx<
          { projectId: string }[]
        >`select project_id as "projectId" from images where id = ${id} for update`;
        if (!image) return null;
        const items = await tx<{ batchId: string; status: string }[]>`
          delete from batch_items where image_id = ${id} returning batch_id as "batchId", status`;
        for (const { batchId, status } of items)
          await tx`update batches set total = total - 1, ${tx(status)} = ${tx(status)} - 1 where id = ${batchId}`;
        if (items.length > 0) {
          await tx`update batches set status = 'completed', finished_at = now()
            where id in ${tx(batches.map((batch) => batch.id))} and status in ('queued', 'running') and queued + processing = 0`;
          await tx`insert into event_outbox (project_id, batch_id)
            select ${image.projectId}::uuid, id from batches where id in ${tx(batches.map((batch) => batch.id))}`;
        }
        await tx`delete from job_outbox where image_id = ${id}`;
        await tx`delete from event_outbox where image_id = ${id}`;
        await tx`delete from images where id = ${id}`;
        return image.projectId;
      });
      if (projectId !== null) await cache.bump(projectId);
      return projectId;
    },
  };
}
export type ImageStore = ReturnType<typeof createImageStore>;
