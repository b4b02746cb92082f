/**
 * Adjusted probabilities of several tests of one family (Holm, Scandinavian Journal of Statistics 6, 1979): one at or below the
 * family's level may be rejected, and the chance of any false rejection stays at that level whatever the tests have in common.
 * In the order given.
 */
export function holm(probabilities: readonly number[]): number[] {
  const order = probabilities.map((p, at) => ({ p, at })).toSorted((a, b) => a.p - b.p);
  const adjusted = probabilities.map(() => 1);
  let least = 0;
  for (const [rank, { p, at }] of order.entries()) {
    least = Math.max(least, Math.min(1, (probabilities.length - rank) * p));
    adjusted[at] = least;
  }
  return adjusted;
}
