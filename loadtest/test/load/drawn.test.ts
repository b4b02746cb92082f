import { describe, expect, it } from 'vitest';
import { judgeDrawn, wrongIn, type Mask } from '../../src/load/drawn.ts';
import { outlinesOn } from '../../src/load/outlines.ts';

const SIDE = 400;
const IMAGE = { width: 800, height: 800 };
const PLACE = { scale: 0.5, x: 0, y: 0 };
const RADIUS = 38;
const CORNERS = 40;
const ring = (x: number, y: number, radius: number): number[] =>
  Array.from({ length: CORNERS }, (_, k) => {
    const angle = (k / CORNERS) * 2 * Math.PI;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  }).flat();
/** Eight rows of eight discs. */
const OUTLINES = outlinesOn(IMAGE, 64).map((outline, i) => {
  const [x, y] = [((i % 8) + 0.5) * 100, (Math.floor(i / 8) + 0.5) * 100];
  return { ...outline, points: ring(x, y, RADIUS), bbox: [x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS] };
});

/** A screen on which each outline is a filled disc, moved, shrunk or left out as told. */
function screen(change: (id: number) => { dx?: number; radius?: number } | null = () => ({})): Mask {
  const at = new Uint8Array(SIDE * SIDE);
  for (const { id, bbox } of OUTLINES) {
    const changed = change(id);
    if (!changed) continue;
    const [left = 0, top = 0, width = 0, height = 0] = bbox;
    const x = (left + width / 2) * PLACE.scale + (changed.dx ?? 0);
    const y = (top + height / 2) * PLACE.scale;
    const radius = (width / 2) * PLACE.scale * (changed.radius ?? 1);
    for (let row = Math.floor(y - radius); row <= y + radius; row++)
      for (let column = Math.floor(x - radius); column <= x + radius; column++)
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) at[row * SIDE + column] = 1;
  }
  return { width: SIDE, height: SIDE, at };
}

describe('judgeDrawn', () => {
  it('sees all outlines, and none wrong, where each is drawn where it was found', () => {
    const found = judgeDrawn(screen(), OUTLINES, PLACE, []);
    expect(found.seen.size).toBe(64);
    expect(wrongIn(found)).toBe(0);
  });

  it('is not misled by a line that is a pixel off', () => {
    expect(
      wrongIn(
        judgeDrawn(
          screen(() => ({ dx: 1 })),
          OUTLINES,
          PLACE,
          [],
        ),
      ),
    ).toBe(0);
  });

  it('finds the one that is left out', () => {
    const found = judgeDrawn(
      screen((id) => (id === 28 ? null : {})),
      OUTLINES,
      PLACE,
      [],
    );
    expect(found).toMatchObject({ missing: [28], stray: 0 });
  });

  it('finds the one that is drawn beside its place, there and here', () => {
    const found = judgeDrawn(
      screen((id) => (id === 28 ? { dx: 8 } : {})),
      OUTLINES,
      PLACE,
      [],
    );
    expect(found.missing).toEqual([28]);
    expect(found.stray).toBeGreaterThan(0);
  });

  it('finds those that are drawn too small, and too large', () => {
    const small = judgeDrawn(
      screen((id) => (id === 28 ? { radius: 0.7 } : {})),
      OUTLINES,
      PLACE,
      [],
    );
    expect(small.missing).toEqual([28]);
    const large = judgeDrawn(
      screen((id) => (id === 28 ? { radius: 1.3 } : {})),
      OUTLINES,
      PLACE,
      [],
    );
    expect(large).toMatchObject({ missing: [] });
    expect(large.stray).toBeGreaterThan(0);
  });

  it('lets the line of an outline pass that is beyond the edge but for that', () => {
    const [outline] = OUTLINES;
    const mask = screen((id) => (id === 1 ? null : {}));
    // Of the first outline, moved up until only its line is left.
    mask.at.fill(1, 15, 35);
    const beyond = { ...outline!, points: ring(50, -RADIUS - 1, RADIUS) };
    expect(wrongIn(judgeDrawn(mask, [beyond, ...OUTLINES.slice(1)], PLACE, []))).toBe(0);
  });

  it('judges nothing beneath what lies over it, and calls a screen without an outline wrong', () => {
    const { bbox } = OUTLINES[27]!;
    const [left = 0, top = 0, width = 0, height = 0] = bbox.map((value) => value * PLACE.scale);
    const over = { left: left - 3, top: top - 3, right: left + width + 3, bottom: top + height + 3 };
    const found = judgeDrawn(
      screen((id) => (id === 28 ? null : {})),
      OUTLINES,
      PLACE,
      [over],
    );
    expect([wrongIn(found), found.seen.has(28), found.seen.size]).toEqual([0, false, 63]);
    const none = judgeDrawn(screen(), OUTLINES, PLACE, [{ left: 0, top: 0, right: SIDE, bottom: SIDE }]);
    expect(wrongIn(none)).toBe(1);
  });

  it('knows a hole: drawn over, it is stray', () => {
    const hole = { ...OUTLINES[0]!, id: 65, type: 'internal' as const, parentId: 1, points: ring(50, 50, 25) };
    expect(wrongIn(judgeDrawn(screen(), [...OUTLINES, hole], PLACE, []))).toBeGreaterThan(0);
  });
});

describe('outlinesOn', () => {
  it('puts as many as asked for on the image, none over another', () => {
    const image = { width: 4200, height: 700 };
    const outlines = outlinesOn(image, 150);
    expect(outlines).toHaveLength(150);
    for (const { bbox } of outlines) {
      const [left = 0, top = 0, width = 0, height = 0] = bbox;
      expect([left >= 0, top >= 0, left + width <= image.width, top + height <= image.height]).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
    const boxes = outlines.map(({ bbox }) => bbox as [number, number, number, number]);
    const overlapping = boxes.filter(([l, t, w, h], i) =>
      boxes.some(([l2, t2, w2, h2], k) => k !== i && l < l2 + w2 && l2 < l + w && t < t2 + h2 && t2 < t + h),
    );
    expect(overlapping).toEqual([]);
  });
});
