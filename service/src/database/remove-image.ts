import type { Transaction } from './client.ts';

interface RemovedItem {
  batchId: string;
  status: string;
  /** Sent to the queue: then no job of it waits in the outbox. */
  sent: boolean;
}

/**
 * Removes an image and takes it out of the counters of its batches. Batches are locked before the image, as everywhere.
 * @returns its project, or null when there was no such image.
 */
export async function removeImage(tx: Transaction, tenantId: string, id: string): Promise<string | null> {
  await tx`
    select b.id from batches b join batch_items bi on bi.batch_id = b.id join projects p on p.id = b.project_id and p.tenant_id = ${tenantId}
    where bi.image_id = ${id} order by b.id for update of b`;
  const [image] = await tx<{ projectId: string }[]>`
    select i.project_id as "projectId" from images i join projects p on p.id = i.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}
    where i.id = ${id} for update of i`;
  if (!image) return null;
  const items = await tx<RemovedItem[]>`
    delete from batch_items where image_id = ${id}
    returning batch_id as "batchId", status, status <> 'queued' or lease_until is not null as sent`;
  const batchIds = items.map(({ batchId }) => batchId);
  for (const { batchId, status } of items)
    await tx`update batches set total = total - 1, ${tx(status)} = ${tx(status)} - 1 where id = ${batchId}`;
  if (items.length > 0) {
    await tx`update batches set status = 'completed', finished_at = now()
      where id in ${tx(batchIds)} and status in ('queued', 'running') and queued + processing = 0`;
    await tx`insert into event_outbox (project_id, batch_id)
      select ${image.projectId}::uuid, id from batches where id in ${tx(batchIds)}`;
  }
  // A job that is in Redis already claims nothing.
  const waiting = items.filter(({ sent }) => !sent).map(({ batchId }) => batchId);
  if (waiting.length > 0) await tx`delete from job_outbox where batch_id in ${tx(waiting)} and image_id = ${id}`;
  await tx`delete from event_outbox where image_id = ${id}`;
  await tx`delete from images where id = ${id}`;
  return image.projectId;
}
