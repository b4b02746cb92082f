import { randomUUID } from 'node:crypto';
import type { ExportFormat } from '#contract/exports.ts';
import type { Sql } from '../database/client.ts';

/** An export whose process died this often is given up: its content may be what kills it. */
export const MAX_ATTEMPTS = 3;

export interface Claim {
  id: string;
  claim: string;
  batchId: string;
  tenantId: string;
  format: ExportFormat;
  /** Images of the batch. */
  total: number;
  pixelSizeUm: number | null;
}
export interface Finished {
  sizeBytes: number;
  sha256: string;
  mimeType: string;
  fileName: string;
}

/**
 * Who writes which export. A claim has a token and a lease: each change is made under the token only, so that a process which was
 * taken for dead and was not changes nothing, and what a dead one left is claimed anew once its lease is over.
 */
export function createExportClaims(sql: Sql, leaseMs: number) {
  const lease = sql`now() + ${leaseMs} * interval '1 millisecond'`;

  return {
    /** The oldest export that nobody writes. */
    async next(): Promise<Claim | undefined> {
      await sql`
        update exports set status = 'failed', claim = null, lease_until = null, finished_at = now(),
          error_message = ${`given up: its process died ${MAX_ATTEMPTS} times while it was made`}
        where status = 'running' and attempts >= ${MAX_ATTEMPTS} and lease_until < now()`;
      const [row] = await sql<Claim[]>`
        with open as materialized (
          select e.id from exports e join batches b on b.id = e.batch_id join projects p on p.id = b.project_id and p.deleted_at is null
          where e.status = 'queued' or (e.status = 'running' and (e.lease_until is null or e.lease_until < now()))
          order by e.created_at, e.id limit 1 for update of e skip locked
        )
        update exports e set status = 'running', claim = ${randomUUID()}, lease_until = ${lease}, attempts = attempts + 1, progress = 0
        from open, batches b, projects p
        where e.id = open.id and b.id = e.batch_id and p.id = b.project_id
        returning e.id, e.claim, e.batch_id as "batchId", e.format, b.total, p.tenant_id as "tenantId", p.pixel_size_um as "pixelSizeUm"`;
      return row;
    },
    /** False when the claim was lost: the export was deleted, or another process has taken it up. */
    async renew({ id, claim }: Claim, progress: number): Promise<boolean> {
      const rows = await sql`
        update exports set progress = ${progress}, lease_until = ${lease} where id = ${id} and claim = ${claim} returning id`;
      return rows.length === 1;
    },
    /** `place` puts the file where it is read, while nobody else can take, finish or delete the export. */
    finish({ id, claim }: Claim, file: Finished, place: () => Promise<void>): Promise<boolean> {
      return sql.begin(async (tx) => {
        const [row] = await tx`
          select e.id from exports e join batches b on b.id = e.batch_id join projects p on p.id = b.project_id and p.deleted_at is null
          where e.id = ${id} and e.claim = ${claim} for update of e`;
        if (!row) return false;
        await place();
        await tx`
          update exports set status = 'ready', claim = null, lease_until = null, progress = 1, finished_at = now(),
            size_bytes = ${file.sizeBytes}, etag = ${file.sha256}, mime_type = ${file.mimeType}, file_name = ${file.fileName}
          where id = ${id}`;
        return true;
      });
    },
    async fail({ id, claim }: Claim, message: string): Promise<void> {
      await sql`
        update exports set status = 'failed', claim = null, lease_until = null, error_message = ${message}, finished_at = now()
        where id = ${id} and claim = ${claim}`;
    },
    /** Gives an export back for any process to take up at once, as if it had not been begun. */
    async release({ id, claim }: Claim): Promise<void> {
      await sql`
        update exports set status = 'queued', claim = null, lease_until = null, progress = 0, attempts = attempts - 1
        where id = ${id} and claim = ${claim}`;
    },
  };
}
export type ExportClaims = ReturnType<typeof createExportClaims>;
