import type { Shape } from '../batcher/bucket.ts';
import { MAX_TILE } from '../tiles.ts';
import type { Cost } from './backend.ts';
import type { Measured } from './executor.ts';
import { fitLine } from './fit.ts';

export interface Costs {
  /** Milliseconds. */
  time: Cost | null;
  /** Bytes. */
  memory: Cost | null;
}
/**
 * What a pixel of an image needs beside the network: its samples, probabilities, labels and queues of the watershed. An image of
 * 8000² had its peak at 23.3 (2.08 GB in all).
 */
const PLANE_BYTES = 24;

/** Costs from what each worker measured at its start; null where too little was. */
export function measuredCosts(measured: readonly Measured[]): Costs {
  const fit = (points: { x: number; y: number }[], relative: boolean): Cost | null =>
    new Set(points.map(({ x }) => x)).size < 2 ? null : fitLine(points, { relative });
  const size = ({ images, pixels }: Measured) => images * pixels;
  return {
    time: fit(
      measured.map((each) => ({ x: size(each), y: each.ms })),
      true,
    ),
    memory: fit(
      measured.flatMap((each) => (each.peakBytes === null ? [] : [{ x: size(each), y: each.peakBytes }])),
      false,
    ),
  };
}

/** Predicted execution of a batch in milliseconds; 0 while nothing is known. */
export const msOf = (time: Cost | null, images: number, { width, height }: Shape): number =>
  time === null ? 0 : time.fixed + time.each * images * width * height;

/** Predicted peak of a worker's resident memory. What is larger than a tile goes through the network tile by tile. */
export function bytesOf(memory: Cost, images: number, { width, height }: Shape): number {
  const tile = Math.min(width, MAX_TILE) * Math.min(height, MAX_TILE);
  return memory.fixed + memory.each * images * tile + PLANE_BYTES * images * width * height;
}
