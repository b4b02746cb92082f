/** An hour at one value a second. */
export const SERIES_SECONDS = 3600;
/** A reading may come a second late: a value stands for that long, then there is a gap. */
const HOLD_SECONDS = 2;

export type Values<N extends string> = Partial<Record<N, number | null>>;
export interface Window<N extends string> {
  /** Seconds since 1970, without gaps. */
  seconds: number[];
  values: Record<N, (number | null)[]>;
}
export type Series<N extends string> = ReturnType<typeof createSeries<N>>;

/**
 * Readings by the second, in rings that are made once: whatever comes, they stay as large as they are. A value is kept at its second,
 * so that late ones find their place and seconds without a reading are gaps.
 */
export function createSeries<N extends string>(names: readonly N[], size: number = SERIES_SECONDS) {
  /** Which second each place holds; the rings of all names share it. */
  const stamps = new Float64Array(size).fill(-1);
  const rings = new Map(names.map((name) => [name, new Float64Array(size).fill(Number.NaN)]));
  let newest = -1;

  function put(second: number, values: Values<N>): void {
    if (!Number.isInteger(second) || second <= newest - size) return;
    const place = second % size;
    if (stamps[place] !== second) {
      stamps[place] = second;
      for (const ring of rings.values()) ring[place] = Number.NaN;
    }
    for (const [name, value] of Object.entries(values) as [N, number | null][])
      rings.get(name)![place] = value ?? Number.NaN;
    newest = Math.max(newest, second);
  }
  function at(name: N, second: number): number | null {
    if (second < 0 || second <= newest - size) return null;
    const place = second % size;
    const value = stamps[place] === second ? rings.get(name)![place]! : Number.NaN;
    return Number.isNaN(value) ? null : value;
  }
  function held(name: N, second: number): number | null {
    for (let back = 0; back <= HOLD_SECONDS; back++) {
      const value = at(name, second - back);
      if (value !== null) return value;
    }
    return null;
  }
  return {
    put,
    /** The latest second with a reading; -1 for none. */
    newest: (): number => newest,
    at,
    /** The `count` seconds that end with `end`. */
    window<M extends N>(wanted: readonly M[], count: number, end: number = newest): Window<M> {
      const seconds = Array.from({ length: Math.min(count, size) }, (_, i) => end - Math.min(count, size) + 1 + i);
      const values = Object.fromEntries(
        wanted.map((name) => [name, seconds.map((second) => held(name, second))]),
      ) as Record<M, (number | null)[]>;
      return { seconds, values };
    },
    /** Of the readings of the last `count` seconds; null where there is none. */
    median(name: N, count: number): number | null {
      const found: number[] = [];
      for (let second = newest - count + 1; second <= newest; second++) {
        const value = at(name, second);
        if (value !== null) found.push(value);
      }
      found.sort((a, b) => a - b);
      const middle = found.length / 2;
      return found.length === 0 ? null : (found[Math.ceil(middle) - 1]! + found[Math.floor(middle)]!) / 2;
    },
    /** Of all rings; it never changes. */
    byteLength: stamps.byteLength + [...rings.values()].reduce((sum, ring) => sum + ring.byteLength, 0),
  };
}
