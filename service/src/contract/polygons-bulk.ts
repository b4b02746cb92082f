import { crc32 } from './crc32.ts';
import type { Result } from './results.ts';

/** Everything of a `Result` but its polygons, or the part of it that was asked for. */
export type BulkMeta = Partial<Omit<Result, 'polygons'>> & { imageId: string };
export interface BulkTrailer {
  missing: string[];
  nextCursor: string | null;
}
export interface BulkReply extends BulkTrailer {
  /** null = known, no result. `polygons` is a view into the reply, empty when they were not asked for. */
  results: Map<string, BulkResult>;
}

/** "SBPB" and the version, little endian. */
const MAGIC = 0x42504253;
const VERSION = 1;
const HEADER_BYTES = 8;
const RECORD_BYTES = 16;
const RESULT = 1;
const NULL = 2;
const TRAILER = 255;
const NOTHING = new Uint8Array(0);

export function encodeBulkHeader(): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(HEADER_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, VERSION, true);
  return out;
}

/** One result; the payload (bytes of `encodePolygons`, or none) is copied through untouched. */
export const encodeBulkResult = (meta: BulkMeta, payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  record(RESULT, meta, payload);
/** An image that is known and has no result. */
export const encodeBulkNull = (imageId: string): Uint8Array<ArrayBuffer> => record(NULL, { imageId }, NOTHING);
/** The last record; a reply without it was cut. */
export const encodeBulkTrailer = ({ missing, nextCursor }: BulkTrailer): Uint8Array<ArrayBuffer> =>
  record(TRAILER, { missing, nextCursor }, NOTHING);

function record(kind: number, meta: unknown, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(meta));
  const out = new Uint8Array(RECORD_BYTES + json.length + payload.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, kind, true);
  view.setUint32(4, json.length, true);
  view.setUint32(8, payload.length, true);
  out.set(json, RECORD_BYTES);
  view.setUint32(12, checksum(out, RECORD_BYTES, json.length), true);
  out.set(payload, RECORD_BYTES + json.length);
  return out;
}

/** Over the first 12 bytes of the record and its metadata; the payload carries its own. */
const checksum = (bytes: Uint8Array, metaAt: number, metaLength: number): number =>
  (crc32(bytes.subarray(metaAt - RECORD_BYTES, metaAt - 4)) ^ crc32(bytes.subarray(metaAt, metaAt + metaLength))) >>> 0;

/** What comes of one record: `null` for an image that is known and has no result. */
export type BulkResult = { meta: BulkMeta; polygons: Uint8Array } | null;

/**
 * Reads a reply in pieces of any size, as they come. Payloads are not decoded: `decodePolygons` checks each when it is used.
 * `onResult` gets views into what was pushed: copy what must outlive the reply.
 */
export function createBulkDecoder(onResult: (imageId: string, result: BulkResult) => void) {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** Bytes from which on reading gets further. */
  let need = HEADER_BYTES;
  /** Where `held` begins in the reply. */
  let at = 0;
  let trailer: BulkTrailer | null = null;

  /** Reads one record, or the header, off the front. @returns its bytes; 0 where it is not here yet, and then `need` says how many it takes */
  function readOne(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (at === 0) {
      if (bytes.length < HEADER_BYTES) return 0;
      if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION)
        throw new RangeError(`not a polygons reply of version ${VERSION}`);
      need = RECORD_BYTES;
      return HEADER_BYTES;
    }
    need = RECORD_BYTES;
    if (bytes.length < RECORD_BYTES) return 0;
    const payloadAt = RECORD_BYTES + view.getUint32(4, true);
    const end = payloadAt + view.getUint32(8, true);
    need = end;
    // The metadata is looked at as soon as it is here: a damaged length must not be waited for.
    if (bytes.length < payloadAt) return 0;
    if (view.getUint32(12, true) !== checksum(bytes, RECORD_BYTES, payloadAt - RECORD_BYTES))
      throw new RangeError(`record at byte ${at} is damaged`);
    if (bytes.length < end) return 0;
    take(view.getUint32(0, true), parse(bytes.subarray(RECORD_BYTES, payloadAt), at), bytes.subarray(payloadAt, end));
    need = RECORD_BYTES;
    return end;
  }
  function take(kind: number, meta: Record<string, unknown>, polygons: Uint8Array): void {
    if (kind === TRAILER) {
      trailer = trailerOf(meta);
      return;
    }
    const { imageId } = meta;
    if (typeof imageId !== 'string' || (kind !== NULL && kind !== RESULT))
      throw new RangeError(`record at byte ${at}: kind ${kind}, imageId ${String(imageId)}`);
    onResult(imageId, kind === NULL ? null : { meta: { ...meta, imageId }, polygons });
  }
  return {
    /** @throws RangeError when the bytes are damaged or not of this version. */
    push(piece: Uint8Array): void {
      held.push(piece);
      heldBytes += piece.length;
      if (heldBytes < need && trailer === null) return;
      let bytes = held.length === 1 ? piece : joined(held, heldBytes);
      while (trailer === null) {
        const read = readOne(bytes);
        if (read === 0) break;
        at += read;
        bytes = bytes.subarray(read);
      }
      held = [bytes];
      heldBytes = bytes.length;
      if (trailer !== null && heldBytes > 0) throw new RangeError(`${heldBytes} bytes after the last record`);
    },
    /** @throws RangeError when the reply was cut. */
    end(): BulkTrailer {
      if (trailer === null) throw new RangeError(`reply cut off at byte ${at + heldBytes}`);
      return trailer;
    },
  };
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** A whole reply at once. @throws RangeError when the bytes are cut, damaged, or not of this version. */
export function decodeBulk(bytes: Uint8Array): BulkReply {
  const results: BulkReply['results'] = new Map();
  const decoder = createBulkDecoder((imageId, result) => results.set(imageId, result));
  decoder.push(bytes);
  return { results, ...decoder.end() };
}

function parse(bytes: Uint8Array, at: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below, like every other damage
  }
  throw new RangeError(`record at byte ${at}: metadata is not a JSON object`);
}

function trailerOf({ missing, nextCursor }: Record<string, unknown>): BulkTrailer {
  if (!Array.isArray(missing) || !missing.every((id): id is string => typeof id === 'string'))
    throw new RangeError('last record: missing is not a list of ids');
  if (nextCursor !== null && typeof nextCursor !== 'string')
    throw new RangeError('last record: nextCursor is neither a string nor null');
  return { missing, nextCursor };
}
