import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceRings } from '../../src/inference/contours.ts';
import { draw } from './shapes.ts';

const trace = (...rows: string[]) => {
  const { labels, width, height } = draw(...rows);
  return traceRings(labels, width, height);
};

describe('traceRings', () => {
  it('goes around one pixel along its edges', () => {
    const rings = trace('...', '.a.', '...');
    expect(rings).toHaveLength(1);
    expect(rings[0]).toMatchObject({ label: 1, hole: false, parent: -1, area: 1, bbox: [1, 1, 1, 1] });
    expect(rings[0]!.points).toEqual([2, 1, 2, 2, 1, 2, 1, 1]);
  });

  it('follows the border of an image that is one label', () => {
    expect(trace('aaa', 'aaa')).toEqual([
      { label: 1, hole: false, parent: -1, area: 6, bbox: [0, 0, 3, 2], points: [3, 0, 3, 2, 0, 2, 0, 0] },
    ]);
  });

  it('finds a hole and its parent', () => {
    const rings = trace('aaaa', 'a..a', 'aaaa');
    expect(rings.map(({ hole, parent, area, bbox }) => ({ hole, parent, area, bbox }))).toEqual([
      { hole: false, parent: -1, area: 12, bbox: [0, 0, 4, 3] },
      { hole: true, parent: 0, area: 2, bbox: [1, 1, 2, 1] },
    ]);
  });

  it('gives two holes two rings of one parent', () => {
    const rings = trace('aaaaa', 'a.a.a', 'aaaaa');
    expect(rings.map(({ parent, area }) => [parent, area])).toEqual([
      [-1, 15],
      [0, 1],
      [0, 1],
    ]);
  });

  it('keeps an island inside a hole apart, with its own hole', () => {
    const rings = trace('aaaaaaa', 'a.....a', 'a.aaa.a', 'a.a.a.a', 'a.aaa.a', 'a.....a', 'aaaaaaa');
    expect(rings.map(({ hole, parent, area }) => ({ hole, parent, area }))).toEqual([
      { hole: false, parent: -1, area: 49 },
      { hole: false, parent: -1, area: 9 },
      { hole: true, parent: 1, area: 1 },
      { hole: true, parent: 0, area: 25 },
    ]);
  });

  it('traces a cell inside the hole of another, both exactly', () => {
    const rings = trace('aaaa', 'abba', 'aaaa');
    expect(rings.map(({ label, hole, area }) => [label, hole, area])).toEqual([
      [1, false, 12],
      [2, false, 2],
      [1, true, 2],
    ]);
  });

  it('separates pixels of one label that touch at a corner', () => {
    expect(trace('a.', '.a').map(({ area }) => area)).toEqual([1, 1]);
    expect(trace('.a', 'a.').map(({ area }) => area)).toEqual([1, 1]);
  });

  it('joins background across a corner into one hole', () => {
    const rings = trace('aaaa', 'a.aa', 'aa.a', 'aaaa');
    expect(rings.map(({ hole, area }) => [hole, area])).toEqual([
      [false, 16],
      [true, 2],
    ]);
  });

  it('does not mistake a bay at the border for a hole', () => {
    expect(trace('aa.', 'a..', 'aaa').map(({ hole, area }) => [hole, area])).toEqual([[false, 6]]);
  });

  it('has areas that sum to the pixel counts, and corners that alternate between the axes, for any labels', () => {
    const grid = fc.array(fc.array(fc.nat(3), { minLength: 9, maxLength: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(grid, (rows) => {
        const labels = Int32Array.from(rows.flat());
        const rings = traceRings(labels, 9, rows.length);
        for (const label of [1, 2, 3]) {
          const own = rings.filter((ring) => ring.label === label);
          const sum = own.reduce((total, { hole, area }) => total + (hole ? -area : area), 0);
          expect(sum).toBe(labels.filter((value) => value === label).length);
        }
        for (const { points, hole, parent } of rings) {
          expect(hole ? rings[parent]?.hole : parent).toBe(hole ? false : -1);
          for (let i = 0; i < points.length; i += 2) {
            const [x, y] = [points[i]!, points[i + 1]!];
            const [nextX, nextY] = [points[(i + 2) % points.length]!, points[(i + 3) % points.length]!];
            expect((x === nextX) !== (y === nextY)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
