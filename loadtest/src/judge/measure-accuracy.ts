import type { Accuracy } from '../contract.ts';
import { readLabels } from '../images/labels.ts';
import { poolAccuracy, scoreImage } from './accuracy.ts';
import type { ImageScore } from './accuracy.ts';

export interface AccuracyItem {
  name: string;
  labelsPath: string;
  /** Found objects drawn into the image's raster: row-major, 0 = background, one number an object. */
  found: { width: number; height: number; data: ArrayLike<number> };
}

/**
 * Scores results against label pictures, one image at a time so that a thousand rasters never stand in memory together.
 * An image whose result has another size than its labels is an error: a silent resize would hide a wrong orientation.
 */
export async function measureAccuracy(
  items: Iterable<AccuracyItem> | AsyncIterable<AccuracyItem>,
  of: { dataset: string; split: string | null },
): Promise<Accuracy | null> {
  const scores: ImageScore[] = [];
  for await (const item of items) {
    const truth = await readLabels(item.labelsPath);
    if (truth.width !== item.found.width || truth.height !== item.found.height) {
      const sizes = `labels ${truth.width}×${truth.height}, result ${item.found.width}×${item.found.height}`;
      throw new RangeError(`${item.name}: result and labels differ in size (${sizes})`);
    }
    scores.push(scoreImage(truth.data, item.found.data));
  }
  return poolAccuracy(scores, of.dataset, of.split);
}
