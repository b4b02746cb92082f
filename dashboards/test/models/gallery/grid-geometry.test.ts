import { describe, expect, it } from 'vitest';
import {
  MAX_SCROLL_PX,
  measureGrid,
  rangeAt,
  rowTop,
  toScrollTop,
  toVirtual,
} from '../../../src/models/gallery/grid-geometry.ts';

const measure = (width: number, count: number) =>
  measureGrid({ width, height: 600, count, minCell: 156, captionHeight: 26, gap: 10 });

describe('measureGrid', () => {
  it('fills the width with whole cells', () => {
    const wide = measure(1248, 1000);
    expect(wide.columns).toBe(7);
    expect(wide.cellWidth * 7 + 10 * 6).toBeLessThanOrEqual(1248);
    expect(measure(336, 1000).columns).toBe(2);
    expect(measure(120, 10).columns).toBe(1);
  });

  it('keeps the scroll box below the limit of browsers for 100,000 images in one column', () => {
    const grid = measure(200, 100_000);
    expect(grid.totalHeight).toBeGreaterThan(2 ** 24);
    expect(grid.scrollHeight).toBe(MAX_SCROLL_PX);
    expect(MAX_SCROLL_PX).toBeLessThan(2 ** 24);
  });
});

describe('rangeAt', () => {
  it('shows the first image at the top and the last one at the end, capped or not', () => {
    for (const [width, count] of [
      [1248, 1000],
      [200, 100_000],
      [336, 99_999],
    ] as const) {
      const grid = measure(width, count);
      expect(rangeAt(grid, 0, count, 2).first).toBe(0);
      const end = rangeAt(grid, grid.scrollHeight - grid.viewportHeight, count, 2);
      expect(end.last).toBe(count);
      expect(end.visibleLast).toBe(count);
      const bottom = end.layerTop + rowTop(grid, end.layerRow, grid.rows - 1) + grid.rowHeight - grid.gap;
      expect(Math.abs(bottom - grid.scrollHeight)).toBeLessThanOrEqual(1);
    }
  });

  it('covers the viewport without a hole at every scroll position', () => {
    const count = 100_000;
    const grid = measure(200, count);
    for (let top = 0; top <= grid.scrollHeight - 600; top += 999_983) {
      const range = rangeAt(grid, top, count, 2);
      const topOf = (place: number): number =>
        range.layerTop + rowTop(grid, range.layerRow, Math.floor(place / grid.columns));
      const firstY = topOf(range.visibleFirst);
      const lastY = topOf(range.visibleLast - 1) + grid.rowHeight;
      expect(firstY).toBeLessThanOrEqual(top);
      expect(lastY).toBeGreaterThanOrEqual(top + 600);
    }
  });

  it('renders a bounded number of cells whatever the count', () => {
    const count = 100_000;
    const grid = measure(1248, count);
    const { first, last } = rangeAt(grid, 1_000_000, count, 2);
    expect(last - first).toBeLessThan(80);
  });

  it('does not move the layer while scrolling below the cap', () => {
    const grid = measure(1248, 5000);
    expect(rangeAt(grid, 100, 5000, 2).layerTop).toBe(rangeAt(grid, 700, 5000, 2).layerTop);
  });

  it('is empty for an empty project', () => {
    const grid = measure(1248, 0);
    expect(rangeAt(grid, 0, 0, 2)).toMatchObject({ first: 0, last: 0, visibleLast: 0 });
  });
});

describe('toVirtual', () => {
  it('is the inverse of toScrollTop', () => {
    const grid = measure(200, 100_000);
    for (const virtual of [0, 1234, 9_999_999, grid.totalHeight - 600])
      expect(toVirtual(grid, toScrollTop(grid, virtual))).toBeCloseTo(virtual, 3);
  });
});
