import { computed, signal } from '@preact/signals';
import { measureGrid, rangeAt, toScrollTop, toVirtual, type GridRange } from './grid-geometry.ts';

export const CELL = { minWidth: 156, captionHeight: 26, gap: 10 } as const;
const OVERSCAN_ROWS = 2;

/** Where the virtual grid is scrolled to and which positions exist because of it. */
export function createGrid() {
  const size = signal({ width: 0, height: 0 });
  const count = signal(0);
  const scrollTop = signal(0);
  const metrics = computed(() =>
    measureGrid({
      ...size.value,
      count: count.value,
      minCell: CELL.minWidth,
      captionHeight: CELL.captionHeight,
      gap: CELL.gap,
    }),
  );
  let last: GridRange | null = null;
  /** The same object while nothing changed, so that scrolling inside a row renders nothing. */
  const range = computed(() => {
    const next = rangeAt(metrics.value, scrollTop.value, count.value, OVERSCAN_ROWS);
    if (last && sameRange(last, next)) return last;
    return (last = next);
  });
  return {
    size,
    count,
    scrollTop,
    metrics,
    range,
    /** Scroll position after a key, or null for keys that mean nothing here. Arrows move by a row. */
    scrollTopAfter(key: string): number | null {
      const m = metrics.peek();
      const now = toVirtual(m, scrollTop.peek());
      const page = Math.max(m.rowHeight, m.viewportHeight - m.rowHeight / 2);
      const target: Record<string, number> = {
        ArrowDown: now + m.rowHeight,
        ArrowUp: now - m.rowHeight,
        PageDown: now + page,
        PageUp: now - page,
        Home: 0,
        End: m.totalHeight,
      };
      const virtual = target[key];
      return virtual === undefined ? null : toScrollTop(m, virtual);
    },
  };
}
export type Grid = ReturnType<typeof createGrid>;

const sameRange = (a: GridRange, b: GridRange): boolean =>
  a.first === b.first &&
  a.last === b.last &&
  a.visibleFirst === b.visibleFirst &&
  a.visibleLast === b.visibleLast &&
  a.layerRow === b.layerRow &&
  Math.abs(a.layerTop - b.layerTop) < 0.5;
