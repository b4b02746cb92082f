import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHashMeter } from '../hash-meter.ts';
import type { Storage } from '../storage.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Claim, ExportClaims } from './claims.ts';
import { EXPORT_WRITERS } from './formats.ts';
import type { ExportRow } from './cells.ts';
import { exportRows } from './rows.ts';

const BUFFER_BYTES = 256 * 1024;

/** Why a claimed export was not finished, with nobody to blame. */
export class ClaimLost extends Error {}

/**
 * Writes a claimed export. The claim is renewed, with the progress, every `renewMs`; what waits for the disk and for PostgreSQL
 * never holds that up. @throws ClaimLost when the export was deleted or is another process's now; what `signal` was aborted with.
 */
export async function makeExport(
  deps: {
    ownerOf: (tenantId: string) => Owner;
    storage: Storage;
    claims: ExportClaims;
    renewMs: number;
    leaseMs: number;
  },
  claimed: Claim,
  signal: AbortSignal,
): Promise<void> {
  const { storage, claims } = deps;
  const { id, batchId, tenantId, format, total, pixelSizeUm } = claimed;
  const { extension, mimeType, write } = EXPORT_WRITERS[format];
  const temporary = storage.temporaryPath();
  const spool = storage.temporaryPath();
  const lost = new AbortController();
  const over = AbortSignal.any([signal, lost.signal]);
  let done = 0;
  let renewedAt = performance.now();

  async function renew(): Promise<void> {
    // 1 is for the row that is ready.
    const kept = await claims.renew(claimed, Math.min(0.99, done / Math.max(1, total))).catch(() => null);
    if (kept) renewedAt = performance.now();
    if (kept === false) lost.abort(new ClaimLost(`export ${id} was deleted or taken up by another process`));
    if (performance.now() - renewedAt > deps.leaseMs)
      lost.abort(new ClaimLost(`export ${id}: its claim could not be renewed for ${deps.leaseMs} ms`));
  }
  let renewal = Promise.resolve();
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
  }, deps.renewMs);

  async function* rows(): AsyncGenerator<ExportRow> {
    for await (const row of exportRows(deps.ownerOf(tenantId), batchId)) {
      over.throwIfAborted();
      yield row;
      done++;
    }
  }
  const meter = createHashMeter();
  try {
    const source = Readable.from(write(rows(), { pixelSizeUm }, spool), {
      objectMode: false,
      highWaterMark: BUFFER_BYTES,
    });
    const target = createWriteStream(temporary, { flags: 'wx', flush: true });
    await pipeline(source, meter.stream, target, { signal: over }).catch((error: unknown) => {
      // pipeline() says AbortError, whatever the reason was.
      over.throwIfAborted();
      throw error;
    });
    // Of its random end: batches that were begun in one minute have the same beginning.
    const fileName = `segbench-${batchId.slice(-8)}.${extension}`;
    const finished = { ...meter.result(), mimeType, fileName };
    const kept = await claims.finish(claimed, finished, () => storage.place(temporary, storage.exportPath(id), true));
    if (!kept) throw new ClaimLost(`export ${id} was deleted or taken up by another process`);
  } finally {
    clearInterval(timer);
    await renewal;
    for (const path of [temporary, spool]) await storage.discard(path).catch(() => {});
  }
}
