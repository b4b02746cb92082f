/** Probability that a standard normal deviate is below z: Abramowitz and Stegun (1964) 26.2.17, absolute error below 7.5e-8. */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153].reduce(
    (sum, coefficient) => sum * t + coefficient,
    0,
  );
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series * t;
  return z > 0 ? 1 - tail : tail;
}

/** The z below which a standard normal deviate is with probability p: by bisection of `normalBelow`, good to its 7.5e-8. */
export function normalQuantile(p: number): number {
  let [low, high] = [-8, 8];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
