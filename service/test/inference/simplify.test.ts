import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simplifyRing } from '../../src/inference/simplify.ts';

const pairs = (points: number[]) => points.flatMap((x, i) => (i % 2 === 0 ? [[x, points[i + 1]!] as const] : []));

function distance([x, y]: readonly [number, number], ring: number[]): number {
  const corners = pairs(ring);
  return Math.min(
    ...corners.map(([ax, ay], i) => {
      const [bx, by] = corners[(i + 1) % corners.length]!;
      const length = (bx - ax) ** 2 + (by - ay) ** 2;
      const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
      return Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y);
    }),
  );
}

describe('simplifyRing', () => {
  it('removes points on straight edges', () => {
    expect(simplifyRing([0, 0, 2, 0, 4, 0, 4, 2, 4, 4, 0, 4], 0.1)).toEqual([0, 0, 4, 0, 4, 4, 0, 4]);
  });

  it('returns a copy of rings of at most four points', () => {
    const ring = [0, 0, 5, 0, 5, 5];
    expect(simplifyRing(ring, 10)).toEqual(ring);
    expect(simplifyRing(ring, 10)).not.toBe(ring);
  });

  it('leaves a triangle when everything is within epsilon', () => {
    expect(simplifyRing([0, 0, 1, 0, 2, 1, 2, 2, 1, 2, 0, 1], 100)).toHaveLength(6);
  });

  it('keeps only points of the ring, in order, and drops none farther than epsilon', () => {
    const corner = fc.tuple(fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(
        fc.array(corner, { minLength: 3, maxLength: 40 }),
        fc.double({ min: 0.1, max: 8, noNaN: true }),
        (ring, epsilon) => {
          const out = simplifyRing(ring.flat(), epsilon);
          expect(out.length).toBeGreaterThanOrEqual(6);
          let from = 0;
          for (const [x, y] of pairs(out)) {
            from = ring.findIndex(([rx, ry], i) => i >= from && rx === x && ry === y) + 1;
            expect(from).toBeGreaterThan(0);
          }
          for (const point of ring) expect(distance(point, out)).toBeLessThanOrEqual(epsilon + 1e-9);
        },
      ),
    );
  });

  it('takes an outline of 200,000 points without recursion', () => {
    const spiral = Array.from({ length: 200_000 }, (_, i) => [
      Math.round(i * 0.01 * Math.cos(i * 0.01)),
      Math.round(i * 0.01 * Math.sin(i * 0.01)),
    ]).flat();
    expect(simplifyRing(spiral, 1).length).toBeLessThan(spiral.length);
  });
});
