import type { Sql } from 'postgres';
import type { FrameLog } from '../drivers/ledger-socket.ts';
import type { UploadedImage } from '../drivers/upload.ts';
import type { BatchCounters, LedgerItem, LedgerRow, Seen } from './ledger.ts';

interface ImageRow {
  id: string;
  status: string;
  polygon_count: number | null;
}
interface ItemRow {
  batch_id: string;
  image_id: string;
  status: string;
  error_code: string | null;
  generation: number;
  attempts: number;
  worker: string | null;
  result_id: string | null;
  queued_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
}

const seenIn = (log: FrameLog | undefined, batchId: string, imageId: string): Seen => {
  const events = log?.terminalOf(batchId).get(imageId) ?? [];
  const first = events[0];
  return { count: events.length, status: first?.status ?? null, seq: first?.seq ?? null, atMs: first?.atMs ?? null };
};
const epoch = (date: Date | null | undefined) => date?.getTime() ?? null;

/** Puts together what the upload, the database, both sockets and the scrolled gallery know of every image. */
export async function readLedger(options: {
  sql: Sql;
  projectId: string;
  batchIds: readonly string[];
  uploaded: readonly UploadedImage[];
  outside: FrameLog | undefined;
  browser: FrameLog | undefined;
  cells: ReadonlyMap<string, string> | undefined;
}): Promise<{ rows: LedgerRow[]; counters: BatchCounters[]; strayEvents: number }> {
  const { sql, projectId, batchIds, uploaded, outside, browser, cells } = options;
  const ids = [...batchIds];
  const images = await sql<ImageRow[]>`SELECT id, status, polygon_count FROM images WHERE project_id = ${projectId}`;
  const items = await sql<ItemRow[]>`
    SELECT batch_id, image_id, status, error_code, generation, attempts, worker, result_id, queued_at, started_at, finished_at
    FROM batch_items WHERE batch_id = ANY(${ids}::uuid[])`;
  const counters = await sql<BatchCounters[]>`
    SELECT id AS "batchId", total, queued, processing, completed, failed, cancelled
    FROM batches WHERE id = ANY(${ids}::uuid[])`;
  const imageById = new Map(images.map((row) => [row.id, row]));
  const itemByKey = new Map(items.map((row) => [`${row.batch_id}/${row.image_id}`, row]));

  const itemOf = (batchId: string, imageId: string): LedgerItem => {
    const row = itemByKey.get(`${batchId}/${imageId}`);
    return {
      batchId,
      status: row?.status ?? null,
      errorCode: row?.error_code ?? null,
      generation: row?.generation ?? null,
      attempts: row?.attempts ?? null,
      worker: row?.worker ?? null,
      resultId: row?.result_id ?? null,
      queuedAtMs: epoch(row?.queued_at),
      startedAtMs: epoch(row?.started_at),
      finishedAtMs: epoch(row?.finished_at),
      outside: seenIn(outside, batchId, imageId),
      browser: seenIn(browser, batchId, imageId),
    };
  };
  const rows = uploaded.map(({ image, file, uploadedAtMs, requestMs }): LedgerRow => {
    const row = imageById.get(image.id);
    return {
      imageId: image.id,
      name: file.name,
      sha256: image.sha256,
      uploadedAtMs,
      uploadRequestMs: requestMs,
      rowStatus: row?.status ?? null,
      polygonCount: row?.polygon_count ?? null,
      items: ids.map((batchId) => itemOf(batchId, image.id)),
      ...(cells ? { cell: cells.get(image.id) ?? null } : {}),
    };
  });
  const known = new Set(uploaded.map(({ image }) => image.id));
  const strayEvents = ids.reduce(
    (sum, batchId) => sum + [...(browser?.terminalOf(batchId).keys() ?? [])].filter((id) => !known.has(id)).length,
    0,
  );
  return { rows, counters: [...counters], strayEvents };
}
