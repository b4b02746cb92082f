/** What rows say of images that ended: how many, from when to when, and the time that all of them stayed, together. */
export interface Stays {
  images: number;
  fromMs: number;
  toMs: number;
  sumMs: number;
}
/** Images that had not ended, as somebody saw at `atMs`; ascending. */
export interface Counted {
  atMs: number;
  left: number;
  /** None of these had ended before, whatever was written and could not be seen yet; without it, what is seen is all. */
  sinceMs?: number;
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
  const { least, most } = boundsOf(stays, counted);
  return { counted: (least + most) / 2, byLittle: byLittle(stays) };
}

/**
 * The fewest and the most images that were in the service on average, whatever happened between two looks: what has ended does not come
 * back, so there were never more than at the look before, and never fewer than at the next one.
 */
export function boundsOf(stays: Stays, counted: readonly Counted[]): { least: number; most: number } {
  const { fromMs, toMs } = stays;
  let area = 0;
  let knownMs = fromMs;
  for (const { atMs, left, sinceMs = atMs } of counted) {
    if (sinceMs <= knownMs || sinceMs >= toMs) continue;
    area += left * (sinceMs - knownMs);
    knownMs = sinceMs;
  }
  return { least: area / (toMs - fromMs), most: timeAverage(stays, counted) };
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
