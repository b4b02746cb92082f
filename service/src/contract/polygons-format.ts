import type { Polygon } from './results.ts';
import { crc32 } from './crc32.ts';
import { createReader, createWriter } from './varint.ts';

export { POLYGONS_MIME } from './names.ts';
export * from './polygons-bulk.ts';

/** Version of one image's polygons, its first byte. Layout: docs/polygons-format.md. */
export const POLYGONS_VERSION = 1;
/** Coordinates are whole pixels in -COORDINATE_LIMIT..COORDINATE_LIMIT, so that a delta fits 32 bits as zigzag. */
export const COORDINATE_LIMIT = 2 ** 29;
/** Confidences are stored in steps of 1/10000. */
export const CONFIDENCE_STEPS = 10_000;

const INTERNAL = 1;
const HAS_PARENT = 2;
const OWN_BBOX = 4;
/** A polygon takes at least flags, id, confidence, area, point count: the bound on a hostile count. */
const MIN_POLYGON_BYTES = 5;
const CHECKSUM_BYTES = 4;

/** What `visitPolygons` shows; one object and one array for all polygons: copy what must outlive the call. */
export interface PolygonView {
  id: number;
  internal: boolean;
  parentId: number | null;
  /** x, y in turn; valid up to `length`. */
  points: Int32Array;
  /** Numbers in `points`, twice the number of corners. */
  length: number;
  confidence: number;
  area: number;
  bbox: [number, number, number, number];
}

/** One image's polygons as bytes. @throws RangeError naming the polygon and field that does not fit. */
export function encodePolygons(polygons: readonly Polygon[]): Uint8Array<ArrayBuffer> {
  const writer = createWriter(64 + polygons.reduce((sum, { points }) => sum + 24 + points.length, 0));
  writer.byte(POLYGONS_VERSION);
  writer.unsigned(polygons.length);
  const box: PolygonView['bbox'] = [0, 0, 0, 0];
  let [previousId, startX, startY] = [0, 0, 0];
  for (const polygon of polygons) {
    check(polygon);
    const { id, points, bbox, parentId } = polygon;
    boundsOf(points, points.length, box);
    const ownBox = bbox.some((value, i) => value !== box[i]);
    const internal = polygon.type === 'internal' ? INTERNAL : 0;
    writer.byte(internal | (parentId === null ? 0 : HAS_PARENT) | (ownBox ? OWN_BBOX : 0));
    writer.signed(id - previousId - 1);
    if (parentId !== null) writer.signed(id - parentId);
    writer.unsigned(Math.round(polygon.confidence * CONFIDENCE_STEPS));
    writer.unsigned(polygon.area);
    writer.unsigned(points.length >> 1);
    let [x, y] = [startX, startY];
    for (let i = 0; i < points.length; i += 2) {
      writer.signed(points[i]! - x);
      writer.signed(points[i + 1]! - y);
      [x, y] = [points[i]!, points[i + 1]!];
    }
    if (ownBox) for (let i = 0; i < 4; i++) writer.signed(bbox[i]! - box[i]!);
    previousId = id;
    if (points.length > 0) [startX, startY] = [points[0]!, points[1]!];
  }
  writer.uint32(crc32(writer.view()));
  return writer.finish();
}

/**
 * Calls `visit` once a polygon with one reused view: nothing is allocated per point. The checksum is verified first.
 * @throws RangeError when the bytes are cut, damaged, or not of this version.
 */
export function visitPolygons(bytes: Uint8Array, visit: (polygon: PolygonView) => void): void {
  const reader = openPolygons(bytes);
  const count = reader.count(MIN_POLYGON_BYTES);
  const view: PolygonView = {
    id: 0,
    internal: false,
    parentId: null,
    points: new Int32Array(256),
    length: 0,
    confidence: 0,
    area: 0,
    bbox: [0, 0, 0, 0],
  };
  let [startX, startY] = [0, 0];
  for (let i = 0; i < count; i++) {
    const flags = reader.byte();
    if (flags > (INTERNAL | HAS_PARENT | OWN_BBOX)) throw new RangeError(`polygon ${i}: unknown flags ${flags}`);
    view.internal = (flags & INTERNAL) !== 0;
    view.id = inSafeRange(view.id + 1 + reader.signed());
    view.parentId = (flags & HAS_PARENT) === 0 ? null : inSafeRange(view.id - reader.signed());
    view.confidence = reader.unsigned() / CONFIDENCE_STEPS;
    if (view.confidence > 1) throw new RangeError(`polygon ${i}: confidence is ${view.confidence}, above 1`);
    view.area = reader.unsigned();
    view.length = 2 * reader.count(2);
    if (view.length > view.points.length) view.points = new Int32Array(Math.max(view.length, 2 * view.points.length));
    let [x, y] = [startX, startY];
    for (let j = 0; j < view.length; j += 2) {
      view.points[j] = x = inRange(x + reader.signed());
      view.points[j + 1] = y = inRange(y + reader.signed());
    }
    if (view.length > 0) [startX, startY] = [view.points[0]!, view.points[1]!];
    boundsOf(view.points, view.length, view.bbox);
    if ((flags & OWN_BBOX) !== 0) for (let j = 0; j < 4; j++) view.bbox[j]! += reader.signed();
    visit(view);
  }
  reader.end();
}

/** @throws RangeError as `visitPolygons`. */
export function decodePolygons(bytes: Uint8Array): Polygon[] {
  const polygons: Polygon[] = [];
  visitPolygons(bytes, ({ id, internal, parentId, points, length, area, bbox, confidence }) => {
    const type = internal ? 'internal' : 'external';
    polygons.push({ id, type, parentId, points: [...points.subarray(0, length)], area, bbox: [...bbox], confidence });
  });
  return polygons;
}

/** Number of polygons, without reading or verifying them. @throws RangeError */
export function countPolygons(bytes: Uint8Array): number {
  if (bytes.length < 2 + CHECKSUM_BYTES || bytes[0] !== POLYGONS_VERSION) throw new RangeError(notPolygons(bytes));
  const reader = createReader(bytes.subarray(1, bytes.length - CHECKSUM_BYTES));
  return reader.count(MIN_POLYGON_BYTES);
}

function openPolygons(bytes: Uint8Array) {
  if (bytes.length < 2 + CHECKSUM_BYTES || bytes[0] !== POLYGONS_VERSION) throw new RangeError(notPolygons(bytes));
  const end = bytes.length - CHECKSUM_BYTES;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, CHECKSUM_BYTES).getUint32(0, true);
  const actual = crc32(bytes.subarray(0, end));
  if (stored !== actual) throw new RangeError(`polygons: checksum is ${actual}, expected ${stored}: cut or damaged`);
  return createReader(bytes.subarray(1, end));
}

const notPolygons = (bytes: Uint8Array) =>
  `not polygons of version ${POLYGONS_VERSION}: ${bytes.length} bytes, first ${bytes[0] ?? 'missing'}`;

/** [x, y, width, height] of the first `length` numbers of `points`; zeros when there are none. */
function boundsOf(points: ArrayLike<number>, length: number, out: PolygonView['bbox']): void {
  if (length === 0) {
    out.fill(0);
    return;
  }
  let [left, top] = [points[0]!, points[1]!];
  let [right, bottom] = [left, top];
  for (let i = 2; i < length; i += 2) {
    const x = points[i]!;
    const y = points[i + 1]!;
    if (x < left) left = x;
    else if (x > right) right = x;
    if (y < top) top = y;
    else if (y > bottom) bottom = y;
  }
  out[0] = left;
  out[1] = top;
  out[2] = right - left;
  out[3] = bottom - top;
}

function inRange(value: number): number {
  if (value > COORDINATE_LIMIT || value < -COORDINATE_LIMIT) throw new RangeError(`polygons: coordinate ${value}`);
  return value;
}

function inSafeRange(id: number): number {
  if (id < 0 || id > COORDINATE_LIMIT) throw new RangeError(`polygons: id ${id}, expected 0 to ${COORDINATE_LIMIT}`);
  return id;
}

function check({ id, parentId, points, area, bbox, confidence }: Polygon): void {
  const bad = (field: string, value: unknown, allowed: string) =>
    new RangeError(`polygon ${id}: ${field} is ${String(value)}, expected ${allowed}`);
  const isId = (value: number) => Number.isInteger(value) && value >= 0 && value <= COORDINATE_LIMIT;
  const isCoordinate = (value: number) => Number.isInteger(value) && Math.abs(value) <= COORDINATE_LIMIT;
  if (!isId(id)) throw bad('id', id, `an integer of 0 to ${COORDINATE_LIMIT}`);
  if (parentId !== null && !isId(parentId)) throw bad('parentId', parentId, `null or 0 to ${COORDINATE_LIMIT}`);
  if (!(confidence >= 0 && confidence <= 1)) throw bad('confidence', confidence, '0 to 1');
  if (!Number.isInteger(area) || area < 0 || area >= 2 ** 32) throw bad('area', area, 'an integer of 0 to 2^32 - 1');
  if (points.length % 2 !== 0) throw bad('points.length', points.length, 'an even number');
  for (const value of points) if (!isCoordinate(value)) throw bad('points', value, 'whole pixels within 2^29');
  if (bbox.length !== 4 || !bbox.every(isCoordinate)) throw bad('bbox', bbox, 'four whole pixels within 2^29');
}
