import type { Polygon } from '../contract/results.ts';

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
  for (const polygon of polygons) {
    if (polygon.type !== 'internal' || polygon.parentId === null) continue;
    const rings = holes.get(polygon.parentId);
    if (rings === undefined) holes.set(polygon.parentId, [polygon.points]);
    else rings.push(polygon.points);
  }
  let label = 0;
  for (const polygon of polygons) {
    if (polygon.type === 'external')
      fillRings([polygon.points, ...(holes.get(polygon.id) ?? [])], width, height, ++label, out);
  }
  return out;
}

/** Even-odd scanline fill of all rings together at pixel centres. */
export function fillRings(
  rings: readonly ArrayLike<number>[],
  width: number,
  height: number,
  value: number,
  out: Int32Array,
): void {
  const { top, bottom } = rowsOf(rings, height);
  const crossings: number[][] = Array.from({ length: Math.max(0, bottom - top) }, () => []);
  for (const ring of rings) {
    let [px, py] = [ring[ring.length - 2]!, ring[ring.length - 1]!];
    for (let i = 0; i < ring.length; i += 2) {
      const [x, y] = [ring[i]!, ring[i + 1]!];
      addEdge(crossings, top, bottom, px, py, x, y);
      [px, py] = [x, y];
    }
  }
  crossings.forEach((xs, row) => {
    xs.sort((a, b) => a - b);
    const base = (top + row) * width;
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const from = Math.max(0, Math.ceil(xs[i]! - 0.5));
      const to = Math.min(width, Math.ceil(xs[i + 1]! - 0.5));
      if (from < to) out.fill(value, base + from, base + to);
    }
  });
}

function rowsOf(rings: readonly ArrayLike<number>[], height: number): { top: number; bottom: number } {
  let top = height;
  let bottom = 0;
  for (const ring of rings)
    for (let i = 1; i < ring.length; i += 2) {
      top = Math.min(top, Math.floor(ring[i]!));
      bottom = Math.max(bottom, Math.ceil(ring[i]!));
    }
  return { top: Math.max(0, top), bottom: Math.min(height, bottom) };
}

function addEdge(rows: number[][], top: number, bottom: number, x0: number, y0: number, x1: number, y1: number): void {
  if (y0 === y1) return;
  const [ax, ay, bx, by] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0];
  const first = Math.max(top, Math.ceil(ay - 0.5));
  const last = Math.min(bottom - 1, Math.ceil(by - 0.5) - 1);
  const slope = (bx - ax) / (by - ay);
  for (let y = first; y <= last; y++) rows[y - top]!.push(ax + (y + 0.5 - ay) * slope);
}
