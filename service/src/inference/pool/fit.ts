export interface Line {
  fixed: number;
  each: number;
  /** Standard deviation of what the line leaves over, in the unit of y. */
  residual: number;
  /** Share of the variance that the line explains, 0 to 1. */
  r2: number;
}

/**
 * Least squares `y = fixed + each · x`, neither below 0: nothing costs less than nothing. Weights are 1 / y² where `relative` is
 * set, so that small and large costs count alike.
 * @throws RangeError for fewer than two different x
 */
export function fitLine(points: readonly { x: number; y: number }[], { relative = false } = {}): Line {
  if (new Set(points.map(({ x }) => x)).size < 2) throw new RangeError('a line needs two different x at least');
  const weighted = points.map(({ x, y }) => ({ x, y, w: relative ? 1 / Math.max(y, Number.EPSILON) ** 2 : 1 }));
  const sum = (of: (point: (typeof weighted)[number]) => number) => weighted.reduce((total, p) => total + of(p), 0);
  const w = sum((p) => p.w);
  const [meanX, meanY] = [sum((p) => p.w * p.x) / w, sum((p) => p.w * p.y) / w];
  const xx = sum((p) => p.w * (p.x - meanX) ** 2);
  let each = sum((p) => p.w * (p.x - meanX) * (p.y - meanY)) / xx;
  let fixed = meanY - each * meanX;
  if (each < 0) [each, fixed] = [0, meanY];
  else if (fixed < 0) [each, fixed] = [sum((p) => p.w * p.x * p.y) / sum((p) => p.w * p.x ** 2), 0];
  const n = points.length;
  const left = points.reduce((total, { x, y }) => total + (y - fixed - each * x) ** 2, 0);
  const mean = points.reduce((total, { y }) => total + y, 0) / n;
  const all = points.reduce((total, { y }) => total + (y - mean) ** 2, 0);
  return {
    fixed,
    each,
    residual: Math.sqrt(left / Math.max(1, n - 2)),
    r2: all === 0 ? 1 : Math.max(0, 1 - left / all),
  };
}
