import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHashMeter } from '../hash-meter.ts';
import type { Storage } from '../storage.ts';
import { parseFileName } from './file-name.ts';
import { digestOf } from './fingerprint.ts';
import { isRefusal, type ImageFacts, type Refusal } from './refusal.ts';
import type { Inspectors } from './inspectors.ts';

export interface Accepted extends ImageFacts {
  name: string;
  relativePath: string | null;
  temporary: string;
  sha256: string;
  sizeBytes: number;
  startedAt: Date;
  /** From the part's first byte to its decoded picture. */
  receivedMs: number;
}
export type Received = { accepted: Accepted } | { rejected: Refusal & { name: string } };

/** One part of a multipart body; `truncated` is set when it was cut at the size limit. */
export type PartStream = Readable & { truncated?: boolean };

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Streams one file to `tmp` while hashing. The returned `finish` decodes and syncs it, and may run beside the next part.
 * A temporary file that is not `accepted` is gone when this settles, however it settles.
 */
export async function receiveFile(
  part: { filename: string | undefined; file: PartStream },
  deps: {
    storage: Storage;
    inspect: Inspectors['inspect'];
    maxFileBytes: number;
    maxPixels: number;
    onTemporary: (file: string) => void;
  },
): Promise<{ finish: () => Promise<Received>; sha256: string }> {
  const { storage } = deps;
  const startedAt = new Date();
  const begin = performance.now();
  const given = part.filename ?? '';
  const named = parseFileName(part.filename);
  const refuse = (sha256: string, code: Refusal['code'], message: string) => {
    const rejected = { name: given.slice(0, 1024), code, message };
    return { finish: () => Promise.resolve<Received>({ rejected }), sha256 };
  };
  if (typeof named === 'string') return refuse(await digestOf(part.file), 'INVALID_NAME', named);

  const temporary = storage.temporaryPath();
  deps.onTemporary(temporary);
  const meter = createHashMeter();
  await pipeline(part.file, meter.stream, createWriteStream(temporary, { flags: 'wx' }));
  const { sizeBytes, sha256 } = meter.result();
  if (part.file.truncated) {
    await storage.discard(temporary);
    return refuse(sha256, 'FILE_TOO_LARGE', `over ${deps.maxFileBytes} bytes`);
  }
  if (sizeBytes === 0) {
    await storage.discard(temporary);
    return refuse(sha256, 'EMPTY_FILE', 'the file has no bytes');
  }
  const finish = async (): Promise<Received> => {
    const facts = await deps.inspect(temporary, deps.maxPixels);
    if (isRefusal(facts)) {
      await storage.discard(temporary);
      return { rejected: { name: given, ...facts } };
    }
    await sync(temporary);
    const receivedMs = performance.now() - begin;
    return { accepted: { ...named, ...facts, temporary, sha256, sizeBytes, startedAt, receivedMs } };
  };
  return { finish, sha256 };
}
