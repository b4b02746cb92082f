import type { Polygon } from '../contract/results.ts';
import { traceRings, type Ring } from './contours.ts';
import { differenceOf } from './scanline.ts';
import { simplifyRing } from './simplify.ts';

/**
 * Pixels that a stored outline may be away from the traced one. Below 1 the stairs of a slanted edge go and its shape
 * stays; below 0.71 slopes of 45 degrees keep their stairs; at 0.5 the pixels inside are still exactly the same.
 */
export const STORED_EPSILONS = [0.8, 0.65, 0.5] as const;
/**
 * The share of a cell's pixels that its stored outlines may get wrong, those of its holes included: an IoU of at least 0.98.
 * No outline may change its area by more than STORED_AREA of that cell's pixels, so that no bias adds up.
 */
export const STORED_DIFFERENCE = 0.02;
export const STORED_AREA = 0.01;

/**
 * Polygons of a label image: one `external` a component and one `internal` for each hole in it, whose `parentId` names
 * the external. Area and bbox are those of the traced region before simplification; an external's area is its pixel
 * count, holes not counted. Confidence is the label's mean foreground probability; a hole has its cell's.
 * Ids are 1..n in list order; an external comes before its holes.
 */
export function polygonsOf(
  labels: Int32Array,
  foreground: Float32Array,
  width: number,
  height: number,
  count: number,
  epsilons: readonly number[] = STORED_EPSILONS,
): Polygon[] {
  if (count === 0) return [];
  const rings = traceRings(labels, width, height);
  const confidence = meanByLabel(labels, foreground, width * height, count);
  const order = rings.map((_, i) => i).sort((a, b) => rankOf(rings, a) - rankOf(rings, b) || a - b);
  const idOf = new Int32Array(rings.length);
  order.forEach((index, position) => (idOf[index] = position + 1));
  const holesArea = new Float64Array(rings.length);
  for (const ring of rings) if (ring.hole) holesArea[ring.parent]! += ring.area;
  return order.map((index) => {
    const ring = rings[index]!;
    return {
      id: idOf[index]!,
      type: ring.hole ? 'internal' : 'external',
      parentId: ring.hole ? idOf[ring.parent]! : null,
      points: outlineOf(ring, toleranceOf(rings, holesArea, index), epsilons),
      area: ring.area - holesArea[index]!,
      bbox: ring.bbox,
      confidence: confidence[ring.label]!,
    };
  });
}

/** Rings in the order of their outer ring, which comes first. */
const rankOf = (rings: readonly Ring[], index: number) => {
  const ring = rings[index]!;
  return ring.hole ? ring.parent + 0.5 : index;
};

/**
 * A ring's part in the pixels of its cell, by area: of a thin ring around a large hole, which has few pixels, both outlines
 * together may get no more wrong than a disc of as many pixels may.
 */
function toleranceOf(rings: readonly Ring[], holesArea: Float64Array, index: number): number {
  const ring = rings[index]!;
  const outer = ring.hole ? ring.parent : index;
  const [whole, holes] = [rings[outer]!.area, holesArea[outer]!];
  return (ring.area * (whole - holes)) / (whole + holes);
}

/** The first that is close enough, from coarse to fine; else the traced outline itself. */
function outlineOf(ring: Ring, tolerance: number, epsilons: readonly number[]): number[] {
  for (const epsilon of epsilons) {
    const points = simplifyRing(ring.points, epsilon);
    const { gained, lost } = differenceOf(points, ring.points);
    if (gained + lost <= STORED_DIFFERENCE * tolerance && Math.abs(gained - lost) <= STORED_AREA * tolerance)
      return points;
  }
  return ring.points;
}

function meanByLabel(labels: Int32Array, values: Float32Array, size: number, count: number): Float64Array {
  const sums = new Float64Array(count + 1);
  const pixels = new Int32Array(count + 1);
  for (let i = 0; i < size; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    sums[label]! += values[i]!;
    pixels[label]!++;
  }
  // Filled holes may hold little probability, and float rounding may pass 1.
  return sums.map((sum, label) => Math.min(1, sum / Math.max(1, pixels[label]!)));
}
