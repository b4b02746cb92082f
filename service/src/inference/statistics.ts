import type { Knows } from './card.ts';
import type { GrayImage } from './decode.ts';
import { CLIP, EPSILON, type Scale } from './normalise.ts';

/** Of an image as the model sees it; the same as `statistics` in service/models/statistics/statistics_of_images.py. */
export type Statistics = Record<'contrast' | 'mean' | 'bright' | 'skewness' | 'roughness', number>;
export const UNLIKE_TRAINING_DATA = 'UNLIKE_TRAINING_DATA';

/** Every so many rows are looked at. */
const ROWS = 4;

/** One pass over a quarter of the pixels, whatever their type, with the scale that the normalisation has found already. */
export function statisticsOf({ width, height, data }: GrayImage, { low, factor }: Scale): Statistics {
  let first = 0;
  let second = 0;
  let third = 0;
  let bright = 0;
  let least = Infinity;
  let most = -Infinity;
  let steps = 0;
  for (let y = 0; y < height; y += ROWS) {
    let before = -1;
    for (let at = y * width, end = at + width; at < end; at++) {
      const value = data[at]!;
      const scaled = (value - low) * factor;
      // Not a number falls to 0, as in the normalisation.
      const v = scaled > CLIP ? CLIP : scaled > 0 ? scaled : 0;
      if (value < least) least = value;
      if (value > most) most = value;
      const square = v * v;
      first += v;
      second += square;
      third += square * v;
      if (v > 0.5) bright++;
      if (before >= 0) steps += Math.abs(v - before);
      before = v;
    }
  }
  const rows = Math.ceil(height / ROWS);
  const count = rows * width;
  const mean = first / count;
  const variance = Math.max(0, second / count - mean ** 2);
  const moment = third / count - 3 * mean * variance - mean ** 3;
  const skewness = moment / Math.max(variance ** 1.5, 1e-6);
  const used = 1 / factor - EPSILON;
  return {
    contrast: Number.isFinite(most - least) ? used / (most - least + EPSILON) : 0,
    mean,
    bright: bright / count,
    skewness: skewness / (1 + Math.abs(skewness)),
    roughness: width > 1 ? steps / (rows * (width - 1)) : 0,
  };
}

/** Codes of what a user should know about the result of this image. Nothing where the card knows nothing. */
export function warningsOf(knows: Knows | undefined, image: GrayImage, scale: Scale): string[] {
  if (knows === undefined) return [];
  const found = statisticsOf(image, scale);
  const isOutside = (Object.keys(found) as (keyof Statistics)[]).some((name) => {
    const [least, most] = knows[name] ?? [-Infinity, Infinity];
    return found[name] < least || found[name] > most;
  });
  return isOutside ? [UNLIKE_TRAINING_DATA] : [];
}
