import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeGrey } from '../../src/images/encode.ts';
import { IOU_THRESHOLDS, poolAccuracy, scoreImage } from '../../src/judge/accuracy.ts';
import { measureAccuracy } from '../../src/judge/measure-accuracy.ts';

/** The definition, object by object and pixel by pixel. */
function plainHits(truth: readonly number[], found: readonly number[]): number[] {
  const objects = (labels: readonly number[]): number[] => [...new Set(labels)].filter((label) => label !== 0);
  const ious = objects(truth).flatMap((a) =>
    objects(found).map((b) => {
      const both = truth.filter((value, at) => value === a && found[at] === b).length;
      const either = truth.filter((value, at) => value === a || found[at] === b).length;
      return both / either;
    }),
  );
  return IOU_THRESHOLDS.map((threshold) => ious.filter((iou) => iou > threshold).length);
}

describe('scoreImage', () => {
  it('counts what the plain definition counts', () => {
    const pair = fc
      .integer({ min: 1, max: 60 })
      .chain((size) => fc.tuple(...[1, 2].map(() => fc.array(fc.nat(4), { minLength: size, maxLength: size }))));
    fc.assert(
      fc.property(pair, ([truth, found]) => {
        const score = scoreImage(truth, found);
        expect(score.hits).toEqual(plainHits(truth, found));
        const swapped = scoreImage(found, truth);
        expect(swapped.hits).toEqual(score.hits);
        expect(swapped.maskIou).toBe(score.maskIou);
        expect(Math.max(...score.hits)).toBeLessThanOrEqual(Math.min(score.truthObjects, score.foundObjects));
        expect(scoreImage(truth, truth).hits.every((hits) => hits === score.truthObjects)).toBe(true);
      }),
    );
  });

  it('needs more than the threshold: two halves are no match at 0.5', () => {
    expect(scoreImage([1, 1, 0, 0], [5, 0, 0, 0])).toMatchObject({ hits: [0, 0, 0, 0, 0, 0], maskIou: 0.5 });
    expect(scoreImage([1, 1, 1, 0], [5, 5, 0, 0]).hits).toEqual([1, 1, 0, 0, 0, 0]);
  });

  it('refuses labels of different sizes', () => {
    expect(() => scoreImage([1], [1, 2])).toThrow(/truth has 1 pixels, found has 2/);
  });
});

describe('poolAccuracy', () => {
  it('pools counts over images instead of averaging ratios', () => {
    const whole = scoreImage([1, 2, 3, 4], [1, 2, 3, 4]);
    const missed = scoreImage([1, 0, 0, 0], [0, 0, 0, 2]);
    const pooled = poolAccuracy([whole, missed], 'cells', 'val');
    expect(pooled).toEqual({
      dataset: 'cells',
      split: 'val',
      images: 2,
      ap50: 4 / 6,
      ap75: 4 / 6,
      meanIoU: 0.5,
      countErrorRatio: 0,
    });
  });

  it('takes the median of the count errors, and an empty image found empty as right', () => {
    const empty = scoreImage([0, 0], [0, 0]);
    const extra = scoreImage([0, 0], [1, 2]);
    expect(poolAccuracy([empty], 'cells', null)).toMatchObject({ ap50: 1, meanIoU: 1, countErrorRatio: 0 });
    expect(poolAccuracy([empty, extra], 'cells', null)).toMatchObject({ ap50: 0, meanIoU: 0.5, countErrorRatio: 1 });
    expect(poolAccuracy([], 'cells', null)).toBeNull();
  });
});

describe('measureAccuracy', () => {
  it('reads label pictures and refuses results of another size', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'segbench-accuracy-'));
    const labelsPath = join(folder, 'a.png');
    try {
      writeFileSync(labelsPath, await encodeGrey(Uint16Array.from([0, 1, 300, 300, 0, 1]), 3, 2, 'png'));
      const item = { name: 'a', labelsPath, found: { width: 3, height: 2, data: [0, 7, 9, 9, 0, 7] } };
      const of = { dataset: 'cells', split: null };
      expect(await measureAccuracy([item], of)).toMatchObject({ images: 1, ap50: 1, ap75: 1, meanIoU: 1 });
      const turned = { ...item, found: { ...item.found, width: 2, height: 3 } };
      await expect(measureAccuracy([turned], of)).rejects.toThrow(/a: result and labels differ in size.*3×2.*2×3/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
