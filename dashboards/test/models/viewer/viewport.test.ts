import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clampView,
  covers,
  fitScale,
  fitView,
  isFit,
  MAX_SCALE,
  moved,
  panBy,
  seenBox,
  showBox,
  zoomAt,
} from '../../../src/models/viewer/viewport.ts';

const stage = { width: 900, height: 600 };
const image = { width: 3000, height: 1000 };
const sides = fc.integer({ min: 1, max: 8000 });
const sizes = fc.record({ width: sides, height: sides });
const offsets = fc.integer({ min: -5000, max: 5000 });

describe('fitView', () => {
  it('shows all of the image in the middle, and blows up no tiny one without end', () => {
    expect(fitView(image, stage)).toEqual({ scale: 0.3, x: 0, y: 150 });
    expect(fitView({ width: 10, height: 10 }, stage).scale).toBe(8);
    expect(isFit(fitView(image, stage), image, stage)).toBe(true);
  });
});

describe('zoomAt', () => {
  it('keeps what is under the pointer there', () => {
    const view = zoomAt({ scale: 1, x: -500, y: -100 }, 2, [300, 200], image, stage);
    expect(view).toEqual({ scale: 2, x: -1300, y: -400 });
  });

  it('stays on the stage and within its limits, whatever is done', () => {
    const steps = fc.array(
      fc.record({ factor: fc.double({ min: 0.01, max: 100, noNaN: true }), px: offsets, py: offsets }),
    );
    fc.assert(
      fc.property(sizes, steps, offsets, (of, moves, dx) => {
        let view = fitView(of, stage);
        for (const { factor, px, py } of moves)
          view = panBy(zoomAt(view, factor, [px, py], of, stage), dx, -dx, of, stage);
        expect(view.scale).toBeLessThanOrEqual(MAX_SCALE);
        expect(view.scale).toBeGreaterThanOrEqual(Math.min(1, fitScale(of, stage)));
        const [left, top, right, bottom] = seenBox(view, stage);
        // No gap at an edge while the image is larger than the stage.
        const wide = of.width * view.scale > stage.width + 1e-6;
        const high = of.height * view.scale > stage.height + 1e-6;
        const slack = 1e-3 + of.width * 1e-9;
        expect(!wide || (left >= -slack && right <= of.width + slack)).toBe(true);
        expect(!high || (top >= -slack && bottom <= of.height + slack)).toBe(true);
      }),
    );
  });
});

describe('showBox', () => {
  const view = { scale: 1, x: 0, y: 0 };
  it('moves nothing for what can be seen, and brings the rest to the middle', () => {
    expect(showBox(view, [10, 10, 100, 100], image, stage)).toEqual(view);
    expect(showBox(view, [2000, 300, 2100, 400], image, stage)).toEqual({ scale: 1, x: -1600, y: 0 });
    expect(showBox(view, [2990, 10, 3000, 20], image, stage).x).toBe(900 - 3000);
  });
});

describe('covers', () => {
  const drawn = clampView({ scale: 1, x: -1000, y: -200 }, image, stage);
  it('holds while the margin lasts and the scale is near', () => {
    expect(covers(drawn, drawn, image, stage, 0.25)).toBe(true);
    expect(covers(drawn, panBy(drawn, 200, 0, image, stage), image, stage, 0.25)).toBe(true);
    expect(covers(drawn, panBy(drawn, 300, 0, image, stage), image, stage, 0.25)).toBe(false);
    expect(covers(drawn, zoomAt(drawn, 1.4, [450, 300], image, stage), image, stage, 0.25)).toBe(true);
    expect(covers(drawn, zoomAt(drawn, 1.6, [450, 300], image, stage), image, stage, 0.25)).toBe(false);
  });
});

describe('moved', () => {
  it('places what was drawn where it now belongs', () => {
    const drawn = { scale: 1, x: -1000, y: -200 };
    const now = { scale: 2, x: -1900, y: -500 };
    // An image point drawn at (0, 0) of the stage stands at (100, -100) now.
    expect(moved(drawn, now)).toBe('translate(100px, -100px) scale(2)');
  });
});
