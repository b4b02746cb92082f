const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Text form of the UUID at row `index` of a table of 16 bytes a row. */
export function uuidAt(ids: Uint8Array, index: number): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[ids[index * 16 + i] ?? 0];
  }
  return text;
}

/** Writes the 16 bytes of a UUID to `out`; false when `text` is not one. */
export function parseUuid(text: string, out: Uint8Array): boolean {
  if (text.length !== 36) return false;
  let nibbles = 0;
  let byte = 0;
  for (let i = 0; i < 36; i++) {
    const code = text.charCodeAt(i);
    if (code === 45) continue;
    const lower = code | 32;
    const value = code >= 48 && code <= 57 ? code - 48 : lower >= 97 && lower <= 102 ? lower - 87 : -1;
    if (value < 0 || nibbles >= 32) return false;
    byte = (byte << 4) | value;
    if (nibbles & 1) {
      out[nibbles >> 1] = byte;
      byte = 0;
    }
    nibbles++;
  }
  return nibbles === 32;
}

/** Four words a row; a view where the bytes are aligned, as those of an index are. */
function wordsOf(ids: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = ids.byteOffset % 4 === 0 ? ids : ids.slice();
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** Rows that a table has entered when it is first asked; those of a screen lie among the first. */
const FIRST_ROWS = 1024;

/**
 * UUID to row number by open addressing on typed arrays: 100,000 ids take 1 MB, where a Map of strings takes ten.
 * `ids` holds 16 bytes a row and is kept, not copied. Rows are entered as they are looked for, from the first on.
 */
export function createIdTable(ids: Uint8Array, count: number) {
  let capacity = 16;
  while (capacity < count * 2) capacity *= 2;
  const mask = capacity - 1;
  /** 1 more than a row, or 0. */
  const slots = new Int32Array(capacity);
  let entered = 0;
  const rows = wordsOf(ids);
  const parsed = new Uint8Array(16);

  const slotOf = (words: Uint32Array, row: number): number => {
    // Over all of it: the first words of a version 7 UUID are a clock and nearly equal.
    let hash = 0;
    for (let at = row * 4; at < row * 4 + 4; at++) {
      hash = Math.imul(hash ^ words[at]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash & mask;
  };
  function enter(to: number): void {
    for (; entered < to; entered++) {
      let slot = slotOf(rows, entered);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entered + 1;
    }
  }
  /** @returns for a row of another table the row here of the same id, or -1 */
  function finderOf(others: Uint8Array): (row: number) => number {
    const words = wordsOf(others);
    const among = (other: number): number => {
      for (let slot = slotOf(words, other); ; slot = (slot + 1) & mask) {
        const row = slots[slot]! - 1;
        if (row === -1) return -1;
        const [at, to] = [row * 4, other * 4];
        if (
          rows[at] === words[to] &&
          rows[at + 1] === words[to + 1] &&
          rows[at + 2] === words[to + 2] &&
          rows[at + 3] === words[to + 3]
        )
          return row;
      }
    };
    return (other) => {
      let row = among(other);
      while (row === -1 && entered < count) {
        enter(Math.min(count, Math.max(FIRST_ROWS, entered * 8)));
        row = among(other);
      }
      return row;
    };
  }
  const findParsed = finderOf(parsed);
  return {
    /** Row of `id`, or -1. */
    find: (id: string): number => (parseUuid(id, parsed) ? findParsed(0) : -1),
    finderOf,
  };
}
