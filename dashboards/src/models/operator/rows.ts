/** Rows beside those that are seen, so that a step of the wheel shows no gap. */
const OVERSCAN = 4;

/**
 * Which rows of a long list are made: those in sight, a few around them, and the one that has the focus, wherever it is.
 * @returns positions in rising order
 */
export function rowsInSight(view: {
  count: number;
  rowPx: number;
  scrollTop: number;
  height: number;
  focused: number | null;
}): number[] {
  const { count, rowPx, scrollTop, height, focused } = view;
  const first = Math.max(0, Math.floor(scrollTop / rowPx) - OVERSCAN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowPx) + OVERSCAN);
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  if (focused === null || focused >= count || (focused >= first && focused < end)) return rows;
  return focused < first ? [focused, ...rows] : [...rows, focused];
}
