/** A closed outline along pixel edges. */
export interface Ring {
  label: number;
  hole: boolean;
  /** Index of the outer ring around a hole, in the same list; -1 for an outer ring. */
  parent: number;
  /** [x0, y0, x1, y1, …] pixel corners (0..width, 0..height), not closed; consecutive points differ in one axis. */
  points: number[];
  /** Enclosed square pixels. */
  area: number;
  /** [x, y, width, height]. */
  bbox: [number, number, number, number];
}

/**
 * Outlines of all labels, exactly: filling the outer rings and emptying the holes gives the labels back. Pixels of a
 * label that touch at a corner only are apart (4-connected cells, 8-connected holes); every component has its own
 * outer ring, in the order of its first pixel, followed somewhere later by its holes.
 *
 * Method: crack following. Every ring has at least one edge that runs east (on top of a pixel of the label), so a scan
 * over unvisited top edges finds each ring once; the pixel is kept on the right hand, so outer rings run clockwise
 * on the screen and holes counterclockwise, which the sign of the area tells.
 */
export function traceRings(labels: Int32Array, width: number, height: number): Ring[] {
  const visited = new Uint8Array(width * height);
  const rings: Ring[] = [];
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const label = labels[at]!;
      if (label === 0 || visited[at] !== 0) continue;
      if (y > 0 && labels[at - width] === label) continue;
      rings.push(trace(labels, width, height, x, y, visited));
    }
  assignParents(rings);
  return rings;
}

function trace(labels: Int32Array, width: number, height: number, x0: number, y0: number, visited: Uint8Array): Ring {
  const label = labels[y0 * width + x0]!;
  const inside = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === label;
  const points: number[] = [];
  let [x, y, dx, dy] = [x0, y0, 1, 0];
  let [left, top, right, bottom] = [x0, y0, x0, y0];
  let twice = 0;
  do {
    if (dx === 1) visited[y * width + x] = 1;
    twice += x * dy - y * dx;
    x += dx;
    y += dy;
    // The two pixels ahead of the corner: on the right hand (ours goes on there) and on the left.
    const rightX = x + ((dx - dy - 1) >> 1);
    const rightY = y + ((dx + dy - 1) >> 1);
    if (!inside(rightX, rightY)) {
      points.push(x, y);
      [dx, dy] = [-dy, dx];
    } else if (inside(rightX + dy, rightY - dx)) {
      points.push(x, y);
      [dx, dy] = [dy, -dx];
    }
    if (x < left) left = x;
    else if (x > right) right = x;
    if (y < top) top = y;
    else if (y > bottom) bottom = y;
  } while (x !== x0 || y !== y0 || dx !== 1);
  const hole = twice < 0;
  return { label, hole, parent: -1, points, area: Math.abs(twice) / 2, bbox: [left, top, right - left, bottom - top] };
}

/** A hole's parent is the smallest outer ring of its label around one of its component's pixels. */
function assignParents(rings: Ring[]): void {
  const outer = new Map<number, number[]>();
  rings.forEach((ring, i) => {
    if (ring.hole) return;
    const same = outer.get(ring.label);
    if (same === undefined) outer.set(ring.label, [i]);
    else same.push(i);
  });
  for (const hole of rings) {
    if (!hole.hole) continue;
    const candidates = outer.get(hole.label) ?? [];
    for (const i of candidates) {
      const smaller = hole.parent < 0 || rings[i]!.area < rings[hole.parent]!.area;
      if (smaller && (candidates.length === 1 || contains(rings[i]!, hole))) hole.parent = i;
    }
  }
}

/** Even-odd test at the centre of a pixel of the hole's own component. */
function contains(ring: Ring, hole: Ring): boolean {
  // The first point follows an eastward edge, below which lies a pixel of the component.
  const px = hole.points[0]! - 0.5;
  const py = hole.points[1]! + 0.5;
  const { points } = ring;
  let odd = false;
  let previous = points.length - 2;
  for (let i = 0; i < points.length; previous = i, i += 2) {
    const [x, y0, y1] = [points[i]!, points[previous + 1]!, points[i + 1]!];
    if (y0 !== y1 && y0 < py !== y1 < py && x > px) odd = !odd;
  }
  return odd;
}
