/** What rows say of images that ended: how many, from when to when, and the time that all of them stayed, together. */
export interface Stays {
  images: number;
  fromMs: number;
  toMs: number;
  sumMs: number;
}
/** Images that had not ended, by the clock of who counted; ascending. */
export interface Counted {
  atMs: number;
  left: number;
}

export function staysOf(rows: readonly { queuedMs: number; endedMs: number }[]): Stays | null {
  if (rows.length === 0) return null;
  return rows.reduce<Stays>(
    (all, { queuedMs, endedMs }) => ({
      images: all.images + 1,
      fromMs: Math.min(all.fromMs, queuedMs),
      toMs: Math.max(all.toMs, endedMs),
      sumMs: all.sumMs + endedMs - queuedMs,
    }),
    { images: 0, fromMs: Infinity, toMs: -Infinity, sumMs: 0 },
  );
}

/** L = λW (Little, Operations Research 9, 1961): in the service on average, by rate times mean stay. */
export const byLittle = ({ sumMs, fromMs, toMs }: Stays): number => sumMs / (toMs - fromMs);

/** Images in the service on average, in two ways: the area under what was counted from outside, and Little's law by the rows. */
export function inServiceOf(
  stays: Stays | null,
  counted: readonly Counted[],
): { counted: number; byLittle: number } | null {
  if (stays === null || counted.length === 0 || !(stays.toMs > stays.fromMs)) return null;
  const points = pointsOf(stays, counted);
  // Between two looks images end one after the other: straight lines, not steps.
  let area = 0;
  for (let at = 1; at < points.length; at++) {
    const [before, after] = [points[at - 1]!, points[at]!];
    area += ((before.left + after.left) / 2) * (after.atMs - before.atMs);
  }
  return { counted: area / (stays.toMs - stays.fromMs), byLittle: byLittle(stays) };
}

const pointsOf = ({ images, fromMs, toMs }: Stays, counted: readonly Counted[]): Counted[] => [
  { atMs: fromMs, left: images },
  ...counted.filter(({ atMs }) => atMs > fromMs && atMs < toMs),
  { atMs: toMs, left: 0 },
];

/** The longest time in which nobody counted. */
export function longestGapMs(stays: Stays, counted: readonly Counted[]): number {
  const points = pointsOf(stays, counted);
  return points.slice(1).reduce((longest, { atMs }, before) => Math.max(longest, atMs - points[before]!.atMs), 0);
}

/** Of a step function that keeps each value until the next point. */
export function timeAverage({ images, fromMs, toMs }: Stays, counted: readonly Counted[]): number {
  const points = [{ atMs: fromMs, left: images }, ...counted];
  let area = 0;
  points.forEach(({ atMs, left }, index) => {
    const until = Math.min(toMs, points[index + 1]?.atMs ?? toMs);
    area += left * Math.max(0, until - Math.max(fromMs, atMs));
  });
  return area / (toMs - fromMs);
}
