import { describe, expect, it } from 'vitest';
import { rasterise } from '../../src/inference/raster.ts';
import { differenceOf } from '../../src/inference/scanline.ts';

const external = (id: number, points: number[]) => ({ id, type: 'external' as const, parentId: null, points });
const internal = (id: number, parentId: number, points: number[]) => ({
  id,
  type: 'internal' as const,
  parentId,
  points,
});
const square = (x: number, y: number, side: number) => [x, y, x + side, y, x + side, y + side, x, y + side];

describe('rasterise', () => {
  it('numbers external polygons in list order and leaves holes out', () => {
    const polygons = [external(4, square(0, 0, 3)), internal(5, 4, square(1, 1, 1)), external(9, square(3, 0, 1))];
    expect([...rasterise(polygons, 4, 3)]).toEqual([1, 1, 1, 2, 1, 0, 1, 0, 1, 1, 1, 0]);
  });

  it('lets the later polygon win where two overlap', () => {
    expect([...rasterise([external(1, square(0, 0, 2)), external(2, square(1, 0, 2))], 3, 2)]).toEqual([
      1, 2, 2, 1, 2, 2,
    ]);
  });

  it('cuts polygons at the image, whichever side they leave', () => {
    expect([...rasterise([external(1, square(-5, -5, 20))], 2, 2)]).toEqual([1, 1, 1, 1]);
    expect([...rasterise([external(1, square(5, 5, 3))], 2, 2)]).toEqual([0, 0, 0, 0]);
    expect([...rasterise([external(1, square(-3, 0, 4))], 2, 2)]).toEqual([1, 0, 1, 0]);
  });

  it('counts a pixel when its centre is inside a slanted edge', () => {
    expect([...rasterise([external(1, [0, 0, 3, 0, 0, 3])], 3, 3)]).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('draws nothing for a polygon without points', () => {
    expect([...rasterise([external(1, [])], 2, 1)]).toEqual([0, 0]);
  });
});

describe('differenceOf', () => {
  it('counts the pixels inside exactly one outline, by which one', () => {
    expect(differenceOf(square(0, 0, 4), square(0, 0, 4))).toEqual({ gained: 0, lost: 0 });
    expect(differenceOf(square(0, 0, 4), square(2, 0, 4))).toEqual({ gained: 8, lost: 8 });
    expect(differenceOf(square(0, 0, 4), square(1, 1, 2))).toEqual({ gained: 12, lost: 0 });
    expect(differenceOf(square(1, 1, 2), square(0, 0, 4))).toEqual({ gained: 0, lost: 12 });
  });
});
