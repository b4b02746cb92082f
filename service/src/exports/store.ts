import { randomUUID } from 'node:crypto';
import type { Export, ExportFormat } from '#contract/exports.ts';
import { startLoop } from '../batches/loop.ts';
import { isTransient } from '../batches/locks.ts';
import type { Sql } from '../database/client.ts';
import { apiError, notFound } from '../errors.ts';
import type { Storage } from '../storage.ts';
import { createExportClaims, type Claim } from './claims.ts';
import { ClaimLost, makeExport } from './make.ts';
import { expireExports, sweepExports } from './sweep.ts';

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
/** What other processes left is looked for this often; the process that was asked begins at once. */
const POLL_MS = 2000;
const RENEW_MS = 1000;
const SWEEP_MS = 3_600_000;

/** Each API process writes one export at a time, the oldest that nobody has claimed, whoever was asked for it. */
export function createExportStore(deps: {
  sql: Sql;
  storage: Storage;
  /** An export whose process died is taken up by another one this long, and a poll, after its last sign of life. */
  leaseMs: number;
  /** An export is removed this long after it was written. */
  keepMs: number;
  renewMs?: number;
  pollMs?: number;
  log: (error: unknown, exportId?: string) => void;
}) {
  const { sql, storage, leaseMs } = deps;
  const renewMs = Math.min(deps.renewMs ?? RENEW_MS, leaseMs / 3);
  const claims = createExportClaims(sql, leaseMs);
  const columns = sql`id, batch_id as "batchId", format, status, progress, file_name as "fileName", size_bytes as "sizeBytes",
    error_message as error, created_at as "createdAt", finished_at as "finishedAt"`;
  const shown = (row: Row): Export => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  });
  /** An export goes with its project. */
  const alive = sql`exists (
    select from batches b join projects p on p.id = b.project_id and p.deleted_at is null where b.id = exports.batch_id)`;
  const closing = new AbortController();
  let sweptAt = -Infinity;

  async function make(claimed: Claim): Promise<void> {
    try {
      await makeExport({ sql, storage, claims, renewMs, leaseMs }, claimed, closing.signal);
    } catch (error) {
      if (error instanceof ClaimLost) return;
      // Another process, or this one in a moment, can do what a stop or a restart of PostgreSQL prevented.
      if (closing.signal.aborted || isTransient(error)) return await claims.release(claimed).catch(() => {});
      deps.log(error, claimed.id);
      await claims.fail(claimed, error instanceof Error ? error.message : String(error));
    }
  }
  async function sweep(): Promise<void> {
    await expireExports(sql, storage, deps.keepMs);
    await sweepExports(sql, storage);
  }
  /** @returns whether there may be more to do */
  async function step(): Promise<boolean> {
    if (performance.now() - sweptAt > SWEEP_MS) {
      sweptAt = performance.now();
      await sweep().catch((error: unknown) => deps.log(error));
    }
    const claimed = await claims.next();
    if (!claimed) return false;
    await make(claimed);
    return true;
  }
  let loop: ReturnType<typeof startLoop> | undefined;

  return {
    /** @throws ApiError NOT_FOUND for an unknown batch */
    async create(batchId: string, format: ExportFormat): Promise<Export> {
      const id = randomUUID();
      const [row] = await sql<Row[]>`
        insert into exports (id, batch_id, format, status)
        select ${id}::uuid, b.id, ${format}, 'queued' from batches b join projects p on p.id = b.project_id and p.deleted_at is null
        where b.id = ${batchId} returning ${columns}`;
      if (!row) throw notFound('batch', batchId);
      loop?.wake();
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
        from batches b join projects p on p.id = b.project_id and p.deleted_at is null where b.id = ${batchId}`;
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
    /** Begins to write what is open, also what was left by processes that stopped or died. */
    start(): void {
      loop = startLoop({ everyMs: deps.pollMs ?? POLL_MS, step, onError: (error) => deps.log(error) });
    },
    /** Gives back what it is writing. */
    async close(): Promise<void> {
      closing.abort(new Error('the service stops'));
      await loop?.stop();
    },
  };
}
export type ExportStore = ReturnType<typeof createExportStore>;
