import type { Polygon } from '#contract/results.ts';

/** One byte a pixel, row by row: 0 or not. */
export interface Mask {
  width: number;
  height: number;
  at: Uint8Array;
}
/** Where an image lies: a pixel of the mask is `image * scale + (x, y)`. */
export interface Place {
  scale: number;
  x: number;
  y: number;
}
export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
export interface Drawn {
  /** Outlines of which enough is in view to judge them. */
  seen: Set<number>;
  /** Ids of those of which a part is not drawn. */
  missing: number[];
  /** Places at which something is drawn where nothing should be. */
  stray: number;
}

/**
 * Pixels by which drawing and truth may differ: an outline is drawn in the level of detail whose error is below one, its line is a little
 * wider than one and smoothed.
 */
const TOLERANCE = 2;
/** Fewer pixels than that are no finding. */
const LEAST = 4;
/** Outlines with fewer pixels in view are not judged. */
const JUDGED_FROM = 2 * LEAST;
/** Stray pixels closer than that are one place. */
const SPOT = 32;

/** Sets the pixels whose centres lie inside the polygon, by the even-odd rule. */
function fill(into: Int32Array, { width, height }: Mask, points: readonly number[], value: number): void {
  const count = points.length / 2;
  let [top, bottom] = [Infinity, -Infinity];
  for (let k = 0; k < count; k++) {
    top = Math.min(top, points[k * 2 + 1]!);
    bottom = Math.max(bottom, points[k * 2 + 1]!);
  }
  for (let row = Math.max(0, Math.floor(top)); row <= Math.min(height - 1, Math.floor(bottom)); row++) {
    const y = row + 0.5;
    const crossings: number[] = [];
    for (let k = 0, before = count - 1; k < count; before = k, k++) {
      const [x0, y0, x1, y1] = [points[k * 2]!, points[k * 2 + 1]!, points[before * 2]!, points[before * 2 + 1]!];
      if (y0 > y !== y1 > y) crossings.push(x0 + ((x1 - x0) * (y - y0)) / (y1 - y0));
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = Math.max(0, Math.ceil(crossings[k]! - 0.5));
      const to = Math.min(width - 1, Math.floor(crossings[k + 1]! - 0.5));
      for (let column = from; column <= to; column++) into[row * width + column] = value;
    }
  }
}

/** Every pixel that has one that is set at most `TOLERANCE` rows and columns away. */
function near(mask: ArrayLike<number>, width: number, height: number): Uint8Array {
  const across = new Uint8Array(width * height);
  const all = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    let last = -Infinity;
    for (let column = 0; column < width + TOLERANCE; column++) {
      if (column < width && mask[row * width + column]) last = column;
      const of = column - TOLERANCE;
      if (of >= 0 && last >= of - TOLERANCE) across[row * width + of] = 1;
    }
  }
  for (let column = 0; column < width; column++) {
    let last = -Infinity;
    for (let row = 0; row < height + TOLERANCE; row++) {
      if (row < height && across[row * width + column]) last = row;
      const of = row - TOLERANCE;
      if (of >= 0 && last >= of - TOLERANCE) all[of * width + column] = 1;
    }
  }
  return all;
}

/**
 * Compares what is on a screen with the outlines that should be: each is filled here by the truth's corners, and pixel by pixel something
 * must be drawn there, and nothing elsewhere. Pure.
 * @param covered parts of the screen that something else lies over, which nobody can judge
 */
export function judgeDrawn(drawn: Mask, polygons: readonly Polygon[], place: Place, covered: readonly Rect[]): Drawn {
  const { width, height } = drawn;
  const owners = new Int32Array(width * height);
  polygons.forEach(({ points, type }, i) => {
    const placed = points.map((value, at) => value * place.scale + (at % 2 === 0 ? place.x : place.y));
    fill(owners, drawn, placed, type === 'internal' ? 0 : i + 1);
  });
  const judged = new Uint8Array(width * height);
  // At the edges it is not known what lies beyond them.
  for (let row = TOLERANCE; row < height - TOLERANCE; row++)
    judged.fill(1, row * width + TOLERANCE, (row + 1) * width - TOLERANCE);
  for (const { left, top, right, bottom } of covered)
    for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, Math.ceil(bottom)); row++)
      judged.fill(0, row * width + Math.max(0, Math.floor(left)), row * width + Math.min(width, Math.ceil(right)));
  const nearDrawn = near(drawn.at, width, height);
  const nearOwners = near(owners, width, height);
  const pixels = new Uint32Array(polygons.length + 1);
  const absent = new Uint32Array(polygons.length + 1);
  const strays = new Map<number, number>();
  for (let at = 0; at < judged.length; at++) {
    if (!judged[at]) continue;
    const owner = owners[at]!;
    pixels[owner]!++;
    if (owner > 0 && !nearDrawn[at]) absent[owner]!++;
    if (!drawn.at[at] || nearOwners[at]) continue;
    const spot = Math.floor(Math.floor(at / width) / SPOT) * width + Math.floor((at % width) / SPOT);
    strays.set(spot, (strays.get(spot) ?? 0) + 1);
  }
  const seen = new Set<number>();
  const missing: number[] = [];
  polygons.forEach(({ id }, i) => {
    if (pixels[i + 1]! < JUDGED_FROM) return;
    seen.add(id);
    if (absent[i + 1]! >= LEAST) missing.push(id);
  });
  return { seen, missing, stray: [...strays.values()].filter((count) => count >= LEAST).length };
}

export const wrongIn = ({ seen, missing, stray }: Drawn): number => (seen.size === 0 ? 1 : missing.length + stray);
