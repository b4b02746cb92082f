import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { addressOf } from '#contract/client.ts';
import type { HttpClient } from './http-client.ts';
import { parallel } from './parallel.ts';

const MIB = 1024 * 1024;

/** The block of pseudo-random bytes that a file is made of (xorshift32): it neither compresses nor repeats by range. */
function randomBlock(seed: number): Buffer {
  const words = new Uint32Array(MIB / 4);
  let state = seed | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer);
}

export interface LargeFile {
  exportId: string;
  sizeBytes: number;
  /** SHA-256 of each MiB, in order. */
  blockHashes: string[];
  remove(): Promise<void>;
}

/** Puts a file of `mebibytes` and its row where a finished export would be: no route makes one of a chosen size. */
export async function seedLargeFile(options: {
  sql: Sql;
  dataDir: string;
  batchId: string;
  mebibytes: number;
  seed: number;
}): Promise<LargeFile> {
  const { sql, dataDir, batchId, mebibytes, seed } = options;
  const exportId = randomUUID();
  const folder = join(dataDir, 'exports');
  await mkdir(folder, { recursive: true });
  const path = join(folder, exportId);
  const blockHashes: string[] = [];
  const file = await open(path, 'wx');
  try {
    const block = randomBlock(seed);
    for (let index = 0; index < mebibytes; index++) {
      block.writeUInt32LE(index, 0);
      blockHashes.push(createHash('sha256').update(block).digest('hex'));
      await file.write(block);
    }
  } finally {
    await file.close();
  }
  const sizeBytes = mebibytes * MIB;
  await sql`
    INSERT INTO exports (id, batch_id, format, status, progress, file_name, mime_type, size_bytes, etag, finished_at)
    VALUES (${exportId}, ${batchId}, 'ndjson', 'ready', 1, 'large.ndjson', 'application/x-ndjson', ${sizeBytes},
            ${createHash('sha256').update(blockHashes.join('')).digest('hex')}, now())`;
  return {
    exportId,
    sizeBytes,
    blockHashes,
    async remove() {
      await sql`DELETE FROM exports WHERE id = ${exportId}`;
      await rm(path, { force: true });
    },
  };
}

/** Ranges of 1, 2, … MiB up to `maxBytes` in turn that cover the file once, each starting and ending on a MiB. */
export function rangesOf(sizeBytes: number, maxBytes: number): { first: number; last: number }[] {
  const sizes = Math.max(1, Math.floor(maxBytes / MIB));
  const ranges: { first: number; last: number }[] = [];
  for (let first = 0; first < sizeBytes;) {
    const length = Math.min(((ranges.length % sizes) + 1) * MIB, sizeBytes - first);
    ranges.push({ first, last: first + length - 1 });
    first += length;
  }
  return ranges;
}

/** `clients` connections read the whole file once, by ranges; every byte is checked against the hash of what was written. */
export async function downloadRanges(options: {
  client: HttpClient;
  file: LargeFile;
  clients: number;
  maxRangeBytes: number;
  signal?: AbortSignal;
  onProgress?: (bytes: number) => void;
}): Promise<{ bytes: number; durationMs: number }> {
  const { client, file, clients, maxRangeBytes, signal, onProgress } = options;
  const started = performance.now();
  const path = addressOf('GET /api/download/{exportId}', { path: { exportId: file.exportId } });
  let bytes = 0;
  await parallel(
    rangesOf(file.sizeBytes, maxRangeBytes),
    clients,
    async ({ first, last }) => {
      const name = `bytes ${first}-${last} of ${file.exportId}`;
      const reply = await client.request(path, {
        headers: { range: `bytes=${first}-${last}` },
        signal,
      });
      if (reply.status !== 206) throw new Error(`${name}: status ${reply.status}, expected 206`);
      if (reply.body.length !== last - first + 1) throw new Error(`${name}: got ${reply.body.length} bytes`);
      for (let offset = 0; offset < reply.body.length; offset += MIB) {
        const hash = createHash('sha256')
          .update(reply.body.subarray(offset, offset + MIB))
          .digest('hex');
        if (hash !== file.blockHashes[(first + offset) / MIB])
          throw new Error(`${name}: content differs at +${offset}`);
      }
      bytes += reply.body.length;
      onProgress?.(bytes);
    },
    signal,
  );
  return { bytes, durationMs: performance.now() - started };
}
