import { countPolygons, visitPolygons } from '#contract/polygons-format.ts';
import type { Box } from '../models/viewer/viewport.ts';

/** All polygons of a result as typed arrays, for drawing and pointing: 5,000 of 40 corners are 1.7 MB, and no object each. */
export interface Shapes {
  count: number;
  ids: Int32Array;
  /** 1: a hole. */
  internal: Uint8Array;
  /** Id of the polygon that a hole is in, or -1. */
  parents: Int32Array;
  /** Square pixels. */
  areas: Uint32Array;
  confidences: Float32Array;
  /** left, top, right, bottom of each. */
  boxes: Int32Array;
  /** Where in `points` each begins; one more at the end. */
  starts: Uint32Array;
  /** x, y in turn, in image pixels. */
  points: Int32Array;
}

/** @throws RangeError when the bytes are cut or damaged. */
export function readShapes(bytes: Uint8Array): Shapes {
  const count = countPolygons(bytes);
  const shapes: Shapes = {
    count,
    ids: new Int32Array(count),
    internal: new Uint8Array(count),
    parents: new Int32Array(count),
    areas: new Uint32Array(count),
    confidences: new Float32Array(count),
    boxes: new Int32Array(count * 4),
    starts: new Uint32Array(count + 1),
    points: new Int32Array(Math.max(16, bytes.length)),
  };
  let at = 0;
  let n = 0;
  visitPolygons(bytes, ({ id, internal, parentId, area, confidence, points, length }) => {
    if (n + length > shapes.points.length) {
      const more = new Int32Array(2 * (n + length));
      more.set(shapes.points);
      shapes.points = more;
    }
    shapes.points.set(points.subarray(0, length), n);
    shapes.ids[at] = id;
    shapes.internal[at] = internal ? 1 : 0;
    shapes.parents[at] = parentId ?? -1;
    shapes.areas[at] = area;
    shapes.confidences[at] = confidence;
    // Of the outline itself: the stored box may be of the one before it was simplified.
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < length; i += 2) {
      const x = points[i] ?? 0;
      const y = points[i + 1] ?? 0;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    if (length > 0) shapes.boxes.set([left, top, right, bottom], at * 4);
    n += length;
    shapes.starts[++at] = n;
  });
  shapes.points = shapes.points.slice(0, n);
  return shapes;
}

export const boxOf = ({ boxes }: Shapes, i: number): Box => [
  boxes[i * 4] ?? 0,
  boxes[i * 4 + 1] ?? 0,
  boxes[i * 4 + 2] ?? 0,
  boxes[i * 4 + 3] ?? 0,
];

/** Calls `visit` with each polygon that may touch the box, in their order. Returns how many there were. */
export function visitInBox(shapes: Shapes, [left, top, right, bottom]: Box, visit: (i: number) => void): number {
  const { boxes, count } = shapes;
  let seen = 0;
  for (let i = 0; i < count; i++) {
    const at = i * 4;
    if ((boxes[at] ?? 0) > right || (boxes[at + 2] ?? 0) < left) continue;
    if ((boxes[at + 1] ?? 0) > bottom || (boxes[at + 3] ?? 0) < top) continue;
    visit(i);
    seen++;
  }
  return seen;
}

/** The polygon itself and its holes. */
export function withHoles({ ids, parents, count }: Shapes, i: number): number[] {
  const whole = [i];
  for (let k = 0; k < count; k++) if (parents[k] === ids[i]) whole.push(k);
  return whole;
}

/** Even-odd rule. */
function contains({ points, starts }: Shapes, i: number, x: number, y: number): boolean {
  const [from, to] = [starts[i] ?? 0, starts[i + 1] ?? 0];
  let inside = false;
  for (let at = from, before = to - 2; at < to; before = at, at += 2) {
    const [x0, y0, x1, y1] = [points[before]!, points[before + 1]!, points[at]!, points[at + 1]!];
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside;
  }
  return inside;
}

/** The polygon at a point of the image, the last one where several lie over each other, or -1. */
export function shapeAt(shapes: Shapes, x: number, y: number): number {
  let hit = -1;
  visitInBox(shapes, [x, y, x, y], (i) => {
    if (contains(shapes, i, x, y)) hit = i;
  });
  return hit;
}
