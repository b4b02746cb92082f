import { describe, expect, it } from 'vitest';
import { createGrid } from '../../../src/models/gallery/Grid.ts';
import { leaveGallery, readNeighbourhood, returnToGallery, type GalleryPlace } from '../../../src/models/place.ts';

/** Seven columns of 167 px, rows of 203 px, three of them in view. */
function sized(count: number) {
  const grid = createGrid();
  grid.size.value = { width: 1233, height: 620 };
  grid.count.value = count;
  return grid;
}

it('has cells only for images that are known, wherever it is scrolled to', () => {
  const grid = sized(1000);
  grid.known.value = 10;
  expect(grid.range.value).toMatchObject({ first: 0, last: 10, visibleFirst: 0, visibleLast: 10 });
  grid.scrollTop.value = 203 * 10;
  expect(grid.range.value).toMatchObject({ first: 10, last: 10, visibleFirst: 10, visibleLast: 10 });
  grid.known.value = 1000;
  expect(grid.range.value).toMatchObject({ visibleFirst: 70 });
});

describe('the keys of the grid', () => {
  it('move by an image, a row, a page and to the ends, and stay inside', () => {
    const grid = sized(1000);
    const { columns } = grid.metrics.value;
    expect(columns).toBe(7);
    expect(grid.placeAfter('ArrowRight', 3)).toBe(4);
    expect(grid.placeAfter('ArrowLeft', 0)).toBe(0);
    expect(grid.placeAfter('ArrowDown', 3)).toBe(10);
    expect(grid.placeAfter('PageDown', 3)).toBe(24);
    expect(grid.placeAfter('PageUp', 3)).toBe(0);
    expect(grid.placeAfter('End', 3)).toBe(999);
    expect(grid.placeAfter('ArrowDown', 999)).toBe(999);
    expect(grid.placeAfter('x', 3)).toBeNull();
    expect(sized(0).placeAfter('ArrowDown', -1)).toBeNull();
  });

  it('begin at what can be seen', () => {
    const grid = sized(1000);
    grid.scrollTop.value = 203 * 10;
    expect(grid.placeAfter('ArrowDown', -1)).toBe(70);
  });

  it('scroll no further than the whole row needs, below the cap and above it', () => {
    const grid = sized(1000);
    expect(grid.scrollTopFor(8)).toBe(0);
    expect(grid.scrollTopFor(700)).toBe(100 * 203 + 193 - 620);
    grid.scrollTop.value = 203 * 50;
    expect(grid.scrollTopFor(7 * 49)).toBe(203 * 49);
    const large = createGrid();
    large.size.value = { width: 170, height: 620 };
    large.count.value = 200_000;
    large.scrollTop.value = large.scrollTopFor(150_000);
    const { visibleFirst, visibleLast } = large.range.value;
    expect(visibleFirst).toBeLessThanOrEqual(150_000);
    expect(visibleLast).toBeGreaterThan(150_000);
  });
});

describe('leaving for an image', () => {
  const memory = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    } as unknown as Storage;
  };
  const place: GalleryPlace = {
    filter: 'failed',
    sort: 'name',
    query: '',
    scrollTop: 120,
    active: 4,
    picked: ['a'],
  };
  const leave = (storage: Storage, opened: number, length: number, more: Partial<GalleryPlace> = {}) =>
    leaveGallery(storage, {
      projectId: 'p',
      place: { ...place, ...more },
      opened,
      length,
      idAt: (at) => `image-${at}`,
    });

  it('keeps the place once, and the images around the one that is opened', () => {
    const storage = memory();
    leave(storage, 5000, 100_000);
    expect(returnToGallery(storage, 'p')).toEqual(place);
    expect(returnToGallery(storage, 'p')).toBeNull();
    const around = readNeighbourhood(storage, 'p');
    expect([around.length, around[0], around.at(-1)]).toEqual([2001, 'image-4000', 'image-6000']);
    expect(readNeighbourhood(storage, 'other')).toEqual([]);
    leave(storage, 1, 3);
    expect(readNeighbourhood(storage, 'p')).toEqual(['image-0', 'image-1', 'image-2']);
  });

  it('lets a huge selection go, and a storage that is full be full', () => {
    const storage = memory();
    leave(storage, 0, 1, { picked: Array.from({ length: 6000 }, String) });
    expect(returnToGallery(storage, 'p')?.picked).toEqual([]);
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new Error('QuotaExceededError');
      },
    } as unknown as Storage;
    expect(() => leave(full, 0, 1)).not.toThrow();
  });
});
