import { encodePolygons } from '#contract/polygons-format.ts';
import type { Polygon } from '#contract/results.ts';

export const IMAGE_PX = 256;
const CORNERS = 40;

/** Round outlines on a jittered raster, a hole in every tenth; the same for the same seed. */
export function mockPolygons(seed: number): Polygon[] {
  const count = 20 + ((seed * 37) % 80);
  const side = Math.ceil(Math.sqrt(count));
  const step = IMAGE_PX / side;
  const polygons: Polygon[] = [];
  for (let i = 0; i < count; i++) {
    const x = ((i % side) + 0.5) * step;
    const y = (Math.floor(i / side) + 0.5) * step;
    const radius = step * (0.28 + (((seed + i) * 13) % 10) / 80);
    const parentId = polygons.length;
    polygons.push(ring({ id: parentId, parentId: null, x, y, radius, seed: seed + i }));
    if (i % 10 === 0) polygons.push(ring({ id: polygons.length, parentId, x, y, radius: radius / 2, seed: seed + i }));
  }
  return polygons;
}

function ring(shape: {
  id: number;
  parentId: number | null;
  x: number;
  y: number;
  radius: number;
  seed: number;
}): Polygon {
  const { id, parentId, x, y, radius, seed } = shape;
  const points: number[] = [];
  for (let i = 0; i < CORNERS; i++) {
    const angle = (i / CORNERS) * 2 * Math.PI;
    const wobble = radius * (1 + 0.12 * Math.sin(3 * angle + seed));
    points.push(Math.round(x + wobble * Math.cos(angle)), Math.round(y + wobble * Math.sin(angle)));
  }
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  return {
    id,
    type: parentId === null ? 'external' : 'internal',
    parentId,
    points,
    area: Math.round(Math.PI * radius * radius),
    bbox: [left, top, Math.max(...xs) - left, Math.max(...ys) - top],
    confidence: 0.9,
  };
}

export interface MockResult {
  polygons: Polygon[];
  encoded: Uint8Array;
  /** Cells, holes not counted. */
  polygonCount: number;
}
export function mockResult(seed: number): MockResult {
  const polygons = mockPolygons(seed);
  const polygonCount = polygons.filter(({ type }) => type === 'external').length;
  return { polygons, encoded: encodePolygons(polygons), polygonCount };
}
