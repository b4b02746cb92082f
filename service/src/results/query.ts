import type { Result } from '#contract/results.ts';
import type { Owner } from '../tenants/owner.ts';
import { UUID } from '../database/cursor.ts';
import { apiError, shown } from '../errors.ts';

/** What a reply says of one image; `stored` is null for a known image without a result. */
export type Entry =
  | { imageId: string; cursor: string; missing: true }
  | { imageId: string; cursor: string; missing: false; batchId: string; stored: StoredResult | null };

/** A row of `results`; `polygons` in the form of `#contract/polygons-format.ts`, empty when they were not asked for. */
export interface StoredResult extends Omit<Result, 'imageId' | 'batchId' | 'status' | 'polygons' | 'warnings'> {
  id: string;
  warnings: string[] | null;
  polygons: Uint8Array;
}

interface Planned {
  imageId: string;
  batchId: string;
  resultId: string | null;
  bytes: number;
  missing: boolean;
  /** Where to go on after this entry. */
  cursor: string;
}

/**
 * A page of results held in memory at once: by rows, and by the bytes that PostgreSQL says they have. One query a page: a thousand
 * results of a few cells are one. Between pages no connection is held, however slowly the client reads.
 */
const PAGE_ROWS = 1000;
/** Of a list of ids, that many are answered before the others are looked for: who puts them in an order wants the first ones soon. */
const FIRST_IDS = 100;
const PAGE_BYTES = 3 * 1024 * 1024;
const BATCH_PLAN_ROWS = 1000;

/** Of a list of ids, or of one batch. */
type Kind = 'ids' | `batch/${string}`;
const pack = (kind: Kind, at: string | number) => Buffer.from(JSON.stringify([kind, at])).toString('base64url');

function unpack(kind: Kind, cursor: string | undefined): unknown {
  if (cursor === undefined) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === 2 && parts[0] === kind) return parts[1];
  } catch {
    // said below
  }
  throw apiError(
    'BAD_CURSOR',
    `cursor ${JSON.stringify(cursor.slice(0, 40))} does not belong to this request: expected the nextCursor of a reply to it`,
  );
}

/** Entries of the given images in their order, from `cursor` on; the first ones are there before the others are looked for. */
export async function* entriesByIds(
  owner: Owner,
  imageIds: readonly string[],
  cursor: string | undefined,
  withPolygons: boolean,
): AsyncGenerator<Entry> {
  const start = unpack('ids', cursor) ?? 0;
  if (typeof start !== 'number' || !Number.isInteger(start) || start < 0 || start > imageIds.length)
    throw apiError(
      'BAD_CURSOR',
      `cursor points at image ${JSON.stringify(start)} of ${imageIds.length}: expected the nextCursor of a reply to this request`,
    );
  const second = Math.min(imageIds.length, start + FIRST_IDS);
  yield* filled(owner, await planOf(owner, imageIds.slice(start, second), start), withPolygons);
  if (second < imageIds.length) yield* filled(owner, await planOf(owner, imageIds.slice(second), second), withPolygons);
}

/** @param from place of the first of `ids` in the request */
async function planOf({ sql, tenantId }: Owner, ids: string[], from: number): Promise<Planned[]> {
  const rows = await sql<{ imageId: string; batchId: string; resultId: string | null; bytes: number }[]>`
    select i.id as "imageId", i.result_id as "resultId", coalesce(octet_length(r.polygons), 0) as bytes,
      coalesce((select bi.batch_id from batch_items bi
        where bi.image_id = i.id and bi.result_id = i.result_id order by bi.queued_at desc limit 1), i.batch_id) as "batchId"
    from images_of_tenant i join projects p on p.id = i.project_id and p.deleted_at is null and p.tenant_id = ${tenantId} left join results r on r.id = i.result_id
    where i.id = any(${ids}::uuid[])`;
  const found = new Map(rows.map((row) => [row.imageId, row]));
  return ids.map((imageId, index): Planned => {
    const row = found.get(imageId);
    const cursor = pack('ids', from + index + 1);
    return row
      ? { ...row, cursor, missing: false }
      : { imageId, batchId: '', resultId: null, bytes: 0, cursor, missing: true };
  });
}

/** The entry of one image. */
export async function entryOf(owner: Owner, imageId: string): Promise<Entry> {
  const entries = entriesByIds(owner, [imageId.toLowerCase()], undefined, true);
  const { value } = await entries.next();
  return (value as Entry | undefined) ?? { imageId, cursor: '', missing: true };
}

/** Entries of a batch by image id, from `cursor` on. @throws ApiError NOT_FOUND */
export async function* entriesByBatch(
  { sql, tenantId }: Owner,
  batchId: string,
  cursor: string | undefined,
  withPolygons: boolean,
): AsyncGenerator<Entry> {
  let after = unpack(`batch/${batchId}`, cursor) ?? '00000000-0000-0000-0000-000000000000';
  if (typeof after !== 'string' || !UUID.test(after))
    throw apiError('BAD_CURSOR', `cursor points at ${shown(after)}: expected what a reply for this batch gave out`);
  const [batch] = await sql`
    select b.id from batches b join projects p on p.id = b.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}
    where b.id = ${batchId}`;
  if (!batch) throw apiError('NOT_FOUND', `no batch with id ${batchId}`);
  for (;;) {
    const rows: { imageId: string; resultId: string | null; bytes: number }[] = await sql<
      { imageId: string; resultId: string | null; bytes: number }[]
    >`
      select bi.image_id as "imageId", bi.result_id as "resultId", coalesce(octet_length(r.polygons), 0) as bytes
      from batch_items bi left join results r on r.id = bi.result_id
      where bi.batch_id = ${batchId} and bi.image_id > ${after as string} order by bi.image_id limit ${BATCH_PLAN_ROWS + 1}`;
    const more = rows.length > BATCH_PLAN_ROWS;
    const plan = rows
      .slice(0, BATCH_PLAN_ROWS)
      .map((row): Planned => ({ ...row, batchId, missing: false, cursor: pack(`batch/${batchId}`, row.imageId) }));
    yield* filled({ sql, tenantId }, plan, withPolygons);
    if (!more) return;
    after = plan.at(-1)!.imageId;
  }
}

/** Cuts a plan where a page has enough rows or bytes; a page has at least one entry. */
export function pagesOf<T extends { bytes: number }>(plan: readonly T[]): T[][] {
  const pages: T[][] = [];
  let bytes = 0;
  for (const entry of plan) {
    const page = pages.at(-1);
    if (page && page.length < PAGE_ROWS && bytes + entry.bytes <= PAGE_BYTES) {
      page.push(entry);
      bytes += entry.bytes;
    } else {
      pages.push([entry]);
      bytes = entry.bytes;
    }
  }
  return pages;
}

async function* filled(
  { sql, tenantId }: Owner,
  plan: readonly Planned[],
  withPolygons: boolean,
): AsyncGenerator<Entry> {
  for (const page of pagesOf(plan)) {
    const ids = [...new Set(page.flatMap(({ resultId }) => resultId ?? []))];
    const stored = new Map<string, StoredResult>();
    if (ids.length > 0)
      for (const row of await sql<StoredResult[]>`
        select id, model, model_version as "modelVersion", threshold, image_width as "imageWidth", image_height as "imageHeight",
          polygon_count as "polygonCount", processing_ms as "processingTimeMs", stages, warnings,
          ${withPolygons ? sql`polygons` : sql`''::bytea as polygons`}
        from results where id = any(${ids}::uuid[]) and tenant_id = ${tenantId}`)
        stored.set(row.id, row);
    for (const { imageId, cursor, missing, batchId, resultId } of page)
      yield missing
        ? { imageId, cursor, missing }
        : { imageId, cursor, missing, batchId, stored: resultId === null ? null : (stored.get(resultId) ?? null) };
  }
}
