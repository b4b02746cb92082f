import type { Base } from './bases.ts';

/** A piece of a file that its format gives a meaning: a chunk, a segment, an entry of a directory. */
export interface Piece {
  start: number;
  end: number;
  /** Where its length stands, and in how many bytes; null where it has none. */
  length: { at: number; bytes: 2 | 4 | 8; little: boolean } | null;
}

function png(bytes: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = Math.min(bytes.length, at + 12 + bytes.readUInt32BE(at));
    pieces.push({ start: at, end, length: { at, bytes: 4, little: false } });
    at = end;
  }
  return pieces;
}
function jpeg(bytes: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    let end = Math.min(bytes.length, at + 2 + bytes.readUInt16BE(at + 2));
    // Entropy-coded data belongs to its scan.
    if (bytes[at + 1] === 0xda)
      while (end + 1 < bytes.length && !(bytes[end] === 0xff && bytes[end + 1]! >= 0xc0 && !isRestart(bytes[end + 1]!)))
        end++;
    pieces.push({ start: at, end, length: { at: at + 2, bytes: 2, little: false } });
    at = end;
  }
  return pieces;
}
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;
function webp(bytes: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32LE(at + 4);
    const end = Math.min(bytes.length, at + 8 + size + (size % 2));
    pieces.push({ start: at, end, length: { at: at + 4, bytes: 4, little: true } });
    at = end;
  }
  return pieces;
}
/** Entries of all directories; their counts are the lengths. */
function tiff(bytes: Buffer): Piece[] {
  const little = bytes[0] === 0x49;
  const big = (little ? bytes.readUInt16LE(2) : bytes.readUInt16BE(2)) === 43;
  const number = (at: number, size: 2 | 4 | 8) => {
    if (size === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    if (size === 4) return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  };
  const [word, entry, head] = big ? ([8, 20, 8] as const) : ([4, 12, 2] as const);
  const pieces: Piece[] = [];
  const seen = new Set<number>();
  for (let at = number(big ? 8 : 4, word); at > 0 && at + head <= bytes.length && !seen.has(at);) {
    seen.add(at);
    const count = number(at, head);
    const end = at + head + count * entry;
    if (end + word > bytes.length) break;
    for (let i = 0; i < count; i++) {
      const start = at + head + i * entry;
      pieces.push({ start, end: start + entry, length: { at: start + 4, bytes: word, little } });
    }
    pieces.push({ start: end, end: end + word, length: { at: end, bytes: word, little } });
    at = number(end, word);
  }
  return pieces;
}
const READERS = { png, jpeg, tiff, webp };

/** The pieces of a well-formed file, in order. */
export const piecesOf = ({ format, bytes }: Base): Piece[] => READERS[format](bytes);
