import { randomUUID } from 'node:crypto';
import { encodeIndex } from '#contract/index-format.ts';
import { IMAGE_STATUSES } from '#contract/common.ts';
import type { Owner } from '../tenants/owner.ts';
import { ordersOf, patternOf, type ImageSort } from './images.ts';

interface PackedRow {
  count: number;
  ids: Buffer;
  statuses: Buffer;
  colours: Buffer;
}

/**
 * Every image's id, status and colour, and the number of the last event that they contain. Rows and number come from one
 * snapshot: an event that is numbered later is newer than, or repeats, what is here, and never the other way round.
 * PostgreSQL packs the bytes, so that 100,000 rows cost one row of this process.
 * @param part only images with `q` in their name, in another order
 * @returns null when there is no such project.
 */
export async function readIndex(
  { sql, tenantId }: Owner,
  projectId: string,
  { q, sort = 'createdAt' }: { q?: string; sort?: ImageSort } = {},
): Promise<Uint8Array<ArrayBuffer> | null> {
  const order = ordersOf(sql)[sort];
  const pattern = patternOf(q);
  // The numbering begins at first use, and outside of the read-only snapshot.
  await sql`
    insert into event_streams (project_id, epoch)
    select id, ${randomUUID()}::uuid from projects where id = ${projectId} and deleted_at is null and tenant_id = ${tenantId}
      and not exists (select from event_streams where project_id = ${projectId})
    on conflict do nothing`;
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const [stream] = await tx<{ epoch: string; seq: number }[]>`
      select s.epoch, s.seq from event_streams s join projects p on p.id = s.project_id
      where s.project_id = ${projectId} and p.deleted_at is null and p.tenant_id = ${tenantId}`;
    if (!stream) return null;
    const [packed] = await tx<PackedRow[]>`
      select count(*) as count,
        coalesce(string_agg(uuid_send(i.id), ''::bytea order by ${order}), '') as ids,
        coalesce(string_agg(set_byte('\\x00'::bytea, 0, i.status), ''::bytea order by ${order}), '') as statuses,
        coalesce(string_agg(substring(int4send(i.colour) from 2), ''::bytea order by ${order}), '') as colours
      from (
        select i.id, i.created_at, i.name, i.polygon_count, i.average_colour as colour,
          array_position(${tx.array([...IMAGE_STATUSES])}::text[], i.status) - 1 as status
        from image_files_of_tenant i
        where i.project_id = ${projectId} ${pattern === null ? sql`` : sql`and i.name ilike ${pattern}`}
      ) i`;
    return encodeIndex({ ...stream, ...packed! });
  });
}
