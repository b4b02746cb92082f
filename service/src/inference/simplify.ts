/**
 * Simplifies a closed ring of [x0, y0, x1, y1, …] by Douglas-Peucker: no dropped point is farther than `epsilon` pixels
 * from the outline that is left. The ring is split at its first point and the one farthest from it. At least three
 * points stay; a ring of at most four is returned as it is. Iterative: the depth of a hostile outline costs no stack.
 * Source: Douglas and Peucker 1973.
 */
export function simplifyRing(points: readonly number[], epsilon: number): number[] {
  const n = points.length >> 1;
  if (n <= 4 || epsilon <= 0) return [...points];
  const keep = new Uint8Array(n);
  const far = farthestFromFirst(points, n);
  keep[0] = keep[far] = 1;
  const limit = epsilon * epsilon;
  const open = [0, far, far, n];
  let widest = -1;
  let widestSquared = -1;
  while (open.length > 0) {
    const to = open.pop()!;
    const from = open.pop()!;
    const [ax, ay] = [points[2 * from]!, points[2 * from + 1]!];
    const end = to === n ? 0 : to;
    const [bx, by] = [points[2 * end]!, points[2 * end + 1]!];
    let worst = -1;
    let worstSquared = -1;
    for (let i = from + 1; i < to; i++) {
      const squared = squaredDistance(points[2 * i]!, points[2 * i + 1]!, ax, ay, bx, by);
      if (squared > worstSquared) [worst, worstSquared] = [i, squared];
    }
    if (worst < 0) continue;
    if (worstSquared > limit) {
      keep[worst] = 1;
      open.push(from, worst, worst, to);
    } else if (worstSquared > widestSquared) [widest, widestSquared] = [worst, worstSquared];
  }
  const kept = keep.reduce((sum, flag) => sum + flag, 0);
  if (kept < 3) keep[widest] = 1;
  const out: number[] = [];
  for (let i = 0; i < n; i++) if (keep[i] === 1) out.push(points[2 * i]!, points[2 * i + 1]!);
  return out;
}

function farthestFromFirst(points: readonly number[], n: number): number {
  let far = 1;
  let best = -1;
  for (let i = 1; i < n; i++) {
    const squared = (points[2 * i]! - points[0]!) ** 2 + (points[2 * i + 1]! - points[1]!) ** 2;
    if (squared > best) [far, best] = [i, squared];
  }
  return far;
}

/** From a point to the segment a-b (not its line: an outline may turn back on itself). */
function squaredDistance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return (ax + t * dx - x) ** 2 + (ay + t * dy - y) ** 2;
}
