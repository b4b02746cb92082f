/**
 * How long nothing moved: the longest time without an image that ended, from a moment on to the last end. Stricter than the time
 * to the next end, which images that were as good as done may make short.
 * @param endedMs when images ended, any order, epoch ms @returns null when none ended after the moment
 */
export function longestStallMs(endedMs: readonly number[], fromMs: number): number | null {
  const after = endedMs.filter((at) => at > fromMs).toSorted((a, b) => a - b);
  if (after.length === 0) return null;
  return Math.max(...after.map((at, index) => at - (after[index - 1] ?? fromMs)));
}
