import { randomUUID } from 'node:crypto';
import type { Export, ExportFormat } from '#contract/exports.ts';
import { apiError, notFound } from '../errors.ts';
import type { Storage } from '../storage.ts';
import type { Owner } from '../tenants/owner.ts';

export interface ExportPage {
  items: Export[];
  total: number;
  limit: number;
  offset: number;
}
export interface ReadyFile {
  path: string;
  fileName: string;
  mimeType: string;
  etag: string;
}
interface Row extends Omit<Export, 'createdAt' | 'finishedAt'> {
  createdAt: Date;
  finishedAt: Date | null;
}
/** Exports as a tenant asks for them and sees them. `asked` is called after each new one. */
export function createExportReader(deps: Owner & { storage: Pick<Storage, 'exportPath'>; asked: () => void }) {
  const { sql, tenantId, storage, asked } = deps;
  const columns = sql`id, batch_id as "batchId", format, status, progress, file_name as "fileName", size_bytes as "sizeBytes",
    error_message as error, created_at as "createdAt", finished_at as "finishedAt"`;
  const shown = (row: Row): Export => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  });
  /** An export goes with its project. */
  const alive = sql`exists (
    select from batches b join projects p on p.id = b.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}
    where b.id = exports.batch_id)`;

  return {
    /** @throws ApiError NOT_FOUND for an unknown batch */
    async create(batchId: string, format: ExportFormat): Promise<Export> {
      const id = randomUUID();
      const [row] = await sql<Row[]>`
        insert into exports (id, batch_id, format, status)
        select ${id}::uuid, b.id, ${format}, 'queued' from batches b join projects p on p.id = b.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}
        where b.id = ${batchId} returning ${columns}`;
      if (!row) throw notFound('batch', batchId);
      asked();
      return shown(row);
    },
    async get(id: string): Promise<Export> {
      const [row] = await sql<Row[]>`select ${columns} from exports where id = ${id} and ${alive}`;
      if (!row) throw notFound('export', id);
      return shown(row);
    },
    /** Exports of a batch, newest first. @throws ApiError NOT_FOUND for an unknown batch */
    async list(batchId: string, limit: number, offset: number): Promise<ExportPage> {
      const [counted] = await sql<{ total: number }[]>`
        select (select count(*) from exports e where e.batch_id = b.id) as total
        from batches b join projects p on p.id = b.project_id and p.deleted_at is null and p.tenant_id = ${tenantId}
        where b.id = ${batchId}`;
      if (!counted) throw notFound('batch', batchId);
      const rows = await sql<Row[]>`
        select ${columns} from exports where batch_id = ${batchId}
        order by created_at desc, id desc limit ${limit} offset ${offset}`;
      return { items: rows.map(shown), total: counted.total, limit, offset };
    },
    /** @throws ApiError NOT_FOUND, NOT_READY */
    async file(id: string): Promise<ReadyFile> {
      const [row] = await sql<
        {
          status: string;
          fileName: string | null;
          mimeType: string | null;
          etag: string | null;
          error: string | null;
        }[]
      >`
        select status, file_name as "fileName", mime_type as "mimeType", etag, error_message as error from exports where id = ${id} and ${alive}`;
      if (!row) throw notFound('export', id);
      if (row.status !== 'ready')
        throw apiError('NOT_READY', `export ${id} is ${row.status}${row.error ? `: ${row.error}` : ''}`);
      return {
        path: storage.exportPath(id.toLowerCase()),
        fileName: row.fileName ?? id,
        mimeType: row.mimeType ?? 'application/octet-stream',
        etag: `"${row.etag ?? id}"`,
      };
    },
  };
}
export type ExportReader = ReturnType<typeof createExportReader>;
