/** What a plan takes for granted where its ground has not measured it; each with what it rests on. */
import { figure, type Figure } from './figure.ts';
import { megapixelsOf, type Shape } from './shapes.ts';

const assumed = (value: number, unit: Figure['unit'], source: string): Figure =>
  figure(value, unit, { origin: 'assumed', source });

/** Bytes an image of this shape; docs/capacity.md says how each was seen. */
export const assumedBytes = (shape: Shape) => ({
  file: assumed(
    1e6 * megapixelsOf(shape),
    'bytes',
    'one byte a pixel: an 8-bit image without compression, the most that one page of it takes',
  ),
  polygons: assumed(87 * shape.cells, 'bytes', '87 bytes a cell: 60 cells of 40 points took 5.2 kB in the stored form'),
  database: assumed(
    4000 + 87 * shape.cells,
    'bytes',
    '4 kB of rows and indexes an image (item, result, eight stages, events) and its polygons',
  ),
  events: assumed(320, 'bytes', 'three events of an image in frames of up to 500, about 107 bytes each'),
  job: assumed(820, 'bytes', 'a job of the queue that waits in Redis took about 820 bytes'),
});
export type BytesName = keyof ReturnType<typeof assumedBytes>;

/** Share of the workers' own rate that arrives: the rest is the way of the queue and what goes wrong. */
export const THROUGH_SHARE = assumed(
  0.85,
  'ratio',
  'of the rate of bare workers (docs/inference.md, "How many workers")',
);
/** A rate of one number has no spread of its own: 95 % of equal runs are taken to lie within a quarter. */
export const SINGLE_SPREAD = 0.125;
/** Workers of a run that does not say how many it had: the bench's default. */
export const UNTOLD_WORKERS = 2;
/** Seen whole only by a profile of a model: decoding and polygons come on top. */
export const MODEL_ONLY = 'the profile covers the model only: decoding and polygons come on top';
