import type { Entry } from './query.ts';
import type { Form, Shape } from './forms.ts';

const CHUNK_BYTES = 64 * 1024;
/** Around `missing` and `nextCursor` in every form. */
const TAIL_BYTES = 256;
const BYTES_PER_MISSING = 40;

/**
 * Writes entries in a form, in chunks of about 64 KiB, reading on only as fast as the chunks are taken. With `maxBytes` the whole
 * reply stays within it by ending early with a cursor; one entry is written however large it is, so that every page gets on.
 */
export async function* writeBulk(
  entries: AsyncIterable<Entry>,
  form: Form,
  shape: Shape,
  maxBytes: number = Infinity,
): AsyncGenerator<Buffer> {
  const missing: string[] = [];
  let pending: Buffer[] = [form.head()];
  let pendingBytes = pending[0]!.length;
  let total = pendingBytes;
  let written = 0;
  let cursor: string | null = null;
  let nextCursor: string | null = null;
  for await (const entry of entries) {
    if (entry.missing) missing.push(entry.imageId);
    const first = written === 0;
    const piece = entry.missing
      ? Buffer.alloc(0)
      : entry.stored
        ? form.result({ ...entry, stored: entry.stored }, shape, first)
        : form.none(entry.imageId, first);
    if (cursor !== null && total + piece.length + TAIL_BYTES + missing.length * BYTES_PER_MISSING > maxBytes) {
      if (entry.missing) missing.pop();
      nextCursor = cursor;
      break;
    }
    cursor = entry.cursor;
    if (piece.length === 0) continue;
    written++;
    total += piece.length;
    pendingBytes += piece.length;
    pending.push(piece);
    if (pendingBytes >= CHUNK_BYTES) {
      yield Buffer.concat(pending, pendingBytes);
      pending = [];
      pendingBytes = 0;
    }
  }
  yield Buffer.concat([...pending, form.tail({ missing, nextCursor })]);
}
