import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Multipart } from '@fastify/multipart';

/** What an upload carries, whatever its boundary: the parts in order, each with its field, its name and its bytes' SHA-256. */
export function createFingerprint() {
  const hash = createHash('sha256');
  return {
    add(part: { fieldname: string; filename?: string | undefined }, sha256: string): void {
      hash.update(`${JSON.stringify([part.fieldname, part.filename ?? '', sha256])}\n`);
    },
    value: (): Buffer => hash.digest(),
  };
}

/** SHA-256 of what is left of a stream. */
export async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Reads a whole upload and keeps nothing of it but its fingerprint. */
export async function fingerprintOf(parts: AsyncIterable<Multipart>): Promise<Buffer> {
  const fingerprint = createFingerprint();
  for await (const part of parts) fingerprint.add(part, part.type === 'file' ? await digestOf(part.file) : '');
  return fingerprint.value();
}
