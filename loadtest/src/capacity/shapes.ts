import { BULK_10000, BULK_1000_DENSE } from '../../../scenarios/bulk-variants.ts';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';

/** A kind of image. */
export interface Shape {
  name: string;
  /** Of a square image, pixels. */
  side: number;
  cells: number;
}

const sized = (name: string, { images }: typeof BULK_1000): Shape => ({
  name,
  side: images.medianSide,
  cells: Math.round(((images.minCells ?? 0) + images.maxCells) / 2),
});

/** By the scenarios of that name, so that a plan can be held against a run; `large` is a field of a microscope's camera. */
export const SHAPES: readonly Shape[] = [
  sized('bulk', BULK_1000),
  sized('dense', BULK_1000_DENSE),
  sized('small', BULK_10000),
  { name: 'large', side: 1024, cells: 720 },
];
export const SHAPE_NAMES: readonly string[] = SHAPES.map(({ name }) => name);

export const megapixelsOf = ({ side }: Pick<Shape, 'side'>): number => (side * side) / 1e6;
