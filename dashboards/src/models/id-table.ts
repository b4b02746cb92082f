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

/**
 * UUID to row number by open addressing on typed arrays: 100,000 ids take 1 MB, where a Map of strings takes ten.
 * `ids` holds 16 bytes a row and is kept, not copied.
 */
export function createIdTable(ids: Uint8Array, count: number) {
  let capacity = 16;
  while (capacity < count * 2) capacity *= 2;
  const mask = capacity - 1;
  const rows = new Int32Array(capacity).fill(-1);
  const scratch = new Uint8Array(16);

  const hash = (bytes: Uint8Array, at: number): number => {
    // FNV-1a over all bytes: the first ones of a version 7 UUID are a clock and nearly equal.
    let value = 0x811c9dc5;
    for (let i = 0; i < 16; i++) value = Math.imul(value ^ (bytes[at + i] ?? 0), 0x01000193);
    return (value ^ (value >>> 15)) & mask;
  };
  const same = (row: number): boolean => {
    for (let i = 0; i < 16; i++) if (ids[row * 16 + i] !== scratch[i]) return false;
    return true;
  };
  for (let row = 0; row < count; row++) {
    let slot = hash(ids, row * 16);
    while (rows[slot] !== -1) slot = (slot + 1) & mask;
    rows[slot] = row;
  }
  const lookUp = (): number => {
    for (let slot = hash(scratch, 0); ; slot = (slot + 1) & mask) {
      const row = rows[slot] ?? -1;
      if (row === -1 || same(row)) return row;
    }
  };
  return {
    /** Row of `id`, or -1. */
    find: (id: string): number => (parseUuid(id, scratch) ? lookUp() : -1),
    /** Row here of the id at row `index` of another table, or -1. */
    findRow(other: Uint8Array, index: number): number {
      scratch.set(other.subarray(index * 16, index * 16 + 16));
      return lookUp();
    },
  };
}
