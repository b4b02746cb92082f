import type { Bucket } from './generator-protocol.ts';

/** From then on half of the requests of every window are as quick as before, within `times`, and none is refused; null: never. */
export function recoveryMs(
  buckets: readonly Pick<Bucket, 'atMs' | 'p50Ms' | 'refused' | 'failed'>[],
  { windowMs, times, p50Ms }: { windowMs: number; times: number; p50Ms: number | null },
): number | null {
  if (p50Ms === null) return null;
  const isSlow = (one: (typeof buckets)[number]) =>
    one.refused + one.failed > 0 || one.p50Ms === null || one.p50Ms > p50Ms * times;
  // One slow window later on is the machine's: recovery is the first three good ones in a row.
  for (let at = 0; at + 3 <= buckets.length; at++)
    if (!buckets.slice(at, at + 3).some(isSlow)) return at === 0 ? 0 : buckets[at - 1]!.atMs + windowMs;
  return null;
}
