import type { Batch } from '../contract/batches.ts';
import type { Image } from '../contract/images.ts';
import type { ImageStatus } from '../contract/common.ts';
import type { ImageSort } from '../database/images.ts';
import { badValue } from '../errors.ts';
import { entriesByBatch, entriesByIds, type Entry } from '../results/query.ts';
import { present } from './arguments.ts';
import type { Context } from './context.ts';
import { isSubject, type Subject } from './loaders.ts';

export interface Paging {
  limit: number;
  offset: number;
  cursor?: string;
}
export interface Paged {
  pagination: Paging;
}
export interface ImageListArguments extends Paged {
  filter: { status?: ImageStatus[]; q?: string };
  sort: string;
}
export interface ResultArguments extends Paged {
  imageIds?: string[];
  batchId?: string;
}
export interface ResultPage {
  items: Subject[];
  missing: string[];
  nextCursor: string | null;
}

/** As a route's query has it: what is null is not there. */
export const paging = <T extends Paged>(args: T): T => present(args) as T;

/** The page's items and the count of all are two questions; each is asked only where its field is selected. */
export function imagePage({ tenant, loaders }: Context, projectId: string, args: ImageListArguments) {
  const { pagination, filter, sort } = paging(args);
  const { limit, offset, cursor } = pagination;
  const query = {
    projectId,
    statuses: filter.status ?? [],
    sort: (sort.endsWith('_desc') ? `-${sort.slice(0, -'_desc'.length)}` : sort) as ImageSort,
    limit,
    offset,
    ...(filter.q === undefined ? {} : { q: filter.q }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  let loading: Promise<{ items: Image[]; nextCursor: string | null }> | undefined;
  const load = () =>
    (loading ??= tenant.images.items(query).then((page) => {
      for (const image of page.items) loaders.image.prime(image.id, image);
      return page;
    }));
  return {
    items: async () => (await load()).items,
    nextCursor: async () => (await load()).nextCursor,
    total: () => tenant.images.total(query),
    limit,
    offset,
  };
}

export async function batchPage({ tenant, loaders }: Context, projectId: string, args: Paged) {
  const page = await tenant.batches.list(projectId, paging(args).pagination);
  for (const batch of page.items as Batch[]) loaders.batch.prime(batch.id, batch);
  return page;
}

/** Up to `limit` entries, each within what one request may read of polygons. */
async function takeEntries(
  entries: AsyncIterable<Entry>,
  limit: number,
  budget: (entry: Entry) => void,
): Promise<ResultPage> {
  const taken: Entry[] = [];
  let more = false;
  for await (const entry of entries) {
    more = taken.length === limit;
    if (more) break;
    budget(entry);
    taken.push(entry);
  }
  return {
    items: taken.filter(isSubject),
    missing: taken.flatMap((entry) => (entry.missing ? [entry.imageId] : [])),
    nextCursor: more ? (taken.at(-1)?.cursor ?? null) : null,
  };
}

/** @throws ApiError VALIDATION unless it is exactly one of images and batch; NOT_FOUND for an unknown batch */
export function resultPage({ tenant, loaders, polygons }: Context, args: ResultArguments): Promise<ResultPage> {
  const { imageIds, batchId, pagination } = paging(args);
  const { limit, cursor } = pagination;
  if (imageIds !== undefined && batchId === undefined) {
    const ids = [...new Set(imageIds.map((id) => id.toLowerCase()))];
    return takeEntries(entriesByIds(tenant, ids, cursor, polygons), limit, loaders.budget);
  }
  if (imageIds === undefined && batchId !== undefined)
    return takeEntries(entriesByBatch(tenant, batchId.toLowerCase(), cursor, polygons), limit, loaders.budget);
  throw badValue('imageIds', imageIds ?? null, 'exactly one of imageIds and batchId');
}
