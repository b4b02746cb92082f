import type { Lod } from '#contract/results.ts';

/** Images with a longer side are seen at full resolution in parts, of which only those in view are here. */
const WHOLE_SIDE = 4096;
/** Longest side of the levels of such an image. */
const LEVEL_SIDE = 2048;
/** In the browser's cache where the gallery was looked at before. */
export const PREVIEW_WIDTH = 160;
const SMALLEST = 512;

/** Whether one level holds all of its pixels. */
export const isWhole = ({ width, height }: { width: number; height: number }): boolean =>
  Math.max(width, height) <= WHOLE_SIDE;

/** Widths in which a picture is asked for: powers of two, and its own, or that below which it comes in parts. */
export function levelWidths({ width, height }: { width: number; height: number }): number[] {
  const own = isWhole({ width, height }) ? width : Math.floor((width * LEVEL_SIDE) / Math.max(width, height));
  const widths: number[] = [];
  for (let level = SMALLEST; level < own; level *= 2) widths.push(level);
  return [...widths, Math.max(1, own)];
}

export const largestLevel = (image: { width: number; height: number }): number => levelWidths(image).at(-1)!;

/** The smallest level that is as sharp as the screen at `pixels` screen pixels for the whole width, else the largest. */
export function levelFor(image: { width: number; height: number }, pixels: number): number {
  return levelWidths(image).find((width) => width >= pixels) ?? largestLevel(image);
}

/** Largest distance in image pixels between the stored outline and the one of a level of detail: docs/tour.md. */
const LOD_ERROR: readonly (readonly [Lod, number])[] = [
  ['low', 3],
  ['medium', 1.5],
];
/** Outlines whose error is below a pixel of the screen. `scale`: device pixels for a pixel of the image. */
export const lodFor = (scale: number): Lod => LOD_ERROR.find(([, error]) => error * scale <= 1)?.[0] ?? 'high';

/** Which of the levels that are here comes closest to the one wanted: a finer one, else the finest. */
export const bestLod = (wanted: Lod, here: readonly Lod[]): Lod | null => {
  const order: readonly Lod[] = ['low', 'medium', 'high'];
  const from = order.indexOf(wanted);
  return order.slice(from).find((lod) => here.includes(lod)) ?? order.findLast((lod) => here.includes(lod)) ?? null;
};
