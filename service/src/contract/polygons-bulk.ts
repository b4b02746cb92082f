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
  results: Map<string, { meta: BulkMeta; polygons: Uint8Array } | null>;
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

/**
 * A whole reply. Payloads are not decoded: `decodePolygons` checks each when it is used.
 * @throws RangeError when the bytes are cut, damaged, or not of this version.
 */
export function decodeBulk(bytes: Uint8Array): BulkReply {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION)
    throw new RangeError(`not a polygons reply of version ${VERSION}: ${bytes.length} bytes`);
  const results: BulkReply['results'] = new Map();
  for (let at = HEADER_BYTES; ;) {
    if (at + RECORD_BYTES > bytes.length) throw new RangeError(`reply cut off at byte ${bytes.length}, in a record`);
    const [kind, metaLength, payloadLength] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const metaAt = at + RECORD_BYTES;
    const payloadAt = metaAt + metaLength;
    if (payloadAt + payloadLength > bytes.length)
      throw new RangeError(`record at byte ${at} ends at ${payloadAt + payloadLength}, the reply at ${bytes.length}`);
    if (view.getUint32(at + 12, true) !== checksum(bytes, metaAt, metaLength))
      throw new RangeError(`record at byte ${at} is damaged`);
    const meta = parse(bytes.subarray(metaAt, payloadAt), at);
    at = payloadAt + payloadLength;
    if (kind === TRAILER) {
      if (at !== bytes.length) throw new RangeError(`${bytes.length - at} bytes after the last record`);
      return { results, ...trailerOf(meta) };
    }
    const { imageId } = meta;
    if (typeof imageId !== 'string') throw new RangeError(`record before byte ${at} has no imageId`);
    if (kind === NULL) results.set(imageId, null);
    else if (kind === RESULT)
      results.set(imageId, { meta: { ...meta, imageId }, polygons: bytes.subarray(payloadAt, at) });
    else throw new RangeError(`record before byte ${at} is of unknown kind ${kind}`);
  }
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
