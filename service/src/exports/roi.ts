import type { Cell } from './cells.ts';

const HEADER_BYTES = 64;
const VERSION = 227;
const POLYGON = 0;
const RECTANGLE = 1;
const MOVE_TO = 0;
const LINE_TO = 1;
const CLOSE = 4;
/** What 16 bits hold as ImageJ reads them: below -5000 it takes a coordinate for a large one. */
const MAX_SHORT = 60_000;

/**
 * A cell as an ImageJ ROI file (ij.io.RoiEncoder): a polygon, or for a cell with holes a composite selection, whose paths fill by the
 * even-odd rule, so that the holes stay open. Coordinates are pixel corners, as in ImageJ.
 */
export function encodeRoi(cell: Pick<Cell, 'points' | 'holes'>): Buffer {
  const { points, holes } = cell;
  const [left, top, right, bottom] = boundsOf(points);
  const composite = holes.length > 0 || points.length / 2 > MAX_SHORT || Math.max(right, bottom) > MAX_SHORT;
  const body = composite ? pathsOf([points, ...holes.map((hole) => hole.points)]) : cornersOf(points, left, top);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('Iout', 0, 'latin1');
  header.writeInt16BE(VERSION, 4);
  header.writeUInt8(composite ? RECTANGLE : POLYGON, 6);
  [top, left, bottom, right].forEach((value, index) => header.writeUInt16BE(value & 0xffff, 8 + 2 * index));
  if (composite) header.writeInt32BE(body.length / 4, 36);
  else header.writeUInt16BE(points.length / 2, 16);
  return Buffer.concat([header, body]);
}

function boundsOf(points: readonly number[]): [number, number, number, number] {
  const bounds: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < points.length; at += 2) {
    bounds[0] = Math.min(bounds[0], points[at]!);
    bounds[1] = Math.min(bounds[1], points[at + 1]!);
    bounds[2] = Math.max(bounds[2], points[at]!);
    bounds[3] = Math.max(bounds[3], points[at + 1]!);
  }
  return bounds;
}

/** All x, then all y, from the top left of the bounds. */
function cornersOf(points: readonly number[], left: number, top: number): Buffer {
  const bytes = Buffer.alloc(points.length * 2);
  for (let at = 0; at < points.length; at += 2) {
    bytes.writeUInt16BE(points[at]! - left, at);
    bytes.writeUInt16BE(points[at + 1]! - top, points.length + at);
  }
  return bytes;
}

function pathsOf(rings: readonly (readonly number[])[]): Buffer {
  const values: number[] = [];
  for (const ring of rings) {
    for (let at = 0; at < ring.length; at += 2) values.push(at === 0 ? MOVE_TO : LINE_TO, ring[at]!, ring[at + 1]!);
    values.push(CLOSE);
  }
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeFloatBE(value, index * 4));
  return bytes;
}
