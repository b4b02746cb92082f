import type { Lod, Polygon } from '../contract/results.ts';
import { simplifyRing } from '../inference/simplify.ts';

/** Largest distance in pixels between the stored outline and the one sent. */
export const LOD_EPSILON: Record<Lod, number> = { low: 3, medium: 1.5, high: 0 };

/** The same polygons (ids, areas, boxes and hierarchy kept) with fewer points; `high` is what is stored, untouched. */
export function simplifyForLod(polygons: Polygon[], lod: Lod): Polygon[] {
  if (lod === 'high') return polygons;
  return polygons.map((polygon) => ({ ...polygon, points: simplifyRing(polygon.points, LOD_EPSILON[lod]) }));
}
