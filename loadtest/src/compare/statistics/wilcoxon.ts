/** What the signed ranks of paired differences say against "not greater than 0". */
export interface SignedRank {
  /** Probability of ranks at least this high if every sign were a coin's; 1 for no differences. */
  p: number;
  /** Sum of the ranks of the positive differences. */
  rankSum: number;
  /** Differences that are not 0: those that count. */
  n: number;
}

/**
 * One-sided signed-rank test (Wilcoxon, Biometrics Bulletin 1, 1945). Zeros are left out, as there; ties share the mean of their ranks.
 * The probability is exact at any n: all 2^n signs of the ranks as they are, counted by dynamic programming over doubled ranks, so
 * that ties need no correction.
 */
export function signedRank(differences: readonly number[]): SignedRank {
  const values = differences.filter((value) => value !== 0).toSorted((a, b) => Math.abs(a) - Math.abs(b));
  const doubled = doubledRanks(values.map(Math.abs));
  const positive = doubled.reduce((sum, rank, at) => sum + ((values[at] ?? 0) > 0 ? rank : 0), 0);
  return { p: upperTail(doubled, positive), rankSum: positive / 2, n: values.length };
}

/** Twice the mid-ranks of values in ascending order: whole numbers. */
function doubledRanks(sorted: readonly number[]): number[] {
  const ranks: number[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to + 1 < sorted.length && sorted[to + 1] === sorted[from]) to++;
    for (let at = from; at <= to; at++) ranks.push(from + to + 2);
    from = to + 1;
  }
  return ranks;
}

/** Share of all subsets of `ranks` whose sum is at least `from`. */
function upperTail(ranks: readonly number[], from: number): number {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const chance = new Float64Array(total + 1);
  chance[0] = 1;
  for (const rank of ranks)
    for (let sum = total; sum >= 0; sum--)
      chance[sum] = ((chance[sum] ?? 0) + (sum >= rank ? (chance[sum - rank] ?? 0) : 0)) / 2;
  return chance.subarray(from).reduce((sum, value) => sum + value, 0);
}
