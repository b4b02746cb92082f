import { computed, signal } from '@preact/signals';
import { measureGrid, rangeAt, toScrollTop, toVirtual, type GridRange } from './grid-geometry.ts';

export const CELL = { minWidth: 156, captionHeight: 26, gap: 10 } as const;
const OVERSCAN_ROWS = 1;

/** Where the virtual grid is scrolled to and which positions exist because of it. */
export function createGrid() {
  const size = signal({ width: 0, height: 0 });
  const count = signal(0);
  /** Images at the beginning that can be shown; those further down come later. */
  const known = signal(Infinity);
  const scrollTop = signal(0);
  const wantedTop = signal<number | null>(null);
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
    const next = upTo(known.value, rangeAt(metrics.value, scrollTop.value, count.value, OVERSCAN_ROWS));
    if (last && sameRange(last, next)) return last;
    return (last = next);
  });
  return {
    size,
    count,
    known,
    scrollTop,
    metrics,
    range,
    /** Where the box is to be scrolled to once it has its height; null for nowhere. */
    wantedTop,
    /** Place that a key leads to from `place` (-1: from nowhere yet), or null for keys that mean nothing here. */
    placeAfter(key: string, place: number): number | null {
      const m = metrics.peek();
      const last = count.peek() - 1;
      const page = Math.max(1, Math.floor(m.viewportHeight / m.rowHeight)) * m.columns;
      const steps: Record<string, number> = {
        ArrowRight: 1,
        ArrowLeft: -1,
        ArrowDown: m.columns,
        ArrowUp: -m.columns,
        PageDown: page,
        PageUp: -page,
      };
      if (key === 'Home') return 0;
      if (key === 'End') return last;
      const step = steps[key];
      if (step === undefined || last < 0) return null;
      // The first key shows where the keyboard is, and moves nothing.
      if (place < 0) return Math.min(range.peek().visibleFirst, last);
      return Math.min(Math.max(place + step, 0), last);
    },
    /** Scroll position at which the whole row of a place can be seen; the present one where it can already. */
    scrollTopFor(place: number): number {
      const m = metrics.peek();
      const now = toVirtual(m, scrollTop.peek());
      const top = Math.floor(place / m.columns) * m.rowHeight;
      const bottom = top + m.rowHeight - m.gap;
      if (top < now) return toScrollTop(m, top);
      if (bottom > now + m.viewportHeight) return toScrollTop(m, bottom - m.viewportHeight);
      return scrollTop.peek();
    },
  };
}
export type Grid = ReturnType<typeof createGrid>;

const upTo = (known: number, range: GridRange): GridRange => ({
  ...range,
  first: Math.min(known, range.first),
  last: Math.min(known, range.last),
  visibleFirst: Math.min(known, range.visibleFirst),
  visibleLast: Math.min(known, range.visibleLast),
});
const sameRange = (a: GridRange, b: GridRange): boolean =>
  a.first === b.first &&
  a.last === b.last &&
  a.visibleFirst === b.visibleFirst &&
  a.visibleLast === b.visibleLast &&
  a.layerRow === b.layerRow &&
  Math.abs(a.layerTop - b.layerTop) < 0.5;
