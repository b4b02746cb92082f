import { describe, expect, it } from 'vitest';
import { GALLERY_BUDGETS } from '../../../scenarios/budgets-pages.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { measurementsOf, tableOf } from '../../src/load/gallery.ts';

const FIGURES = {
  firstPaintMs: 100,
  settleMs: 200,
  rightMs: 50,
  jumpMs: null,
  orderMs: 30,
  domNodes: 900,
  heapBeforeBytes: 1e6,
  heapPeakBytes: 2e6,
  heapRetainedBytes: 1e6,
  frameP95sMs: [16],
  plainP95sMs: [],
  wrongCells: 0,
  requests: 7,
};

describe('the table of the gallery', () => {
  it.each(['hardware', 'software'] as const)('says that the browser draws by %s when it says so', (rendering) => {
    const { note, rows } = tableOf(FIGURES, {
      images: 100,
      early: { ...FIGURES, settleMs: 900 },
      rendering,
      pssBytes: 5e6,
    });
    expect(note).toContain(`a browser that draws by ${rendering}.`);
    expect(rows).toContainEqual(['the same for the first visitor since the service was started', '900 ms']);
    expect(rows).toContainEqual(['End pressed until the last images are', 'never']);
  });
});

it('tells late frames of the machine, which a plain page has too, from those of the gallery', () => {
  const frames = (frameP95sMs: number[], plainP95sMs: number[]) =>
    judgeBudgets(measurementsOf({ ...FIGURES, frameP95sMs, plainP95sMs }), GALLERY_BUDGETS, { imageCount: 100 }).find(
      ({ name }) => name === 'gallery_frame_p95_ms',
    )?.verdict;
  expect(frames([33, 33, 16], [33, 50])).toBe('inconclusive');
  expect(frames([33, 33, 16], [16, 17])).toBe('fail');
  expect(frames([33, 16, 16], [16])).toBe('pass');
});
