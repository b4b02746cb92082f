import type { Profile } from '../../../service/src/inference/sim/profile.ts';
import { mean, quantileOfSorted } from '../measure/statistics.ts';
import type { ShapeTimes } from './contract.ts';
import { nonNegativeLeastSquares } from './least-squares.ts';
import { megapixelsOf, type Shape } from './shapes.ts';

/** What a worker takes for a batch: `fixed + images · (megapixels · a + cells · b)`, times a residual. */
export interface ServiceModel {
  fixedMs: number;
  msPerMegapixel: number;
  msPerCell: number;
  /** Sorted, evenly spaced in probability: single executions by what the line predicts. */
  residuals: readonly number[];
  /** Root mean square of what the line leaves over its points, relative. */
  misfit: number;
  /** The image that a question without a shape asks about. */
  typical: Shape;
  /** What was measured. Megapixels of an image, cells of one (null: not varied or not known), images of a batch. */
  range: { megapixels: [number, number]; cells: [number, number] | null; batch: [number, number] };
  /** How it was come by. */
  source: string;
}

const RESIDUALS = 101;
const MEGA = 1e6;

const lineMs = (
  model: Pick<ServiceModel, 'fixedMs' | 'msPerMegapixel' | 'msPerCell'>,
  images: number,
  megapixels: number,
  cells: number,
): number => model.fixedMs + images * (model.msPerMegapixel * megapixels + model.msPerCell * cells);

/** Mean execution of a batch of images of one shape. */
export const meanMs = (model: ServiceModel, images: number, shape: Shape): number =>
  lineMs(model, images, megapixelsOf(shape), shape.cells) * mean(model.residuals);

/** Images a second of one worker that never waits. */
export const rateOf = (model: ServiceModel, batch: number, shape: Shape): number =>
  (1000 * batch) / meanMs(model, batch, shape);

/** Draws the execution of a batch. @param luck uniform in [0, 1) */
export const drawMs = (model: ServiceModel, images: number, shape: Shape, luck: number): number =>
  lineMs(model, images, megapixelsOf(shape), shape.cells) * model.residuals[Math.floor(luck * model.residuals.length)]!;

/** Densities of cells that differ by less say nothing of what cells cost beside pixels. */
const APART = 1.5;
/** By so much a shape may lie beyond the measured ones and count as one of them: sizes are medians. */
const EDGE = 1.05;
const beyond = (value: number, [low, high]: readonly [number, number]): boolean =>
  value < low / EDGE || value > high * EDGE;

/** Why a batch of this shape is outside what was measured; null where it is not. */
export function whyOutside({ range, typical }: ServiceModel, batch: number, shape: Shape): string | null {
  const between = (what: string, [low, high]: readonly [number, number]) =>
    low === high ? `${what} ${low}` : `${what} ${low} to ${high}`;
  const sides = range.megapixels.map((megapixels) => Math.round(Math.sqrt(megapixels * MEGA))) as [number, number];
  const why = [
    beyond(megapixelsOf(shape), range.megapixels)
      ? `${shape.side} pixels: measured ${between('at sides of', sides)}`
      : '',
    range.cells === null
      ? shape.cells === typical.cells
        ? ''
        : `${shape.cells} cells: what cells cost was not measured`
      : beyond(shape.cells, range.cells)
        ? `${shape.cells} cells: measured ${between('with', range.cells.map(Math.round) as [number, number])}`
        : '',
    beyond(batch, range.batch) ? `batches of ${batch}: measured ${between('of', range.batch)}` : '',
  ].filter((text) => text !== '');
  return why.length === 0 ? null : why.join('; ');
}

/** A profile knows no cells: the typical image has as many as one of its size in the other figures, and they cost nothing of their own. */
export function modelOfProfile({ points, time, residuals, name, source, statistic }: Profile): ServiceModel {
  const megapixels = points.map(({ width, height }) => (width * height) / MEGA);
  const batches = points.map(({ images }) => images);
  const side = Math.round(
    Math.sqrt(
      MEGA *
        quantileOfSorted(
          megapixels.toSorted((a, b) => a - b),
          0.5,
        ),
    ),
  );
  return {
    fixedMs: time.fixedMs,
    msPerMegapixel: time.msPerMegapixel,
    msPerCell: 0,
    residuals,
    misfit: time.residual,
    typical: { name: 'as measured', side, cells: cellsOfField(side) },
    range: { megapixels: ends(megapixels), cells: null, batch: ends(batches) },
    source: `profile ${name}: line through ${points.length} points (${statistic} of each); ${source}`,
  };
}

/** A field of nuclei has 45 on 256² (`loadtest/src/calibrate/images.ts`). */
export const cellsOfField = (side: number): number => Math.round(45 * (side / 256) ** 2);

/**
 * Fits the line to the means of the measured shapes, relative differences counting alike, nothing below 0. Where shapes are too
 * few to tell a fixed part from what grows, all of it is taken to grow with the pixels.
 */
export function modelOfShapes(shapes: readonly ShapeTimes[], source: string): ServiceModel {
  const size = ({ width, height }: ShapeTimes) => (width * height) / MEGA;
  const densities = ends(shapes.map((one) => one.cells / size(one)));
  const varied = shapes.length >= 3 && densities[1] >= APART * Math.max(densities[0], Number.EPSILON);
  const [megapixelMs = 0, fixedMs = 0, cellMs = 0] = nonNegativeLeastSquares(
    shapes.map((one) => [one.meanBatch * size(one), 1, ...(varied ? [one.meanBatch * one.cells] : [])]),
    shapes.map((one) => one.meanMs),
    shapes.map((one) => one.images / one.meanMs ** 2),
  );
  const line = { fixedMs, msPerMegapixel: megapixelMs, msPerCell: cellMs };
  const predicted = (one: ShapeTimes) => lineMs(line, one.meanBatch, size(one), one.cells);
  const total = shapes.reduce((sum, { images }) => sum + images, 0);
  const squares = shapes.reduce((sum, one) => sum + one.images * (one.meanMs / predicted(one) - 1) ** 2, 0);
  const cells = ends(shapes.map((one) => one.cells));
  const pixels = shapes.reduce((sum, one) => sum + one.images * size(one), 0) / total;
  const meanCells = Math.round(shapes.reduce((sum, one) => sum + one.images * one.cells, 0) / total);
  return {
    ...line,
    residuals: mixed(
      shapes.map((one) => ({ weight: one.images, values: one.quantilesMs.map((ms) => ms / predicted(one)) })),
    ),
    misfit: Math.sqrt(squares / total),
    typical: { name: 'as measured', side: Math.round(Math.sqrt(pixels * MEGA)), cells: meanCells },
    range: {
      megapixels: ends(shapes.map(size)),
      cells: varied ? cells : null,
      batch: [1, Math.max(1, Math.ceil(Math.max(...shapes.map(({ meanBatch }) => meanBatch))))],
    },
    source,
  };
}

const ends = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];

/** One distribution of several, each with its weight, as sorted quantiles. */
function mixed(parts: readonly { weight: number; values: readonly number[] }[]): number[] {
  const points = parts
    .flatMap(({ weight, values }) => values.map((value) => ({ value, share: weight / values.length })))
    .toSorted((a, b) => a.value - b.value);
  const total = points.reduce((sum, { share }) => sum + share, 0);
  const quantiles: number[] = [];
  let [at, below] = [0, 0];
  for (let nth = 0; nth < RESIDUALS; nth++) {
    const wanted = ((nth + 0.5) / RESIDUALS) * total;
    while (at < points.length - 1 && below + points[at]!.share < wanted) below += points[at++]!.share;
    quantiles.push(points[at]!.value);
  }
  return quantiles;
}
