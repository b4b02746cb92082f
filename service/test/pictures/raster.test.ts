import { describe, expect, it } from 'vitest';
import type { Polygon } from '#contract/results.ts';
import { rasterise } from '../../src/pictures/raster.ts';

const ring = (id: number, points: number[], parentId: number | null = null): Polygon => ({
  id,
  type: parentId === null ? 'external' : 'internal',
  parentId,
  points,
  area: 0,
  bbox: [0, 0, 0, 0],
  confidence: 1,
});

describe('rasterise', () => {
  it('fills inside, leaves holes and the outside clear, and draws outlines', () => {
    const square = ring(1, [2, 2, 18, 2, 18, 18, 2, 18]);
    const hole = ring(2, [7, 7, 7, 13, 13, 13, 13, 7], 1);
    const data = rasterise([square, hole], 20, 20, 1);
    const alpha = (x: number, y: number) => data[(y * 20 + x) * 4 + 3];
    expect([alpha(0, 0), alpha(2, 10), alpha(4, 10), alpha(7, 10), alpha(10, 10), alpha(19, 19)]).toEqual([
      0, 255, 96, 255, 0, 0,
    ]);
  });

  it('scales, and cuts what lies outside of the picture', () => {
    const data = rasterise([ring(1, [-10, -10, 100, -10, 100, 100, -10, 100])], 8, 8, 0.5);
    expect(data.filter((_, at) => at % 4 === 3).every((alpha) => alpha > 0)).toBe(true);
  });
});
