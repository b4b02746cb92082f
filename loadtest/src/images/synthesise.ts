import { drawCells } from './cells.ts';
import { encodeGrey } from './encode.ts';
import { expose } from './optics.ts';
import type { ImageFormat, ImagePlan } from './plan.ts';
import { createRandom } from './random.ts';

export interface SyntheticImage {
  file: Buffer;
  /** Row-major ground truth: 0 background, 1…cells. */
  labels: Uint16Array;
  cells: number;
}

export const EXTENSION: Readonly<Record<ImageFormat, string>> = { png: 'png', tiff: 'tif', jpeg: 'jpg', webp: 'webp' };
/** Pixels draw from streams of their own, far from those of the plans. */
const PIXEL_STREAM = 0x4000_0000;

/** One image and its ground truth, from seed and plan alone. */
export async function synthesise(seed: number, plan: ImagePlan): Promise<SyntheticImage> {
  const random = createRandom(seed, PIXEL_STREAM + plan.index);
  const { labels, light, cells } = drawCells(plan, random);
  const pixels = expose(plan, light, random);
  return { file: await encodeGrey(pixels, plan.width, plan.height, plan.format), labels, cells };
}
