import { randomUUID } from 'node:crypto';
import { encodeIndex, type ImageCounts } from '#contract/index-format.ts';
import { IMAGE_STATUSES, type ImageStatus } from '#contract/names.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Sql, Transaction } from './client.ts';
import { ordersOf, patternOf, type ImageSort } from './images.ts';

/** Bytes of an image as PostgreSQL packs them: id, status, colour. */
const RECORD = { id: 16, bytes: 20 };

/** Where a project stands in one snapshot: its last numbered event, and which images it has. */
export interface Standing {
  epoch: string;
  seq: number;
  /** Images that ever came and that ever went: both only grow, so that equal numbers are the same images. */
  added: number;
  removed: number;
}
export interface Head extends Standing {
  /** Number of the oldest event that can still be replayed; null for none. */
  keptFrom: number | null;
  /** Of all images. */
  counts: ImageCounts;
}
export interface PackedIndex extends Standing {
  /** Of all images, also of those that are not in it. */
  counts: ImageCounts;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The same bytes, column by column. */
function columnsOf(records: Buffer) {
  const count = records.length / RECORD.bytes;
  const ids = new Uint8Array(count * RECORD.id);
  const statuses = new Uint8Array(count);
  const colours = new Uint8Array(count * 3);
  for (let i = 0, at = 0; i < count; i++, at += RECORD.bytes) {
    records.copy(ids, i * RECORD.id, at, at + RECORD.id);
    statuses[i] = records[at + RECORD.id]!;
    records.copy(colours, i * 3, at + RECORD.id + 1, at + RECORD.bytes);
  }
  return { count, ids, statuses, colours };
}

/** One statement, and so one snapshot. @returns null when there is no such project, or no numbering of it yet */
export async function readHead(sql: Sql | Transaction, tenantId: string, projectId: string): Promise<Head | null> {
  const [head] = await sql<(Omit<Head, 'added' | 'counts'> & { statuses: ImageStatus[]; numbers: number[] })[]>`
    select s.epoch, s.seq, p.images_removed as removed, c.statuses, c.numbers,
      (select l.from_seq from event_log l where l.project_id = p.id order by l.frame_no limit 1) as "keptFrom"
    from event_streams s join projects p on p.id = s.project_id, lateral (
      select coalesce(array_agg(c.status), '{}') as statuses, coalesce(array_agg(c.n), '{}') as numbers
      from (select status, sum(n)::int as n from image_counts where project_id = p.id group by status) c) c
    where p.id = ${projectId} and p.deleted_at is null and p.tenant_id = ${tenantId}`;
  if (!head) return null;
  const { statuses, numbers, ...standing } = head;
  const counts = Object.fromEntries(IMAGE_STATUSES.map((status) => [status, 0])) as Record<ImageStatus, number>;
  for (const [at, status] of statuses.entries()) counts[status] = numbers[at]!;
  return { ...standing, added: head.removed + numbers.reduce((sum, n) => sum + n, 0), counts };
}

/**
 * Every image's id, status and colour, and the number of the last event that they contain. Rows and number come from one
 * snapshot: an event that is numbered later is newer than, or repeats, what is here, and never the other way round.
 * PostgreSQL packs the bytes, so that 100,000 rows cost one row of this process.
 * @param part only images with `q` in their name, in another order, only so many from the beginning
 * @returns null when there is no such project.
 */
export async function readIndex(
  { sql, tenantId }: Owner,
  projectId: string,
  { q, sort = 'createdAt', first }: { q?: string; sort?: ImageSort; first?: number } = {},
): Promise<PackedIndex | null> {
  const order = ordersOf(sql)[sort];
  const pattern = patternOf(q);
  // The numbering begins at first use, and outside of the read-only snapshot.
  await sql`
    insert into event_streams (project_id, epoch)
    select id, ${randomUUID()}::uuid from projects where id = ${projectId} and deleted_at is null and tenant_id = ${tenantId}
      and not exists (select from event_streams where project_id = ${projectId})
    on conflict do nothing`;
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const head = await readHead(tx, tenantId, projectId);
    if (!head) return null;
    const [packed] = await tx<{ records: Buffer }[]>`
      select coalesce(string_agg(record, ''::bytea), '') as records
      from (
        select uuid_send(i.id)
          || int4send((array_position(${tx.array([...IMAGE_STATUSES])}::text[], i.status) - 1 << 24) | i.average_colour) as record
        from image_files_of_tenant i
        where i.project_id = ${projectId} ${pattern === null ? sql`` : sql`and i.name ilike ${pattern}`}
        order by ${order}
        ${first === undefined ? sql`` : sql`limit ${first}`}
      ) i`;
    const { epoch, seq, added, removed, counts } = head;
    return { epoch, seq, added, removed, counts, bytes: encodeIndex({ epoch, seq, ...columnsOf(packed!.records) }) };
  });
}
