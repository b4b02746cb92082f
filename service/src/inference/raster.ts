import type { Polygon } from '../contract/results.ts';
import { boxOf, coverage } from './scanline.ts';

/**
 * Polygons → label image, row by row: 0 = background, k = the k-th external polygon of the list (its holes left out).
 * A pixel belongs to a polygon when its centre is inside by the even-odd rule; where simplified neighbours overlap, the
 * later one wins. Exact for unsimplified outlines on pixel corners. Polygons may reach outside the image.
 */
export function rasterise(
  polygons: readonly Pick<Polygon, 'id' | 'type' | 'parentId' | 'points'>[],
  width: number,
  height: number,
): Int32Array {
  const out = new Int32Array(width * height);
  const holes = new Map<number, ArrayLike<number>[]>();
  for (const { type, parentId, points } of polygons) {
    if (type !== 'internal' || parentId === null) continue;
    const rings = holes.get(parentId);
    if (rings === undefined) holes.set(parentId, [points]);
    else rings.push(points);
  }
  let label = 0;
  for (const { id, type, points } of polygons)
    if (type === 'external') fillRings([points, ...(holes.get(id) ?? [])], width, height, ++label, out);
  return out;
}

/** Even-odd fill of all rings together, at pixel centres. */
export function fillRings(
  rings: readonly ArrayLike<number>[],
  width: number,
  height: number,
  value: number,
  out: Int32Array,
): void {
  const box = boxOf(rings, width, height);
  const covered = coverage(rings, box);
  const stride = box.right - box.left + 1;
  for (let y = box.top; y < box.bottom; y++) {
    const from = (y - box.top) * stride - box.left;
    const to = y * width;
    for (let x = box.left; x < box.right; x++) if (covered[from + x] === 1) out[to + x] = value;
  }
}
