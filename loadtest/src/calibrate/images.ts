import { join } from 'node:path';
import { generateImages } from '../images/generator.ts';

/** Cells of a field of nuclei on 256². */
const CELLS = 45;

/** Writes square images with as many cells as their area bears. @returns their files */
export async function squareImages(directory: string, side: number, count: number, signal?: AbortSignal) {
  const limits = { minSide: side, maxSide: side, medianSide: side, maxCells: Math.ceil(CELLS * (side / 256) ** 2) };
  const where = { directory: join(directory, String(side)), labels: 0, limits };
  const set = await generateImages({ count, seed: side, ...where, ...(signal ? { signal } : {}) });
  return set.images.map(({ path }) => path);
}
