import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Export, ExportFormat } from '#contract/exports.ts';
import type { Sql } from '../database/client.ts';
import { apiError, notFound } from '../errors.ts';
import type { Storage } from '../storage.ts';
import { EXPORT_WRITERS } from './formats.ts';
import { exportRows, type ExportRow } from './rows.ts';

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
/** Progress is written to the row this often. */
const PROGRESS_MS = 1000;
const BUFFER_BYTES = 256 * 1024;

/** Small texts in front of a file: written in pieces of 64 KiB instead of one by one. */
async function* joined(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let pending = '';
  for await (const text of texts) {
    pending += text;
    if (pending.length < 65_536) continue;
    yield Buffer.from(pending);
    pending = '';
  }
  if (pending !== '') yield Buffer.from(pending);
}

/** Exports are made one after the other in the API process that was asked; those of a process that died start again with the next. */
export function createExportStore(deps: {
  sql: Sql;
  storage: Storage;
  log: (error: unknown, exportId: string) => void;
}) {
  const { sql, storage } = deps;
  const columns = sql`id, batch_id as "batchId", format, status, progress, file_name as "fileName", size_bytes as "sizeBytes",
    error_message as error, created_at as "createdAt", finished_at as "finishedAt"`;
  const shown = (row: Row): Export => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  });
  let tail: Promise<void> = Promise.resolve();
  let closed = false;

  async function write(id: string, batchId: string, format: ExportFormat): Promise<void> {
    const writer = EXPORT_WRITERS[format]!;
    const [batch] = await sql<{ total: number; pixelSizeUm: number | null }[]>`
      update exports set status = 'running' from batches b join projects p on p.id = b.project_id
      where exports.id = ${id} and b.id = ${batchId} returning b.total, p.pixel_size_um as "pixelSizeUm"`;
    if (!batch) return;
    let done = 0;
    let toldAt = performance.now();
    async function* rows(): AsyncGenerator<ExportRow> {
      for await (const row of exportRows(sql, batchId)) {
        if (closed) throw new Error('the service stops; the export starts again with it');
        yield row;
        done++;
        if (performance.now() - toldAt < PROGRESS_MS) continue;
        toldAt = performance.now();
        await sql`update exports set progress = ${Math.min(0.99, done / Math.max(1, batch!.total * 2))} where id = ${id}`;
      }
    }
    const temporary = storage.temporaryPath();
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        next(null, chunk);
      },
    });
    try {
      const source = Readable.from(joined(writer.write(rows, batch)), {
        objectMode: false,
        highWaterMark: BUFFER_BYTES,
      });
      await pipeline(source, meter, createWriteStream(temporary, { flags: 'wx', flush: true }));
      await storage.place(temporary, storage.exportPath(id), true);
    } catch (error) {
      await storage.discard(temporary).catch(() => {});
      throw error;
    }
    await sql`
      update exports set status = 'ready', progress = 1, finished_at = now(), size_bytes = ${sizeBytes}, etag = ${hash.digest('hex')},
        mime_type = ${writer.mimeType}, file_name = ${`segbench-${batchId.slice(0, 8)}.${writer.extension}`}
      where id = ${id}`;
  }

  function enqueue(id: string, batchId: string, format: ExportFormat): void {
    tail = tail.then(async () => {
      if (closed) return;
      try {
        await write(id, batchId, format);
      } catch (error) {
        if (closed) return;
        deps.log(error, id);
        const message = error instanceof Error ? error.message : String(error);
        await sql`update exports set status = 'failed', error_message = ${message}, finished_at = now() where id = ${id}`.catch(
          () => {},
        );
      }
    });
  }

  return {
    /** @throws ApiError NOT_FOUND for an unknown batch, UNSUPPORTED_FORMAT for one that is not made yet. */
    async create(batchId: string, format: ExportFormat): Promise<Export> {
      const able = Object.keys(EXPORT_WRITERS);
      if (!EXPORT_WRITERS[format])
        throw apiError(
          'UNSUPPORTED_FORMAT',
          `body.format is "${format}", which is not made yet: expected one of ${able.join(', ')}`,
        );
      const id = randomUUID();
      const [row] = await sql<Row[]>`
        insert into exports (id, batch_id, format, status)
        select ${id}::uuid, b.id, ${format}, 'queued' from batches b join projects p on p.id = b.project_id and p.deleted_at is null
        where b.id = ${batchId} returning ${columns}`;
      if (!row) throw notFound('batch', batchId);
      enqueue(id, batchId, format);
      return shown(row);
    },
    async get(id: string): Promise<Export> {
      const [row] = await sql<Row[]>`select ${columns} from exports where id = ${id}`;
      if (!row) throw notFound('export', id);
      return shown(row);
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
        select status, file_name as "fileName", mime_type as "mimeType", etag, error_message as error from exports where id = ${id}`;
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
    /** Takes up what a process that died left behind. Two API processes that do so make the same file twice, which does no harm. */
    async resume(): Promise<void> {
      const rows = await sql<{ id: string; batchId: string; format: ExportFormat }[]>`
        select id, batch_id as "batchId", format from exports where status in ('queued', 'running') order by created_at`;
      for (const { id, batchId, format } of rows) enqueue(id, batchId, format);
    },
    async close(): Promise<void> {
      closed = true;
      await tail;
    },
  };
}
export type ExportStore = ReturnType<typeof createExportStore>;
