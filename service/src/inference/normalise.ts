import type { Samples } from './decode.ts';

/** Source: card.json `input.normalisation` and `normalise` in the model's train/common.py. */
export const LOW_PERCENTILE = 1;
export const HIGH_PERCENTILE = 99.8;
export const CLIP = 1.5;
export const EPSILON = 1e-3;

/**
 * Percentiles of all values with linear interpolation between the two nearest ranks (numpy's default method).
 * 8 and 16 bit samples are counted in a histogram, floats are sorted; both are exact. NaN counts as 0.
 */
export function percentiles(data: Samples, wanted: readonly number[]): number[] {
  if (data.length === 0) throw new RangeError('percentiles of an image without pixels');
  const at = data instanceof Float32Array ? sortedRank(data) : histogramRank(data);
  return wanted.map((percentile) => {
    const rank = (percentile / 100) * (data.length - 1);
    const below = Math.floor(rank);
    const low = at(below);
    return low + (at(Math.min(below + 1, data.length - 1)) - low) * (rank - below);
  });
}

function histogramRank(data: Uint8Array | Uint16Array): (rank: number) => number {
  const counts = new Uint32Array(data instanceof Uint8Array ? 256 : 65_536);
  for (let i = 0; i < data.length; i++) counts[data[i]!]!++;
  return (rank) => {
    let value = 0;
    for (let seen = counts[0]!; seen <= rank; seen += counts[value]!) value++;
    return value;
  };
}

function sortedRank(data: Float32Array): (rank: number) => number {
  const sorted = Float32Array.from(data, (value) => (Number.isFinite(value) ? value : 0)).sort();
  return (rank) => sorted[rank]!;
}

/** Maps a sample to the model's scale: the 1st percentile is 0, the 99.8th is 1, clipped to 0..1.5. */
export interface Scale {
  low: number;
  factor: number;
}

export function scaleOf(data: Samples): Scale {
  const [low, high] = percentiles(data, [LOW_PERCENTILE, HIGH_PERCENTILE]) as [number, number];
  return { low, factor: 1 / (high - low + EPSILON) };
}

/** Index into an axis of `length` for a position outside it, mirrored without repeating the edge (numpy's 'reflect'). */
export function reflected(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/** A window of the image that may reach past its borders. */
export interface Window {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * Writes the window, normalised and padded by reflection, row by row into `out` (at least width × height long).
 * `table` is a scratch lookup for 8 and 16 bit samples, so that a pixel costs one load.
 */
export function normaliseWindow(
  image: { width: number; height: number; data: Samples },
  scale: Scale,
  window: Window,
  out: Float32Array,
): void {
  const { data } = image;
  const table = data instanceof Float32Array ? null : lookup(data, scale);
  const columns = new Int32Array(window.width);
  for (let i = 0; i < window.width; i++) columns[i] = reflected(window.x + i, image.width);
  let to = 0;
  for (let j = 0; j < window.height; j++) {
    const row = reflected(window.y + j, image.height) * image.width;
    if (table !== null) for (let i = 0; i < window.width; i++) out[to++] = table[data[row + columns[i]!]!]!;
    else for (let i = 0; i < window.width; i++) out[to++] = scaled(data[row + columns[i]!]!, scale);
  }
}

function lookup(data: Uint8Array | Uint16Array, scale: Scale): Float32Array {
  const table = new Float32Array(data instanceof Uint8Array ? 256 : 65_536);
  for (let value = 0; value < table.length; value++) table[value] = scaled(value, scale);
  return table;
}

function scaled(value: number, { low, factor }: Scale): number {
  const v = (value - low) * factor;
  return v > CLIP ? CLIP : v > 0 ? v : 0; // NaN falls to 0
}
