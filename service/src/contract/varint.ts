/**
 * Little-endian base-128 numbers (LEB128, as in Protocol Buffers) of at most 32 bits: 7 bits a byte, low ones first, the
 * top bit says that another byte follows. Signed ones are zigzag: 0, -1, 1, -2, … → 0, 1, 2, 3, …
 */
export interface VarintWriter {
  byte(value: number): void;
  uint32(value: number): void;
  unsigned(value: number): void;
  signed(value: number): void;
  /** What is written so far; valid until the next write. */
  view(): Uint8Array;
  /** A copy of exactly what was written. */
  finish(): Uint8Array<ArrayBuffer>;
}

export function createWriter(capacity: number): VarintWriter {
  let bytes = new Uint8Array(capacity);
  let at = 0;
  const room = () => {
    if (at + 5 <= bytes.length) return;
    const larger = new Uint8Array(bytes.length * 2 + 16);
    larger.set(bytes);
    bytes = larger;
  };
  const unsigned = (value: number) => {
    room();
    let rest = value;
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7;
    }
    bytes[at++] = rest;
  };
  return {
    byte(value) {
      room();
      bytes[at++] = value;
    },
    uint32(value) {
      room();
      for (let shift = 0; shift < 32; shift += 8) bytes[at++] = value >>> shift;
    },
    unsigned,
    // Arithmetic instead of shifts: deltas reach 2^30, and -2^31 would not survive `<< 1`.
    signed: (value) => unsigned(value < 0 ? -2 * value - 1 : 2 * value),
    view: () => bytes.subarray(0, at),
    finish: () => bytes.slice(0, at),
  };
}

/** @throws RangeError from every method that would read past the end. */
export interface VarintReader {
  byte(): number;
  unsigned(): number;
  signed(): number;
  /** A number of things of at least `minBytes` each: refused at once when the rest cannot hold them. */
  count(minBytes: number): number;
  /** Refuses trailing bytes. */
  end(): void;
}

export function createReader(bytes: Uint8Array): VarintReader {
  let at = 0;
  const byte = () => {
    if (at >= bytes.length) throw new RangeError(`cut off after ${bytes.length} bytes`);
    return bytes[at++]!;
  };
  const unsigned = () => {
    let next = byte();
    if (next < 128) return next;
    let value = next & 127;
    for (let scale = 128; ; scale *= 128) {
      next = byte();
      value += (next & 127) * scale;
      if (value > 0xffffffff || (next >= 128 && scale >= 128 ** 4))
        throw new RangeError(`number of more than 32 bits at byte ${at}`);
      if (next < 128) return value;
    }
  };
  return {
    byte,
    unsigned,
    signed() {
      const value = unsigned();
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    },
    count(minBytes) {
      const value = unsigned();
      if (value * minBytes > bytes.length - at)
        throw new RangeError(`${value} items of at least ${minBytes} bytes in ${bytes.length - at} bytes`);
      return value;
    },
    end() {
      if (at !== bytes.length) throw new RangeError(`${bytes.length - at} bytes after the end`);
    },
  };
}
