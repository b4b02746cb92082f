import type { Lod } from '#contract/results.ts';

/** The service draws no picture with a longer side. */
const MAX_SIDE = 4096;
/** In the browser's cache where the gallery was looked at before. */
export const PREVIEW_WIDTH = 160;
const SMALLEST = 512;

/** Widths in which a picture is asked for: powers of two, and its own, or the largest that the service draws. */
export function levelWidths({ width, height }: { width: number; height: number }): number[] {
  const own = Math.floor(width * Math.min(1, MAX_SIDE / Math.max(width, height)));
  const widths: number[] = [];
  for (let level = SMALLEST; level < own; level *= 2) widths.push(level);
  return [...widths, Math.max(1, own)];
}

/** The smallest level that is as sharp as the screen at `pixels` screen pixels for the whole width, else the largest. */
export function levelFor(image: { width: number; height: number }, pixels: number): number {
  const widths = levelWidths(image);
  return widths.find((width) => width >= pixels) ?? widths.at(-1)!;
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
