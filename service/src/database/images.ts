import type postgres from 'postgres';
import type { Image } from '#contract/images.ts';
import type { FailureCode, ImageStatus } from '#contract/common.ts';
import { FAILURE_CODES } from '#contract/common.ts';
import type { Cache } from '../cache.ts';
import { withRetry } from '../batches/locks.ts';
import { badValue } from '../errors.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Sql } from './client.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { removeImage } from './remove-image.ts';

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

/** What a name must be like to have `q` in it, for `ilike`; null for any. */
export const patternOf = (q: string | undefined): string | null => (q ? `%${q.replace(/[\\%_]/g, '\\$&')}%` : null);

export function toImage({ errorCode, errorMessage, ...row }: ImageRow): Image {
  const error =
    errorCode === null
      ? null
      : { code: errorCode, message: errorMessage ?? '', retryable: FAILURE_CODES[errorCode]?.retryable ?? true };
  return { ...row, error };
}

/** Remembers which project an image belongs to, which never changes; an image that is gone is found gone under its version. About 10 MB a tenant. */
const OWNERS_MAX = 50_000;
type Fragment = postgres.PendingQuery<postgres.Row[]>;

/**
 * A search that finds no more than these is read whole and sorted. PostgreSQL knows neither how many names a pattern meets (it guesses by
 * a hundred of them) nor where they stand, and may walk a whole project for a page. Above, walking the order is the shorter way.
 */
const SORTED_WHOLE = 100_000;
/** In it the index of trigrams finds what is searched; without one, reading whole would be reading all. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u;

/** Of images named `i`. Images without a count come last, whichever way. */
export const ordersOf = (sql: Sql): Record<ImageSort, Fragment> => ({
  name: sql`i.name, i.id`,
  '-name': sql`i.name desc, i.id desc`,
  createdAt: sql`i.created_at, i.id`,
  '-createdAt': sql`i.created_at desc, i.id desc`,
  polygonCount: sql`i.polygon_count, i.id`,
  '-polygonCount': sql`i.polygon_count desc nulls last, i.id desc`,
});

const orderOf = ({ projectId, sort }: ImageListQuery) => ({ list: `images of ${projectId}`, sort });

/** Version key of what depends on which images there are and how they are called, and not on their status. */
export const namesOf = (projectId: string): string => `names:${projectId}`;

export function createImageStore({ sql, cache, tenantId }: Owner & { cache: Cache }) {
  const owners = new Map<string, string>();
  const own = (imageId: string, projectId: string) => {
    if (owners.size >= OWNERS_MAX) owners.clear();
    owners.set(imageId, projectId);
  };

  const ofProject = sql`join projects p on p.id = i.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}`;
  /** Microseconds stay in `createdAt`, because cursors compare it. */
  const columns = sql`
    i.id, i.project_id as "projectId", i.name, i.relative_path as "relativePath", i.width, i.height, i.channels, i.pages,
    i.size_bytes as "sizeBytes", encode(i.sha256, 'hex') as sha256, i.mime_type as "mimeType", i.status,
    to_char(i.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
    i.polygon_count as "polygonCount", i.batch_id as "batchId", i.error_code as "errorCode",
    i.error_message as "errorMessage"`;

  async function load(id: string): Promise<Image | null> {
    const [row] = await sql<ImageRow[]>`
      select ${columns} from image_files_of_tenant i ${ofProject} where i.id = ${id}`;
    return row ? toImage(row) : null;
  }

  function after(query: ImageListQuery, text: string) {
    const { value, id } = decodeCursor(text, orderOf(query));
    switch (query.sort) {
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
          : sql`and (i.polygon_count, i.id) > (${Number(value)}, ${id})`;
      case '-polygonCount':
        return value === null
          ? sql`and i.polygon_count is null and i.id < ${id}`
          : sql`and (i.polygon_count, i.id) < (${Number(value)}, ${id})`;
    }
  }
  const ORDERS = ordersOf(sql);

  const cursorValue = (sort: ImageSort, image: Image) => {
    if (sort.endsWith('name')) return image.name;
    return sort.endsWith('createdAt') ? image.createdAt : image.polygonCount;
  };

  function filterOf(query: ImageListQuery): Fragment {
    const pattern = patternOf(query.q);
    return sql`
      i.project_id = ${query.projectId}
      ${query.statuses.length > 0 ? sql`and i.status in ${sql([...query.statuses])}` : sql``}
      ${pattern === null ? sql`` : sql`and i.name ilike ${pattern}`}`;
  }

  const countOf = async (query: ImageListQuery): Promise<number> => {
    const [row] = await sql<{ total: number }[]>`
      select count(*) as total from images_of_tenant i where ${filterOf(query)}`;
    return row?.total ?? 0;
  };

  /** How many images a search finds, of any status: counted once per set of names. Null where nothing is searched. */
  const countFound = async ({ q, ...query }: ImageListQuery): Promise<number | null> =>
    q
      ? cache.wrap({ kind: 'total', projectId: namesOf(query.projectId), key: q }, () =>
          countOf({ ...query, q, statuses: [] }),
        )
      : null;

  /** The same before the page is read, where it decides how; else null. */
  const countFirst = async (query: ImageListQuery): Promise<number | null> =>
    TRIGRAM.test(query.q ?? '') ? countFound(query) : null;

  /** Rows in order; ids are picked from an index alone, so that a deep offset walks the index and not the table. */
  const readRows = (query: ImageListQuery, few: boolean, from: Fragment, limit: number) => {
    const images = few
      ? sql`(select i.id, i.name, i.created_at, i.polygon_count from images_of_tenant i where ${filterOf(query)} offset 0) i where true`
      : sql`images_of_tenant i where ${filterOf(query)}`;
    return sql<ImageRow[]>`
      select ${columns}
      from (
        select i.id from ${images} ${from} order by ${ORDERS[query.sort]} limit ${limit} offset ${query.offset}
      ) page join image_files_of_tenant i on i.id = page.id ${ofProject}
      order by ${ORDERS[query.sort]}`;
  };

  /** One row more than the page has. */
  async function readPage(query: ImageListQuery, found: number | null): Promise<ImageRow[]> {
    const wanted = query.limit + 1;
    const few = found !== null && found <= SORTED_WHOLE;
    if (query.cursor === undefined) return readRows(query, few, sql``, wanted);
    const rows = await readRows(query, few, after(query, query.cursor), wanted);
    const counted = query.sort.endsWith('polygonCount') && decodeCursor(query.cursor, orderOf(query)).value !== null;
    if (!counted || rows.length === wanted) return rows;
    // "Greater, or null" is no range of an index; two ranges are.
    return [...rows, ...(await readRows(query, few, sql`and i.polygon_count is null`, wanted - rows.length))];
  }

  /** Kept sums, so that a list does not count its project anew each time. */
  async function loadTotal(query: ImageListQuery, found?: number | null): Promise<number> {
    const { projectId, statuses, q } = query;
    if (q && statuses.length > 0) return countOf(query);
    const total = found ?? (await countFound(query));
    if (total !== null) return total;
    const [row] = await sql<{ total: number }[]>`
      select coalesce(sum(n), 0)::bigint as total from image_counts
      where project_id = ${projectId} ${statuses.length > 0 ? sql`and status in ${sql([...statuses])}` : sql``}`;
    return row?.total ?? 0;
  }

  async function loadItems(query: ImageListQuery, found?: number | null): Promise<Omit<ImagePage, 'total'>> {
    const rows = await readPage(query, found ?? (await countFirst(query)));
    const items = rows.slice(0, query.limit).map(toImage);
    const last = items.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return {
      items,
      nextCursor: more ? encodeCursor({ ...orderOf(query), value: cursorValue(query.sort, last), id: last.id }) : null,
    };
  }

  async function loadPage(query: ImageListQuery): Promise<ImagePage> {
    const found = await countFirst(query);
    const page = await loadItems(query, found);
    const { length } = page.items;
    // The last page of a list without a cursor says itself how long the list is.
    const isLast = query.cursor === undefined && page.nextCursor === null && (length > 0 || query.offset === 0);
    return { ...page, total: isLast ? query.offset + length : await loadTotal(query, found) };
  }

  /** One entry of the cache for each part of a list that somebody asked for. */
  function cachedList<T>(part: string, query: ImageListQuery, load: (query: ImageListQuery) => Promise<T>): Promise<T> {
    if (query.cursor !== undefined && query.offset > 0)
      throw badValue('offset', query.offset, 'nothing or 0 together with cursor');
    if (query.cursor !== undefined) decodeCursor(query.cursor, orderOf(query));
    const { projectId, statuses, ...rest } = query;
    const key = JSON.stringify([part, [...statuses].sort(), rest]);
    return cache.wrap({ kind: 'list', projectId, key }, () => load(query));
  }

  return {
    /** The image, or null when it is unknown or its project was deleted. Cached; true to the last `cache.bump` of its project. */
    async get(id: string): Promise<Image | null> {
      const projectId = owners.get(id);
      if (projectId !== undefined) return cache.wrap({ kind: 'image', projectId, key: id }, () => load(id));
      const [row] = await sql<
        { projectId: string }[]
      >`select i.project_id as "projectId" from images i ${ofProject} where i.id = ${id}`;
      if (!row) return null;
      own(id, row.projectId);
      return cache.wrap({ kind: 'image', projectId: row.projectId, key: id }, () => load(id));
    },
    /** Called for new images, so that their first read needs one query less. */
    own,
    list: (query: ImageListQuery): Promise<ImagePage> => cachedList('page', query, loadPage),
    /** A page without the count of all, and the count alone: each is one query. */
    items: (query: ImageListQuery) => cachedList('items', query, loadItems),
    total: (query: ImageListQuery) => cachedList('total', query, loadTotal),
    /** Those of the given images that there are, in no order, past the cache. */
    async many(ids: readonly string[]): Promise<Image[]> {
      const rows = await sql<ImageRow[]>`
        select ${columns} from image_files_of_tenant i ${ofProject} where i.id = any(${[...ids]}::uuid[])`;
      return rows.map(toImage);
    },
    /**
     * Removes the row and takes the image out of the counters of its batches, in one transaction. Its bytes go later, when no
     * image has them any more.
     * @returns its project, or null when there was no such image.
     */
    async remove(id: string): Promise<string | null> {
      const projectId = await withRetry(() => sql.begin((tx) => removeImage(tx, tenantId, id)));
      if (projectId !== null) await Promise.all([cache.bump(projectId), cache.bump(namesOf(projectId))]);
      return projectId;
    },
  };
}
export type ImageStore = ReturnType<typeof createImageStore>;
