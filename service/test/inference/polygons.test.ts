import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { polygonsOf, STORED_DIFFERENCE } from '../../src/inference/polygons.ts';
import { rasterise } from '../../src/inference/raster.ts';
import { draw } from './shapes.ts';

const EXACT = [] as const;

describe('polygonsOf', () => {
  it('lists each cell before its holes, with ids in order and areas without holes', () => {
    const { labels, width, height, count } = draw('aaaa.bbb', 'a..a.b.b', 'aaaa.bbb');
    const polygons = polygonsOf(labels, new Float32Array(labels.length).fill(0.5), width, height, count);
    expect(polygons.map(({ id, type, parentId, area }) => ({ id, type, parentId, area }))).toEqual([
      { id: 1, type: 'external', parentId: null, area: 10 },
      { id: 2, type: 'internal', parentId: 1, area: 2 },
      { id: 3, type: 'external', parentId: null, area: 8 },
      { id: 4, type: 'internal', parentId: 3, area: 1 },
    ]);
  });

  it('takes the mean foreground probability of the pixels as confidence', () => {
    const { labels, width, height, count } = draw('aa.', 'b..');
    const foreground = Float32Array.of(0.5, 1, 0.1, 0.25, 0, 0);
    expect(polygonsOf(labels, foreground, width, height, count).map(({ confidence }) => confidence)).toEqual([
      0.75, 0.25,
    ]);
  });

  it('returns the same labels when its exact outlines are filled, for any labels', () => {
    const row = fc.array(fc.nat(2), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const labels = Int32Array.from(rows.flat());
        const polygons = polygonsOf(labels, new Float32Array(labels.length), 8, rows.length, 2, EXACT);
        const filled = rasterise(polygons, 8, rows.length);
        expect([...filled].map((value) => value > 0)).toEqual([...labels].map((value) => value > 0));
        const externals = polygons.filter(({ type }) => type === 'external');
        for (const [i, { area }] of externals.entries())
          expect(filled.filter((value) => value === i + 1)).toHaveLength(area);
        // Two pixels of one polygon are of one label.
        const pairs = [...filled].flatMap((value, at) => (value > 0 ? [`${value} of ${labels[at]}`] : []));
        expect(new Set(pairs).size).toBe(externals.length);
      }),
      { numRuns: 300 },
    );
  });

  it('stores fewer points, and keeps the IoU of every cell at 0.98 or more', () => {
    const [width, height] = [220, 160];
    const labels = new Int32Array(width * height);
    const cells = Array.from({ length: 20 }, (_, i) => ({
      x: 22 + 44 * (i % 5),
      y: 20 + 40 * Math.floor(i / 5),
      a: 3 + (i % 8) * 2,
      b: 3 + ((i * 5) % 7) * 2,
    }));
    cells.forEach(({ x, y, a, b }, i) => {
      for (let dy = -b; dy <= b; dy++)
        for (let dx = -a; dx <= a; dx++)
          if ((dx / a) ** 2 + (dy / b) ** 2 <= 1) labels[(y + dy) * width + x + dx] = i + 1;
    });
    const probability = new Float32Array(labels.length);
    const exact = polygonsOf(labels, probability, width, height, cells.length, EXACT);
    const stored = polygonsOf(labels, probability, width, height, cells.length);
    const [truth, filled] = [rasterise(exact, width, height), rasterise(stored, width, height)];
    cells.forEach((_, i) => {
      const shared = filled.filter((value, at) => value === i + 1 && truth[at] === i + 1).length;
      const either = filled.filter((value, at) => value === i + 1 || truth[at] === i + 1).length;
      expect(shared / either).toBeGreaterThanOrEqual(1 - STORED_DIFFERENCE);
      expect(stored[i]).toEqual({ ...exact[i], points: stored[i]!.points });
    });
    const corners = (polygons: typeof stored) => polygons.reduce((sum, { points }) => sum + points.length / 2, 0);
    expect(corners(stored)).toBeLessThan(0.75 * corners(exact));
  });

  it('measures a thin ring by its own pixels, not by what it encloses', () => {
    const [side, centre, outer, inner] = [64, 31.5, 28, 26.5];
    const labels = Int32Array.from({ length: side * side }, (_, at) => {
      const r = Math.hypot((at % side) - centre, Math.floor(at / side) - centre);
      return r <= outer && r > inner ? 1 : 0;
    });
    const stored = polygonsOf(labels, new Float32Array(labels.length), side, side, 1);
    const filled = rasterise(stored, side, side);
    const pixels = labels.reduce((sum, label) => sum + label, 0);
    const wrong = filled.filter((value, at) => value !== labels[at]).length;
    expect(stored.map(({ type }) => type)).toEqual(['external', 'internal']);
    expect(wrong).toBeLessThanOrEqual(STORED_DIFFERENCE * pixels);
  });
});
