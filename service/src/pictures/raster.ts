import type { Polygon } from '#contract/results.ts';

const FILL_ALPHA = 96;
const GOLDEN_ANGLE = 137.508;

/** Neighbouring ids get distant hues. */
export function colourOf(id: number): [number, number, number] {
  const hue = ((id * GOLDEN_ANGLE) % 360) / 60;
  const x = Math.round(255 * (1 - Math.abs((hue % 2) - 1)));
  const table: [number, number, number][] = [
    [255, x, 0],
    [x, 255, 0],
    [0, 255, x],
    [0, x, 255],
    [x, 0, 255],
    [255, 0, x],
  ];
  return table[Math.floor(hue)] ?? [255, 255, 255];
}

type Ring = readonly number[];

/** Even-odd fill on pixel centres: an internal ring given with its external one stays clear. */
function fill(
  rings: readonly Ring[],
  width: number,
  height: number,
  paint: (x0: number, x1: number, y: number) => void,
): void {
  let top = Infinity;
  let bottom = -Infinity;
  for (const ring of rings)
    for (let at = 1; at < ring.length; at += 2) {
      top = Math.min(top, ring[at]!);
      bottom = Math.max(bottom, ring[at]!);
    }
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, Math.ceil(bottom)); y++) {
    const middle = y + 0.5;
    const crossings: number[] = [];
    for (const ring of rings)
      for (let at = 0, before = ring.length - 2; at < ring.length; before = at, at += 2) {
        const [x0, y0, x1, y1] = [ring[before]!, ring[before + 1]!, ring[at]!, ring[at + 1]!];
        if (y0 <= middle !== y1 <= middle) crossings.push(x0 + ((middle - y0) / (y1 - y0)) * (x1 - x0));
      }
    crossings.sort((a, b) => a - b);
    for (let at = 0; at + 1 < crossings.length; at += 2) {
      const from = Math.max(0, Math.ceil(crossings[at]! - 0.5));
      const to = Math.min(width, Math.ceil(crossings[at + 1]! - 0.5));
      if (from < to) paint(from, to, y);
    }
  }
}

function line(x0: number, y0: number, x1: number, y1: number, dot: (x: number, y: number) => void): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
  for (let step = 0; step <= steps; step++)
    dot(Math.floor(x0 + ((x1 - x0) * step) / steps), Math.floor(y0 + ((y1 - y0) * step) / steps));
}

/**
 * A transparent picture of polygons: translucent inside, opaque along the outline, RGBA.
 * @param scale pixels of the picture per pixel of the image.
 */
export function rasterise(polygons: readonly Polygon[], width: number, height: number, scale: number): Uint8Array {
  const data = new Uint8Array(width * height * 4);
  const holes = new Map<number, Ring[]>();
  const scaled = (points: Ring) => points.map((value) => value * scale);
  for (const { type, parentId, points } of polygons)
    if (type === 'internal' && parentId !== null) holes.set(parentId, [...(holes.get(parentId) ?? []), scaled(points)]);
  for (const { id, type, points } of polygons) {
    if (type === 'internal') continue;
    const [red, green, blue] = colourOf(id);
    const put = (at: number, alpha: number) => {
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
      data[at + 3] = alpha;
    };
    const rings = [scaled(points), ...(holes.get(id) ?? [])];
    fill(rings, width, height, (from, to, y) => {
      for (let x = from; x < to; x++) put((y * width + x) * 4, FILL_ALPHA);
    });
    for (const ring of rings)
      for (let at = 0, before = ring.length - 2; at < ring.length; before = at, at += 2)
        line(ring[before]!, ring[before + 1]!, ring[at]!, ring[at + 1]!, (x, y) => {
          if (x >= 0 && y >= 0 && x < width && y < height) put((y * width + x) * 4, 255);
        });
  }
  return data;
}
