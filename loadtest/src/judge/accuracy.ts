import type { Accuracy } from '../contract.ts';

/** IoU thresholds of the pooled counts, as the model's training script reports them. */
export const IOU_THRESHOLDS = [0.5, 0.6, 0.7, 0.75, 0.8, 0.9] as const;

export interface ImageScore {
  truthObjects: number;
  foundObjects: number;
  /** Pairs of objects with IoU above each of `IOU_THRESHOLDS`; above 0.5 no object can be in two pairs. */
  hits: number[];
  /** Of the masks: foreground in both over foreground in either. 1 where both are empty: nothing was there and nothing was found. */
  maskIou: number;
}

type LabelArray = ArrayLike<number>;

/**
 * Compares two label pictures of equal size, row-major, 0 = background.
 * Overlaps are counted over occurring pairs, so the cost does not grow with the square of the objects.
 * @throws RangeError when the sizes differ.
 */
export function scoreImage(truth: LabelArray, found: LabelArray): ImageScore {
  if (truth.length !== found.length) {
    throw new RangeError(`labels differ in size: truth has ${truth.length} pixels, found has ${found.length}`);
  }
  const truthArea = new Map<number, number>();
  const foundArea = new Map<number, number>();
  const common = new Map<number, Map<number, number>>();
  let both = 0;
  let either = 0;
  for (let i = 0; i < truth.length; i++) {
    const a = truth[i] ?? 0;
    const b = found[i] ?? 0;
    if (a !== 0) truthArea.set(a, (truthArea.get(a) ?? 0) + 1);
    if (b !== 0) foundArea.set(b, (foundArea.get(b) ?? 0) + 1);
    if (a === 0 && b === 0) continue;
    either++;
    if (a === 0 || b === 0) continue;
    both++;
    let row = common.get(a);
    if (row === undefined) common.set(a, (row = new Map()));
    row.set(b, (row.get(b) ?? 0) + 1);
  }
  const hits = IOU_THRESHOLDS.map(() => 0);
  for (const [a, row] of common) {
    for (const [b, overlap] of row) {
      const iou = overlap / ((truthArea.get(a) ?? 0) + (foundArea.get(b) ?? 0) - overlap);
      IOU_THRESHOLDS.forEach((threshold, at) => {
        if (iou > threshold) hits[at] = (hits[at] ?? 0) + 1;
      });
    }
  }
  return {
    truthObjects: truthArea.size,
    foundObjects: foundArea.size,
    hits,
    maskIou: either === 0 ? 1 : both / either,
  };
}

/**
 * Average precision tp / (tp + fp + fn) pooled over images (Schmidt et al., MICCAI 2018), the mean of the masks' IoU,
 * and the median over images of |found - truth| / max(1, truth). Null for no images.
 */
export function poolAccuracy(scores: readonly ImageScore[], dataset: string, split: string | null): Accuracy | null {
  if (scores.length === 0) return null;
  const truth = sum(scores.map((score) => score.truthObjects));
  const found = sum(scores.map((score) => score.foundObjects));
  const ap = (threshold: number): number => {
    const at = IOU_THRESHOLDS.findIndex((value) => value === threshold);
    const hits = sum(scores.map((score) => score.hits[at] ?? 0));
    const all = truth + found - hits;
    return all === 0 ? 1 : hits / all;
  };
  const countErrors = scores.map((s) => Math.abs(s.foundObjects - s.truthObjects) / Math.max(1, s.truthObjects));
  return {
    dataset,
    split,
    images: scores.length,
    ap50: ap(0.5),
    ap75: ap(0.75),
    meanIoU: sum(scores.map((score) => score.maskIou)) / scores.length,
    countErrorRatio: median(countErrors),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of an even number of values: the mean of the two in the middle, as numpy does. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
