import { isWhole, largestLevel } from './levels.ts';
import type { Box, Size } from './viewport.ts';

/** Pixels of a part's side, as it is sent. */
export const PART_PX = 1024;
/** Image pixels for one of a part, at most: the service cuts no more than 4,096 pixels a side at once. */
const COARSEST = 4;

/** A rectangle of an image, in its pixels, that is asked for by itself. */
export interface Part {
  key: string;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Image pixels, along a side, for one of the part. */
  reduction: number;
}

/** The most that is still as sharp as the screen. @param scale device pixels for a pixel of the image */
export const reductionFor = (scale: number): number =>
  Math.min(COARSEST, 2 ** Math.max(0, Math.floor(Math.log2(1 / scale))));

/** Parts of the image that lie in a box, those nearest to its middle first; none where a level of the picture is as sharp as the screen, or as the image. */
export function partsIn(image: Size, [left, top, right, bottom]: Box, scale: number): Part[] {
  if (isWhole(image) || image.width * scale <= largestLevel(image)) return [];
  const reduction = reductionFor(scale);
  const side = PART_PX * reduction;
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const found: Part[] = [];
  for (let at = Math.max(0, Math.floor(top / side)) * side; at < Math.min(image.height, bottom); at += side)
    for (let from = Math.max(0, Math.floor(left / side)) * side; from < Math.min(image.width, right); from += side)
      found.push({
        key: `${reduction}/${from}/${at}`,
        left: from,
        top: at,
        width: Math.min(side, image.width - from),
        height: Math.min(side, image.height - at),
        reduction,
      });
  const distance = (part: Part): number => Math.hypot(part.left + part.width / 2 - x, part.top + part.height / 2 - y);
  return found.sort((a, b) => distance(a) - distance(b));
}
