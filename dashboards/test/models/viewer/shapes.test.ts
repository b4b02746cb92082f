import { describe, expect, it } from 'vitest';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Polygon } from '#contract/results.ts';
import { orderOutlines } from '../../../src/models/viewer/Viewer.ts';
import { drawShapes } from '../../../src/raster/draw-shapes.ts';
import { boxOf, readShapes, shapeAt, visitInBox, withHoles } from '../../../src/raster/shapes.ts';
import { mockPolygons } from '../../../../loadtest/src/stand-in/results.ts';

const square = (id: number, x: number, y: number, side: number, parentId: number | null = null): Polygon => ({
  id,
  type: parentId === null ? 'external' : 'internal',
  parentId,
  points: [x, y, x + side, y, x + side, y + side, x, y + side],
  area: side * side,
  bbox: [x, y, side, side],
  confidence: 0.5 + (id % 50) / 100,
});
/** A grid of 70 x 70 squares of 10 px, 20 px apart. */
const field = () =>
  readShapes(
    encodePolygons(Array.from({ length: 4900 }, (_, i) => square(i, (i % 70) * 20, Math.floor(i / 70) * 20, 10))),
  );
const inBox = (shapes: ReturnType<typeof field>, box: [number, number, number, number]) => {
  const found: number[] = [];
  visitInBox(shapes, box, (i) => found.push(i));
  return found;
};

/** Counts what is asked of a canvas. */
function fakeContext() {
  const calls: Record<string, number> = {};
  const context = new Proxy(
    {},
    {
      get: (_, name: string) => () => void (calls[name] = (calls[name] ?? 0) + 1),
      set: () => true,
    },
  ) as CanvasRenderingContext2D;
  return { context, calls };
}

describe('readShapes', () => {
  it('holds what the bytes hold', () => {
    const polygons = mockPolygons(3);
    const shapes = readShapes(encodePolygons(polygons));
    expect(shapes.count).toBe(polygons.length);
    polygons.forEach((polygon, i) => {
      expect([...shapes.points.subarray(shapes.starts[i], shapes.starts[i + 1])]).toEqual(polygon.points);
      expect([shapes.ids[i], shapes.areas[i]]).toEqual([polygon.id, polygon.area]);
      expect(shapes.internal[i] === 1).toBe(polygon.type === 'internal');
      const [left, top, width, height] = polygon.bbox as [number, number, number, number];
      expect(boxOf(shapes, i)).toEqual([left, top, left + width, top + height]);
    });
  });

  it('is empty for a result without cells, and refuses bytes that are cut', () => {
    expect(readShapes(encodePolygons([])).count).toBe(0);
    const bytes = encodePolygons(mockPolygons(1));
    expect(() => readShapes(bytes.subarray(0, bytes.length - 3))).toThrow(RangeError);
  });
});

describe('visitInBox', () => {
  it('visits what touches the box and nothing else', () => {
    const shapes = field();
    expect(inBox(shapes, [0, 0, 25, 5])).toEqual([0, 1]);
    expect(inBox(shapes, [12, 12, 18, 18])).toEqual([]);
    expect(inBox(shapes, [-100, -100, 5000, 5000])).toHaveLength(4900);
  });
});

describe('shapeAt', () => {
  it('finds the polygon at a point, the hole in it, and none beside it', () => {
    const shapes = readShapes(encodePolygons([square(0, 0, 0, 100), square(1, 40, 40, 20, 0), square(2, 200, 0, 10)]));
    expect(shapeAt(shapes, 10, 10)).toBe(0);
    expect(shapeAt(shapes, 50, 50)).toBe(1);
    expect(shapeAt(shapes, 205, 5)).toBe(2);
    expect(shapeAt(shapes, 150, 5)).toBe(-1);
    expect([withHoles(shapes, 0), withHoles(shapes, 2)]).toEqual([[0, 1], [2]]);
  });
});

describe('drawShapes', () => {
  const stage = { width: 100, height: 100 };
  const draw = (view: { scale: number; x: number; y: number }, filled = true) => {
    const { context, calls } = fakeContext();
    return { drawn: drawShapes(context, field(), view, stage, 0, { filled, ratio: 1 }), calls };
  };
  it('draws what can be seen alone: a hundredth of the image costs a hundredth', () => {
    const { drawn, calls } = draw({ scale: 1, x: -600, y: -600 });
    expect(drawn).toBe(36);
    expect([calls['stroke'], calls['fill']]).toEqual([36, 36]);
    expect(draw({ scale: 0.05, x: 0, y: 0 }).drawn).toBe(4900);
  });

  it('fills nothing when only outlines are wanted', () => {
    const { calls } = draw({ scale: 1, x: 0, y: 0 }, false);
    expect([calls['fill'], calls['stroke']]).toEqual([undefined, 36]);
  });
});

describe('orderOutlines', () => {
  it('puts the largest, or the least sure, first', () => {
    const shapes = readShapes(encodePolygons([square(5, 0, 0, 10), square(2, 20, 0, 30), square(9, 60, 0, 20)]));
    expect([...orderOutlines(shapes, 'id')]).toEqual([0, 1, 2]);
    expect([...orderOutlines(shapes, 'area')]).toEqual([1, 2, 0]);
    expect([...orderOutlines(shapes, 'confidence')]).toEqual([1, 0, 2]);
  });
});
