/** Browsers cut a scroll box at 2^24 px; staying well below keeps positions exact to the pixel in 32-bit floats. */
export const MAX_SCROLL_PX = 12_000_000;
/** Cells are placed relative to a layer that moves once in so many rows. */
const LAYER_ROWS = 1000;

export interface GridMetrics {
  columns: number;
  cellWidth: number;
  /** From one row's top to the next one's. */
  rowHeight: number;
  gap: number;
  rows: number;
  /** Height of all rows. */
  totalHeight: number;
  /** Height of the scroll box: `totalHeight`, or the cap. */
  scrollHeight: number;
  viewportHeight: number;
}
export interface GridRange {
  /** Positions [first, last) of the cells to render, overscan included. */
  first: number;
  last: number;
  /** Positions of the cells of which a part can be seen. */
  visibleFirst: number;
  visibleLast: number;
  /** Where the layer of cells stands in the scroll box, and the row at its top. */
  layerTop: number;
  layerRow: number;
}

/** Fixed cells that fill the width: at least `minCell` wide, two columns on the narrowest phone. */
export function measureGrid(options: {
  width: number;
  height: number;
  count: number;
  minCell: number;
  captionHeight: number;
  gap: number;
}): GridMetrics {
  const { width, height, count, minCell, captionHeight, gap } = options;
  const columns = Math.max(width < 240 ? 1 : 2, Math.floor((width + gap) / (minCell + gap)));
  const cellWidth = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns));
  const rowHeight = cellWidth + captionHeight + gap;
  const rows = Math.ceil(count / columns);
  const totalHeight = Math.max(0, rows * rowHeight - gap);
  const scrollHeight = Math.min(totalHeight, MAX_SCROLL_PX);
  return { columns, cellWidth, rowHeight, gap, rows, totalHeight, scrollHeight, viewportHeight: height };
}

const reach = (metrics: GridMetrics): number => Math.max(0, metrics.scrollHeight - metrics.viewportHeight);
const virtualReach = (metrics: GridMetrics): number => Math.max(0, metrics.totalHeight - metrics.viewportHeight);

/** Offset in the full height that stands at the top of the viewport; equal to `scrollTop` below the cap. */
export function toVirtual(metrics: GridMetrics, scrollTop: number): number {
  const limit = reach(metrics);
  if (limit === 0) return 0;
  return (Math.min(Math.max(scrollTop, 0), limit) / limit) * virtualReach(metrics);
}

/** Inverse of `toVirtual`. */
export function toScrollTop(metrics: GridMetrics, virtualTop: number): number {
  const limit = virtualReach(metrics);
  if (limit === 0) return 0;
  return (Math.min(Math.max(virtualTop, 0), limit) / limit) * reach(metrics);
}

export function rangeAt(metrics: GridMetrics, scrollTop: number, count: number, overscanRows: number): GridRange {
  const virtualTop = toVirtual(metrics, scrollTop);
  const topRow = Math.floor(virtualTop / metrics.rowHeight);
  const bottomRow = Math.ceil((virtualTop + metrics.viewportHeight) / metrics.rowHeight);
  const firstRow = Math.max(0, topRow - overscanRows);
  const lastRow = Math.min(metrics.rows, bottomRow + overscanRows);
  const layerRow = Math.floor(firstRow / LAYER_ROWS) * LAYER_ROWS;
  const clampedTop = Math.min(Math.max(scrollTop, 0), reach(metrics));
  return {
    first: firstRow * metrics.columns,
    last: Math.min(count, lastRow * metrics.columns),
    visibleFirst: Math.min(count, topRow * metrics.columns),
    visibleLast: Math.min(count, bottomRow * metrics.columns),
    layerRow,
    // Below the cap this is constant, so scrolling writes no style at all.
    layerTop: layerRow * metrics.rowHeight - virtualTop + clampedTop,
  };
}

/** Top of a row in its layer. */
export const rowTop = (metrics: GridMetrics, layerRow: number, row: number): number =>
  (row - layerRow) * metrics.rowHeight;
