import { deflateSync } from 'node:zlib';
import type { Crafted } from './corpus.ts';

/** Tag, type, count, value or offset. */
type Entry = [tag: number, type: number, count: number, value: number];
const SHORT = 3;
const LONG = 4;

/** Little-endian TIFF: header, directories one after the other (each with where the next is; default: behind it, 0 for the last), data. */
function tiff(
  directories: readonly (readonly Entry[])[],
  data: Uint8Array,
  next?: (index: number, offsets: number[]) => number,
): Buffer {
  const offsets: number[] = [];
  let at = 8;
  for (const entries of directories) {
    offsets.push(at);
    at += 2 + entries.length * 12 + 4;
  }
  const out = Buffer.alloc(at);
  out.write('II*\0', 0, 'latin1');
  out.writeUInt32LE(8, 4);
  for (const [index, entries] of directories.entries()) {
    const start = offsets[index]!;
    out.writeUInt16LE(entries.length, start);
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      const field = start + 2 + i * 12;
      out.writeUInt16LE(tag, field);
      out.writeUInt16LE(type, field + 2);
      out.writeUInt32LE(count >>> 0, field + 4);
      out.writeUInt32LE(value >>> 0, field + 8);
    }
    out.writeUInt32LE(next ? next(index, offsets) : (offsets[index + 1] ?? 0), start + 2 + entries.length * 12);
  }
  return Buffer.concat([out, data]);
}
/** The usual directory of 20 x 20 gray pixels in one strip; `change` gives other values by tag, null leaves one out. */
function directory(change: Record<number, number | null> = {}, dataAt = 0): Entry[] {
  const usual: Entry[] = [
    [256, LONG, 1, 20],
    [257, LONG, 1, 20],
    [258, SHORT, 1, 8],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, 1],
    [273, LONG, 1, dataAt],
    [277, SHORT, 1, 1],
    [278, LONG, 1, 20],
    [279, LONG, 1, 400],
  ];
  const known = new Set(usual.map(([tag]) => tag));
  const more = Object.entries(change)
    .filter(([tag, value]) => !known.has(Number(tag)) && value !== null)
    .map(([tag, value]): Entry => [Number(tag), LONG, 1, value!]);
  const kept = usual.flatMap((entry): Entry[] => {
    if (!(entry[0] in change)) return [entry];
    const value = change[entry[0]];
    return value === null || value === undefined ? [] : [[entry[0], LONG, 1, value]];
  });
  return [...kept, ...more].toSorted(([a], [b]) => a - b);
}
/** One page with its pixels behind the directory. */
function page(change: Record<number, number | null> = {}, data: Uint8Array = Buffer.alloc(400, 7)): Buffer {
  const entries = directory(change);
  const dataAt = 8 + 2 + entries.length * 12 + 4;
  const placed = 273 in change ? change : { ...change, 273: dataAt };
  return tiff([directory(placed)], data);
}

const INVALID = ['INVALID_IMAGE'];
const EITHER = ['accepted', 'INVALID_IMAGE'];
const ANY = ['accepted', 'INVALID_IMAGE', 'IMAGE_TOO_LARGE'];

export function craftedTiff(): Crafted[] {
  const many = (count: number) =>
    tiff(
      Array.from({ length: count }, () => directory({}, 8)),
      Buffer.alloc(400),
    );
  const bomb = deflateSync(Buffer.alloc(300_000_000), { level: 9 });
  const bigHead = Buffer.from('II+\0\x08\0\0\0', 'latin1');
  const u64 = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  return [
    ['TIFF as it should be', page(), ['accepted']],
    ['TIFF whose directory leads to itself', tiff([directory({}, 8)], Buffer.alloc(400), () => 8), EITHER],
    [
      'TIFF of two directories that lead to each other',
      tiff([directory({}, 8), directory({}, 8)], Buffer.alloc(400), (at, offsets) => offsets[1 - at]!),
      EITHER,
    ],
    ['TIFF of 12,000 directories', many(12_000), EITHER],
    ['TIFF of 70,000 directories', many(70_000), EITHER],
    [
      'TIFF whose next directory lies behind its end',
      tiff([directory({}, 8)], Buffer.alloc(400), () => 0xffff_fff0),
      EITHER,
    ],
    ['TIFF whose directory lies behind its end', Buffer.from('II*\0\xff\xff\xff\x7f', 'latin1'), INVALID],
    ['TIFF whose directory is its header', Buffer.from('II*\0\0\0\0\0', 'latin1'), INVALID],
    ['TIFF with a directory inside that is its own', page({ 330: 8 }), EITHER],
    ['TIFF with EXIF that is its own directory', page({ 34665: 8 }), EITHER],
    ['TIFF of no width', page({ 256: 0 }), INVALID],
    ['TIFF of no height', page({ 257: 0 }), INVALID],
    ['TIFF without a width', page({ 256: null }), INVALID],
    ['TIFF of 60,000 x 60,000', page({ 256: 60_000, 257: 60_000, 278: 60_000 }), ['IMAGE_TOO_LARGE', 'INVALID_IMAGE']],
    ['TIFF of 4,294,967,295 x 1', page({ 256: 0xffff_ffff, 257: 1 }), ['IMAGE_TOO_LARGE', 'INVALID_IMAGE']],
    ['TIFF of 65,535 samples a pixel', page({ 277: 65_535 }), ANY],
    ['TIFF of 0 samples a pixel', page({ 277: 0 }), ANY],
    ['TIFF of 7 bits', page({ 258: 7 }), EITHER],
    ['TIFF of 64 bits', page({ 258: 64 }), INVALID],
    ['TIFF of 65,535 bits', page({ 258: 65_535 }), INVALID],
    ['TIFF of 0 bits', page({ 258: 0 }), EITHER],
    ['TIFF of half floats', page({ 258: 16, 339: 3 }, Buffer.alloc(800, 60)), EITHER],
    ['TIFF of complex numbers', page({ 258: 64, 339: 6, 279: 3200 }, Buffer.alloc(3200, 60)), EITHER],
    ['TIFF of void samples', page({ 339: 4 }), EITHER],
    ['TIFF of an unknown compression', page({ 259: 50_000 }), INVALID],
    ['TIFF of LZW that is none', page({ 259: 5 }), INVALID],
    ['TIFF of deflate that is none', page({ 259: 8 }), INVALID],
    ['TIFF of CCITT that is none', page({ 259: 4, 258: 1 }, Buffer.alloc(400, 255)), EITHER],
    ['TIFF of JPEG that is none', page({ 259: 7 }), INVALID],
    ['TIFF of the old JPEG', page({ 259: 6 }), INVALID],
    ['TIFF of PackBits that runs over', page({ 259: 32_773 }, Buffer.alloc(400, 0x81)), EITHER],
    ['TIFF of ZSTD, WebP or LERC inside', page({ 259: 34_887 }), INVALID],
    ['TIFF whose strip unpacks to 300 MB', page({ 259: 8, 279: bomb.length }, bomb), EITHER],
    ['TIFF of 300,000,000 bytes in a strip that is not there', page({ 279: 300_000_000 }), EITHER],
    ['TIFF of strips without bytes', page({ 279: 0 }), EITHER],
    ['TIFF whose strip lies behind its end', page({ 273: 0x7fff_ffff }), INVALID],
    ['TIFF whose strip is its header', page({ 273: 0 }), EITHER],
    ['TIFF of 0 rows a strip', page({ 278: 0 }), EITHER],
    ['TIFF of 4,294,967,295 rows a strip', page({ 278: 0xffff_ffff }), EITHER],
    ['TIFF of tiles of no width', page({ 322: 0, 323: 16, 324: 8, 325: 16 }), INVALID],
    ['TIFF of tiles of 2,147,483,632', page({ 322: 0x7fff_fff0, 323: 0x7fff_fff0, 324: 8, 325: 16 }), EITHER],
    ['TIFF of a palette that is not there', page({ 262: 3 }), EITHER],
    ['TIFF of an unknown meaning of colours', page({ 262: 40_000 }), EITHER],
    ['TIFF of CIE Lab in one band', page({ 262: 8 }), EITHER],
    ['TIFF of YCbCr in one band', page({ 262: 6 }), EITHER],
    ['TIFF of a profile behind its end', page({ 34675: 0x7fff_ffff }), EITHER],
    ['TIFF whose samples lie in planes', page({ 277: 3, 284: 2 }), INVALID],
    [
      'TIFF of 65,535 entries',
      Buffer.concat([Buffer.from('II*\0\x08\0\0\0\xff\xff', 'latin1'), Buffer.alloc(4000, 1)]),
      INVALID,
    ],
    [
      'TIFF of entries of an unknown type',
      tiff([directory({}, 122).map(([tag, , count, value]): Entry => [tag, 99, count, value])], Buffer.alloc(400)),
      INVALID,
    ],
    [
      'TIFF of entries that count 4 milliards',
      tiff(
        [directory({}, 122).map(([tag, type, , value]): Entry => [tag, type, 0xffff_ffff, value])],
        Buffer.alloc(400),
      ),
      INVALID,
    ],
    [
      'TIFF whose entries come twice',
      tiff([[...directory({}, 122), ...directory({}, 122)]], Buffer.alloc(400)),
      EITHER,
    ],
    ['TIFF whose entries come backwards', tiff([directory({}, 122).toReversed()], Buffer.alloc(400)), EITHER],
    ['TIFF of the first bytes alone', Buffer.from('MM\0*', 'latin1'), INVALID],
    ['BigTIFF of 2^60 entries', Buffer.concat([bigHead, u64(16n), u64(2n ** 60n), Buffer.alloc(64)]), INVALID],
    ['BigTIFF whose directory lies at 2^63', Buffer.concat([bigHead, u64(2n ** 63n)]), INVALID],
    [
      'BigTIFF whose offsets have 3 bytes',
      Buffer.concat([Buffer.from('II+\0\x03\0\0\0', 'latin1'), u64(16n), Buffer.alloc(64)]),
      INVALID,
    ],
  ].map(([what, bytes, becomes]) => ({ what, bytes, becomes }) as Crafted);
}
