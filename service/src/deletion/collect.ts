import { mayRemoveBytes } from '../database/bytes-lock.ts';
import type { Sql, Transaction } from '../database/client.ts';
import type { Storage } from '../storage.ts';
import { pictureTag } from '../tenants/first.ts';

const STEP = 50;

export interface CollectDeps {
  sql: Sql;
  storage: Storage;
  /** Bytes stay this long after they lost an image, so that the same upload soon after finds bytes and result. */
  graceMs: number;
}
interface Candidate {
  id: number;
  sha256: string;
  /** Who lost an image of these bytes; null: of a project that was gone by then. */
  tenantId: string | null;
}

/**
 * Removes bytes, results and pictures of what no image has any more. A result lives as long as an image has its bytes: until then
 * the next batch can use it.
 * @returns how many bytes were removed, and whether more may be due.
 */
export async function collectBytes(deps: CollectDeps): Promise<{ removed: number; more: boolean }> {
  const due = await deps.sql<Candidate[]>`
    select id, encode(sha256, 'hex') as sha256, tenant_id as "tenantId" from (select * from blob_garbage order by id limit ${STEP}) oldest
    where at <= clock_timestamp() - ${deps.graceMs}::float8 * interval '1 ms'`;
  let removed = 0;
  let settled = 0;
  for (const candidate of due) {
    const outcome = await deps.sql.begin((tx) => collectOne(tx, deps.storage, candidate));
    if (outcome === 'removed') removed++;
    if (outcome !== 'busy') settled++;
  }
  return { removed, more: due.length === STEP && settled > 0 };
}

/** One transaction a hash: an upload of the same bytes waits for it, or it passes by. */
async function collectOne(tx: Transaction, storage: Storage, candidate: Candidate) {
  const { id, sha256 } = candidate;
  if (!(await mayRemoveBytes(tx, sha256))) return 'busy' as const;
  const hash = Buffer.from(sha256, 'hex');
  await tx`delete from blob_garbage where id = ${id}`;
  const [use] = await tx`
    select 1 as one where exists (select from images where sha256 = ${hash})
      or exists (select from blob_garbage where sha256 = ${hash} and id > ${id})`;
  if (use) {
    await forgetTenant(tx, storage, candidate);
    return 'kept' as const;
  }
  const results = await tx<{ id: string }[]>`delete from results where sha256 = ${hash} returning id`;
  await tx`delete from blobs where sha256 = ${hash}`;
  // Before the commit: killed here, the row of the garbage is still there and all of this is done again.
  for (const owner of [sha256, ...results.map((result) => result.id)]) await storage.discardDerived(owner);
  await storage.discard(storage.path(sha256));
  return 'removed' as const;
}

/**
 * Others have these bytes, or had them a moment ago. What was made of them for a tenant who has them no more goes all the same: were
 * it still there when he comes back, it would tell him of the others.
 */
async function forgetTenant(tx: Transaction, storage: Storage, { id, sha256, tenantId }: Candidate): Promise<void> {
  if (tenantId === null) return;
  const hash = Buffer.from(sha256, 'hex');
  const [own] = await tx`
    select 1 as one where exists (select from images i join projects p on p.id = i.project_id where i.sha256 = ${hash} and p.tenant_id = ${tenantId})
      or exists (select from blob_garbage where sha256 = ${hash} and tenant_id = ${tenantId} and id > ${id})`;
  if (own) return;
  const results = await tx<
    { id: string }[]
  >`delete from results where sha256 = ${hash} and tenant_id = ${tenantId} returning id`;
  for (const result of results) await storage.discardDerived(result.id);
  await storage.discardDerived(sha256, pictureTag(tenantId));
}
