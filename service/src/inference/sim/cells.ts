import type { Polygon } from '../../contract/results.ts';
import { encodePolygons } from '../../contract/polygons-format.ts';

/** About what a field of nuclei has: 45 cells on 256². */
const CELL_SPACING = 38;
const RADIUS = 13;
const CORNERS = 40;

/** Polygons that stand for a result: the same circles on a grid for every image of one size. */
export function createCells() {
  const made = new Map<string, { polygons: Uint8Array; polygonCount: number }>();
  return (width: number, height: number) => {
    const key = `${width}x${height}`;
    const found = made.get(key) ?? circles(width, height);
    // Sizes are few in practice; strange ones must not pile up.
    if (made.size > 100) made.clear();
    made.set(key, found);
    return found;
  };
}

function circles(width: number, height: number): { polygons: Uint8Array; polygonCount: number } {
  const polygons: Polygon[] = [];
  for (let y = CELL_SPACING / 2; y + RADIUS < height; y += CELL_SPACING)
    for (let x = CELL_SPACING / 2; x + RADIUS < width; x += CELL_SPACING) polygons.push(circle(polygons.length, x, y));
  return { polygons: encodePolygons(polygons), polygonCount: polygons.length };
}

function circle(id: number, x: number, y: number): Polygon {
  const points = Array.from({ length: CORNERS }, (_, i) => (2 * Math.PI * i) / CORNERS).flatMap((angle) => [
    Math.round(x + RADIUS * Math.cos(angle)),
    Math.round(y + RADIUS * Math.sin(angle)),
  ]);
  const bbox: [number, number, number, number] = [x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS];
  const area = Math.round(Math.PI * RADIUS ** 2);
  return { id, type: 'external', parentId: null, points, area, bbox, confidence: 0.5 };
}
