import { polygonsOf } from '../../src/inference/polygons.ts';
import type { Polygon } from '#contract/results.ts';

/** Cells as the service traces them: discs of all sizes that touch and overlap, each third with an open hole. */
export function scene(width: number, height: number, cells: number, seed: number): Polygon[] {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 8) / 2 ** 24) * below;
  };
  const labels = new Int32Array(width * height);
  for (let label = 1; label <= cells; label++) {
    const [cx, cy, radius] = [random(width), random(height), 4 + random(Math.min(width, height) / 8)];
    const inner = label % 3 === 0 ? radius / 2 : 0;
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(height, cy + radius); y++)
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(width, cx + radius); x++) {
        const away = Math.hypot(x - cx, y - cy);
        if (away < radius && away >= inner) labels[y * width + x] = label;
      }
  }
  return polygonsOf(labels, new Float32Array(width * height).fill(0.75), width, height, cells);
}
