import { IMAGE_STATUSES, type ImageStatus } from './names.ts';

/**
 * `GET /api/projects/:id/index`, `application/octet-stream`, little endian:
 *
 * | offset | bytes | what |
 * | --- | --- | --- |
 * | 0 | 4 | magic "SBIX" |
 * | 4 | 4 | uint32 version = 1 |
 * | 8 | 4 | uint32 n, number of images |
 * | 12 | 4 | uint32 length in bytes of the epoch string |
 * | 16 | 8 | float64 seq: the events up to and including this number are contained |
 * | 24 | e | epoch, UTF-8, padded with zeros to a multiple of 4 |
 * | 24+e | 16·n | ids: 16 bytes each, the UUID's bytes in text order |
 * | … | n | status: uint8, position in IMAGE_STATUSES |
 * | … | 3·n | average colour: r, g, b |
 *
 * Images stand in list order (createdAt, then id, ascending).
 */
export interface ProjectIndex {
  epoch: string;
  seq: number;
  count: number;
  /** 16 bytes an image. */
  ids: Uint8Array;
  statuses: Uint8Array;
  /** r, g, b an image. */
  colours: Uint8Array;
}

/** Images of each status. */
export type ImageCounts = Readonly<Record<ImageStatus, number>>;
/** The header that tells them of all images beside an index of the first ones: a dictionary of structured fields (RFC 9651). */
export const IMAGE_COUNTS = 'image-counts';

export const formatCounts = (counts: ImageCounts): string =>
  IMAGE_STATUSES.map((status) => `${status}=${counts[status]}`).join(', ');
/** Zeros for what is not told. */
export function countsIn(header: string | null): ImageCounts {
  const told = new Map(header?.split(',').map((member) => member.trim().split('=') as [string, string]));
  return Object.fromEntries(IMAGE_STATUSES.map((status) => [status, Number(told.get(status) ?? 0)])) as ImageCounts;
}

const MAGIC = 0x58494253;
const HEADER = 24;
const padded = (length: number) => (length + 3) & ~3;

export function encodeIndex(index: ProjectIndex): Uint8Array<ArrayBuffer> {
  const epoch = new TextEncoder().encode(index.epoch);
  const start = HEADER + padded(epoch.length);
  const out = new Uint8Array(start + index.count * 20);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, index.count, true);
  view.setUint32(12, epoch.length, true);
  view.setFloat64(16, index.seq, true);
  out.set(epoch, HEADER);
  out.set(index.ids.subarray(0, index.count * 16), start);
  out.set(index.statuses.subarray(0, index.count), start + index.count * 16);
  out.set(index.colours.subarray(0, index.count * 3), start + index.count * 17);
  return out;
}

/** @throws RangeError when the bytes are not a version 1 index. The arrays are views into `bytes`. */
export function decodeIndex(bytes: Uint8Array): ProjectIndex {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 1)
    throw new RangeError('not a segbench index of version 1');
  const count = view.getUint32(8, true);
  const epochLength = view.getUint32(12, true);
  const start = HEADER + padded(epochLength);
  if (bytes.length !== start + count * 20)
    throw new RangeError(`index of ${count} images is ${bytes.length} bytes, expected ${start + count * 20}`);
  return {
    epoch: new TextDecoder().decode(bytes.subarray(HEADER, HEADER + epochLength)),
    seq: view.getFloat64(16, true),
    count,
    ids: bytes.subarray(start, start + count * 16),
    statuses: bytes.subarray(start + count * 16, start + count * 17),
    colours: bytes.subarray(start + count * 17),
  };
}
