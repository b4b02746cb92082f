import type { Random } from '../random.ts';
import { wholeBetween } from '../random.ts';
import type { Base } from './bases.ts';
import { piecesOf, type Piece } from './structure.ts';

/** Numbers at which readers' sums overflow, or their loops do not end. */
const EXTREMES = [
  0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

const copyOf = (bytes: Uint8Array) => Buffer.from(bytes);
const pick = <T>(random: Random, list: readonly T[]): T => list[wholeBetween(random, 0, list.length - 1)]!;
const without = (bytes: Buffer, { start, end }: Piece) =>
  Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);

type Mutation = (base: Base, random: Random, pieces: readonly Piece[], other: Base) => Buffer;
/** Each leaves the first 12 bytes alone most of the time: what is not taken for its format is refused before anything reads it. */
const MUTATIONS: Record<string, Mutation> = {
  'flipped bits'({ bytes }, random) {
    const out = copyOf(bytes);
    for (let n = wholeBetween(random, 1, 12); n > 0; n--)
      out[wholeBetween(random, Math.min(12, out.length - 1), out.length - 1)]! ^= 1 << wholeBetween(random, 0, 7);
    return out;
  },
  'random bytes'({ bytes }, random) {
    const out = copyOf(bytes);
    const at = wholeBetween(random, 12, out.length - 1);
    const end = Math.min(out.length, at + wholeBetween(random, 1, 64));
    for (let i = at; i < end; i++) out[i] = wholeBetween(random, 0, 255);
    return out;
  },
  'a length of another size'({ bytes }, random, pieces) {
    const out = copyOf(bytes);
    const sized = pieces.filter(({ length }) => length !== null);
    if (sized.length === 0) return out;
    const { at, bytes: size, little } = pick(random, sized).length!;
    const value = pick(random, EXTREMES);
    const field = Buffer.alloc(8);
    if (little) field.writeUInt32LE(value, 0);
    else field.writeUInt32BE(value, 4);
    field.copy(out, at, little ? 0 : 8 - size, little ? size : 8);
    return out;
  },
  'extreme numbers inside'({ bytes }, random, pieces) {
    const out = copyOf(bytes);
    const { start, end } = pick(random, pieces);
    for (let n = wholeBetween(random, 1, 3); n > 0; n--) {
      const at = wholeBetween(random, start, Math.max(start, end - 4));
      if (at + 4 > out.length) continue;
      if (random() < 0.5) out.writeUInt32LE(pick(random, EXTREMES), at);
      else out.writeUInt32BE(pick(random, EXTREMES), at);
    }
    return out;
  },
  'a piece less': ({ bytes }, random, pieces) => without(bytes, pick(random, pieces)),
  'a piece many times'({ bytes }, random, pieces) {
    const { start, end } = pick(random, pieces);
    const times = Array.from({ length: wholeBetween(random, 1, 40) }, () => bytes.subarray(start, end));
    return Buffer.concat([bytes.subarray(0, end), ...times, bytes.subarray(end)]);
  },
  'a piece elsewhere'({ bytes }, random, pieces) {
    const moved = pick(random, pieces);
    const rest = without(bytes, moved);
    const at = Math.min(pick(random, pieces).start, rest.length);
    return Buffer.concat([rest.subarray(0, at), bytes.subarray(moved.start, moved.end), rest.subarray(at)]);
  },
  'the end of another file'({ bytes }, random, pieces, other) {
    const at = pick(random, pieces).end;
    return Buffer.concat([bytes.subarray(0, at), other.bytes.subarray(Math.min(at, other.bytes.length))]);
  },
  'bytes in between'({ bytes }, random, pieces) {
    const at = pick(random, pieces).start;
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.alloc(wholeBetween(random, 1, 5000), pick(random, [0, 255, 65])),
      bytes.subarray(at),
    ]);
  },
  'cut anywhere': ({ bytes }, random) => bytes.subarray(0, wholeBetween(random, 13, bytes.length - 1)),
};
const NAMES = Object.keys(MUTATIONS);

/** A base, changed once to three times. */
export function mutated(base: Base, other: Base, random: Random): { what: string; bytes: Buffer } {
  const names: string[] = [];
  let bytes = base.bytes;
  const pieces = piecesOf(base);
  for (let n = random() < 0.6 ? 1 : wholeBetween(random, 2, 3); n > 0; n--) {
    const name = pick(random, NAMES);
    names.push(name);
    // Pieces are those of the base: later changes may hit other places, which is no loss.
    const inside = pieces.filter(({ end }) => end <= bytes.length);
    if (bytes.length > 13 && inside.length > 0) bytes = MUTATIONS[name]!({ ...base, bytes }, random, inside, other);
  }
  return { what: `${base.name}: ${names.join(', ')}`, bytes };
}

/** A base, cut before, inside and behind each of its pieces. */
export function truncations(base: Base): { what: string; bytes: Buffer }[] {
  const cuts = new Set<number>();
  for (const { start, end } of piecesOf(base))
    for (const at of [start, start + 4, start + 8, Math.floor((start + end) / 2), end - 1, end]) cuts.add(at);
  return [...cuts]
    .filter((at) => at > 0 && at < base.bytes.length)
    .map((at) => ({ what: `${base.name}: cut at byte ${at}`, bytes: base.bytes.subarray(0, at) }));
}
