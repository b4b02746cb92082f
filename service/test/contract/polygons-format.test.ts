import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Polygon } from '../../src/contract/results.ts';
import { crc32 } from '../../src/contract/crc32.ts';
import {
  COORDINATE_LIMIT,
  countPolygons,
  decodePolygons,
  encodePolygons,
  visitPolygons,
} from '../../src/contract/polygons-format.ts';

const coordinate = fc.oneof(
  fc.integer({ min: -10, max: 5000 }),
  fc.integer({ min: -COORDINATE_LIMIT, max: COORDINATE_LIMIT }),
);
const id = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: COORDINATE_LIMIT }));
const polygon: fc.Arbitrary<Polygon> = fc.record({
  id,
  type: fc.constantFrom('external' as const, 'internal' as const),
  parentId: fc.option(id),
  points: fc.array(fc.tuple(coordinate, coordinate), { maxLength: 60 }).map((corners) => corners.flat()),
  area: fc.oneof(fc.nat(10_000), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  bbox: fc.array(fc.integer({ min: -1000, max: 5000 }), { minLength: 4, maxLength: 4 }),
  confidence: fc.nat(10_000).map((steps) => steps / 10_000),
});

const square = (overrides: Partial<Polygon> = {}): Polygon => ({
  id: 1,
  type: 'external',
  parentId: null,
  points: [10, 20, 14, 20, 14, 24, 10, 24],
  area: 16,
  bbox: [10, 20, 4, 4],
  confidence: 0.75,
  ...overrides,
});

/** The page's own words in plain code, without the writer: what an independent client would produce. */
function plainEncoding(polygons: Polygon[]): Uint8Array {
  const out: number[] = [1];
  const unsigned = (value: number) => {
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
  };
  const signed = (value: number) => unsigned(value >= 0 ? value * 2 : -value * 2 - 1);
  unsigned(polygons.length);
  let previous = { id: 0, x: 0, y: 0 };
  for (const { id: number, type, parentId, points, area, bbox, confidence } of polygons) {
    const xs = points.filter((_, i) => i % 2 === 0);
    const ys = points.filter((_, i) => i % 2 === 1);
    const low = (values: number[]) => values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
    const high = (values: number[]) => values.reduce((a, b) => Math.max(a, b), values[0] ?? 0);
    const box = [low(xs), low(ys), high(xs) - low(xs), high(ys) - low(ys)];
    const own = bbox.some((value, i) => value !== box[i]);
    out.push((type === 'internal' ? 1 : 0) + (parentId === null ? 0 : 2) + (own ? 4 : 0));
    signed(number - previous.id - 1);
    if (parentId !== null) signed(number - parentId);
    unsigned(Math.round(confidence * 10_000));
    unsigned(area);
    unsigned(xs.length);
    xs.forEach((x, i) => {
      signed(x - (i === 0 ? previous.x : xs[i - 1]!));
      signed(ys[i]! - (i === 0 ? previous.y : ys[i - 1]!));
    });
    if (own) bbox.forEach((value, i) => signed(value - box[i]!));
    previous = { id: number, x: xs[0] ?? previous.x, y: ys[0] ?? previous.y };
  }
  const sum = crc32(Uint8Array.from(out));
  return Uint8Array.from([...out, sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24]);
}

/** A valid checksum over any bytes, so that a property reaches the parser behind it. */
function signed(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 4);
  out.set(bytes);
  new DataView(out.buffer).setUint32(bytes.length, crc32(bytes), true);
  return out;
}

/** Visits all, and checks that what a hostile input makes us hold stays small. */
function outcomeOf(bytes: Uint8Array): string {
  let held = 0;
  try {
    visitPolygons(bytes, ({ points }) => (held = Math.max(held, points.length)));
  } catch (error) {
    return error instanceof Error ? error.constructor.name : 'not an error';
  }
  return held <= Math.max(512, bytes.length) ? 'decoded' : `holds ${held} numbers`;
}

describe('polygons format', () => {
  it('gives back what was encoded, whatever the polygons', () => {
    fc.assert(
      fc.property(fc.array(polygon, { maxLength: 12 }), (list) => {
        expect(decodePolygons(encodePolygons(list))).toEqual(list);
      }),
    );
  });

  it('writes the bytes that a plain reading of the page writes', () => {
    fc.assert(
      fc.property(fc.array(polygon, { maxLength: 8 }), (list) => {
        expect([...encodePolygons(list)]).toEqual([...plainEncoding(list)]);
      }),
    );
  });

  it('writes the bytes of the example in the page', () => {
    const hex = Buffer.from(encodePolygons([square()])).toString('hex');
    expect(hex).toBe('010100' + '00' + 'cc3a' + '10' + '04' + '1428' + '0800' + '0008' + '0700' + hex.slice(-8));
  });

  it('throws RangeError for every cut of valid bytes', () => {
    const bytes = encodePolygons([square(), square({ id: 2, type: 'internal', parentId: 1 })]);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodePolygons(bytes.subarray(0, length))).toThrow(RangeError);
  });

  it('throws RangeError for every flipped bit', () => {
    const bytes = encodePolygons([square(), square({ id: 7, points: [], bbox: [1, 2, 3, 4] })]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodePolygons(damaged)).toThrow(RangeError);
    }
  });

  it('decodes or throws RangeError, and nothing else, on hostile bytes with a valid checksum', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(255));
    const damaged = fc
      .tuple(fc.array(polygon, { maxLength: 4 }), fc.array(edit, { maxLength: 4 }))
      .map(([list, edits]) => {
        const bytes = encodePolygons(list).subarray(0, -4);
        for (const [place, value] of edits) bytes[1 + (place % (bytes.length - 1))] = value;
        return bytes;
      });
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from([1, ...bytes]));
    fc.assert(
      fc.property(fc.oneof(damaged, noise), (bytes) => {
        expect(outcomeOf(signed(bytes))).toMatch(/^(decoded|RangeError)$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a count that the bytes cannot hold, without allocating for it', () => {
    const billions = [0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(() => decodePolygons(signed(Uint8Array.from([1, ...billions])))).toThrow(/4294967295 items/);
    const points = [1, 1, 0, 0, 0, 0, ...billions, 0, 0];
    expect(() => decodePolygons(signed(Uint8Array.from(points)))).toThrow(RangeError);
  });

  it('refuses numbers that never end', () => {
    expect(() => decodePolygons(signed(new Uint8Array(1000).fill(0xff).fill(1, 0, 1)))).toThrow(RangeError);
  });

  it('reads a view that does not start at its buffer', () => {
    const bytes = encodePolygons([square()]);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodePolygons(shifted.subarray(3))).toEqual([square()]);
  });

  it('reuses one array for all polygons when it visits', () => {
    const seen = new Set<Int32Array>();
    const ids: number[] = [];
    visitPolygons(encodePolygons([square(), square({ id: 2 })]), (view) => {
      seen.add(view.points);
      ids.push(view.id);
    });
    expect(ids).toEqual([1, 2]);
    expect(seen.size).toBe(1);
  });

  it('counts without decoding', () => {
    expect(countPolygons(encodePolygons([square(), square({ id: 2 })]))).toBe(2);
    expect(() => countPolygons(new Uint8Array(2))).toThrow(RangeError);
  });

  it('takes at most 5.4 KB for 60 cells of 40 points', () => {
    const cells = Array.from({ length: 60 }, (_, cell) => {
      const points = Array.from({ length: 40 }, (__, i) => [
        Math.round(100 + 40 * (cell % 8) + 18 * Math.cos((i * Math.PI) / 20)),
        Math.round(100 + 40 * (cell >> 3) + 18 * Math.sin((i * Math.PI) / 20)),
      ]).flat();
      const bbox = [82 + 40 * (cell % 8), 82 + 40 * (cell >> 3), 36, 36];
      return square({ id: cell + 1, points, area: 1018, bbox, confidence: 0.9312 });
    });
    expect(encodePolygons(cells).length).toBeLessThan(5400);
  });

  it.each([
    ['points', { points: [0.5, 1, 2, 3] }, /points is 0.5/],
    ['points', { points: [1, 2, 3] }, /points.length is 3/],
    ['points', { points: [2 ** 30, 0] }, /points is 1073741824/],
    ['area', { area: -1 }, /area is -1/],
    ['area', { area: 2 ** 32 }, /area is 4294967296/],
    ['confidence', { confidence: Number.NaN }, /confidence is NaN/],
    ['bbox', { bbox: [1, 2, 3] }, /bbox is 1,2,3/],
    ['id', { id: -1 }, /id is -1/],
    ['parentId', { parentId: 1.5 }, /parentId is 1.5/],
  ])('refuses %s that do not fit: %o', (_, overrides, message) => {
    expect(() => encodePolygons([square(overrides)])).toThrow(message);
  });
});
