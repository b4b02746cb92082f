/** Below this a pivot of columns of length 1 is rounding: one column is made of the others. */
const SINGULAR = 1e-9;
/** By so little, relative to all of y, a larger set of columns must not win. */
const TIE = 1e-12;

interface Solved {
  coefficients: number[];
  squares: number;
}

/**
 * Weighted least squares `y = Σ coefficient · column` with no coefficient below 0, exact for the few columns there are: every set
 * of columns is solved, and of those that have a solution the one with the smallest sum of squares is taken; of equal ones the
 * first, with the fewest columns and then in their order (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23).
 * @param rows one an observation, its values by column @param weights of squared differences
 * @throws RangeError where nothing can be solved
 */
export function nonNegativeLeastSquares(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  weights: readonly number[] = y.map(() => 1),
): number[] {
  const columns = rows[0]?.length ?? 0;
  const total = y.reduce((sum, value, at) => sum + weights[at]! * value * value, 0);
  let best: Solved | null = null;
  for (const chosen of setsOf(columns)) {
    const solved = solve(rows, y, weights, chosen);
    if (solved === null || solved.coefficients.some((value) => value < 0)) continue;
    if (best === null || solved.squares < best.squares - TIE * total) best = solved;
  }
  if (best === null) throw new RangeError(`${rows.length} observations of ${columns} columns have no solution`);
  return best.coefficients;
}

/** Every set of columns that is not empty, the small ones first. */
function setsOf(columns: number): number[][] {
  const all = Array.from({ length: 2 ** columns - 1 }, (_, mask) =>
    Array.from({ length: columns }, (__, column) => column).filter((column) => ((mask + 1) >> column) & 1),
  );
  return all.toSorted((a, b) => a.length - b.length);
}

/** Normal equations of columns brought to length 1, by elimination with pivots; null where they are singular. */
function solve(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  weights: readonly number[],
  chosen: readonly number[],
): Solved | null {
  const inner = (of: (at: number) => number): number => rows.reduce((sum, _, at) => sum + weights[at]! * of(at), 0);
  const lengths = chosen.map((column) => Math.sqrt(inner((at) => rows[at]![column]! ** 2)));
  if (lengths.some((length) => !(length > 0))) return null;
  const matrix = chosen.map((i, a) => [
    ...chosen.map((j, b) => inner((at) => rows[at]![i]! * rows[at]![j]!) / (lengths[a]! * lengths[b]!)),
    inner((at) => rows[at]![i]! * y[at]!) / lengths[a]!,
  ]);
  const n = chosen.length;
  for (let step = 0; step < n; step++) {
    let pivot = step;
    for (let row = step + 1; row < n; row++)
      if (Math.abs(matrix[row]![step]!) > Math.abs(matrix[pivot]![step]!)) pivot = row;
    [matrix[step], matrix[pivot]] = [matrix[pivot]!, matrix[step]!];
    if (Math.abs(matrix[step]![step]!) < SINGULAR) return null;
    for (let row = 0; row < n; row++) {
      if (row === step) continue;
      const factor = matrix[row]![step]! / matrix[step]![step]!;
      for (let at = step; at <= n; at++) matrix[row]![at]! -= factor * matrix[step]![at]!;
    }
  }
  const coefficients = Array.from({ length: rows[0]!.length }, () => 0);
  chosen.forEach((column, at) => (coefficients[column] = matrix[at]![n]! / matrix[at]![at]! / lengths[at]!));
  const squares = inner(
    (at) => (y[at]! - chosen.reduce((sum, column) => sum + coefficients[column]! * rows[at]![column]!, 0)) ** 2,
  );
  return { coefficients, squares };
}
