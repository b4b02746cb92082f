import { between, createRandom } from './random.ts';
import type { Random } from './random.ts';

export type ImageFormat = 'png' | 'tiff' | 'jpeg' | 'webp';

/** What one synthetic image is to look like; drawn before any pixel, so that a set's make-up can be tested without drawing it. */
export interface ImagePlan {
  /** Position in the set, from 0. */
  index: number;
  stem: string;
  format: ImageFormat;
  width: number;
  height: number;
  bitDepth: 8 | 16;
  /** Cells aimed at; fewer are drawn where no room is left. */
  cells: number;
  /** Mean cell radius, pixels. */
  radius: number;
  /** Share of cells placed against an existing one. */
  crowding: number;
  /** Background and mean cell brightness as shares of the full scale. */
  background: number;
  signal: number;
  /** Standard deviation of the optical blur, pixels. */
  blurSigma: number;
  /** Depth of the illumination gradient, 0-1, and its direction in radians. */
  gradient: number;
  gradientAngle: number;
  /** Photons at full scale: fewer give more shot noise. */
  photons: number;
  /** Standard deviation of the read noise as a share of the full scale. */
  readNoise: number;
}

export interface PlanLimits {
  minSide: number;
  maxSide: number;
  medianSide: number;
  /** Of an image that is not empty; default 1. */
  minCells?: number;
  maxCells: number;
}
export const DEFAULT_LIMITS: PlanLimits = { minSide: 128, maxSide: 512, medianSide: 256, maxCells: 120 };

/** Every 50 images hold one TIFF, one JPEG and one WebP; the rest is PNG. By position, so that small sets cross those decoders too. */
const FORMAT_PERIOD = 50;
const OTHER_FORMATS: Readonly<Record<number, ImageFormat>> = { 7: 'tiff', 23: 'jpeg', 41: 'webp' };
/** One image in 40 is empty: no cell found is a result too. One in 40 is as full as it gets. */
const EMPTY_PERIOD = 40;
const EMPTY_AT = 11;
const FULL_AT = 31;
/** More of the picture than this is not covered with cells: there would be no room left to place them. */
const MAX_COVER = 0.42;

/** @param seed of the set; each image draws from its own stream, so the order of drawing does not matter. */
export function planImage(seed: number, index: number, limits: PlanLimits = DEFAULT_LIMITS): ImagePlan {
  const random = createRandom(seed, index);
  const format = OTHER_FORMATS[index % FORMAT_PERIOD] ?? 'png';
  const { width, height } = sidesOf(random, limits);
  const { minCells = 0, maxCells } = limits;
  const wished = between(random, 5.5, 12) * (width * height > limits.medianSide ** 2 ? between(random, 1, 1.35) : 1);
  // Cells are small enough for the fewest to find room.
  const radius = Math.min(wished, Math.sqrt((MAX_COVER * width * height) / (Math.PI * Math.max(1, minCells))));
  const room = Math.floor((MAX_COVER * width * height) / (Math.PI * radius * radius));
  // The power makes sparse images the rule, as in the data sets that the model was trained on.
  const drawn = Math.round(minCells + (maxCells - minCells) * random() ** 1.7);
  const cells =
    index % EMPTY_PERIOD === EMPTY_AT ? 0 : index % EMPTY_PERIOD === FULL_AT ? maxCells : Math.max(1, drawn);
  return {
    index,
    stem: `cells-${String(index + 1).padStart(5, '0')}`,
    format,
    width,
    height,
    bitDepth: (format === 'png' || format === 'tiff') && random() < 0.1 ? 16 : 8,
    cells: Math.min(cells, Math.max(room, minCells)),
    radius,
    crowding: between(random, 0, 0.5),
    background: between(random, 0.01, 0.08),
    signal: between(random, 0.15, 0.75),
    blurSigma: between(random, 0.6, 1.5),
    gradient: between(random, 0, 0.35),
    gradientAngle: between(random, 0, 2 * Math.PI),
    photons: Math.exp(between(random, Math.log(150), Math.log(4000))),
    readNoise: between(random, 0.002, 0.012),
  };
}

/** Two in five images have the median size exactly, the others are as often smaller as larger: the median area is medianSide². */
function sidesOf(random: Random, limits: PlanLimits): { width: number; height: number } {
  const { minSide, maxSide, medianSide } = limits;
  const kind = random();
  if (kind < 0.4) return { width: medianSide, height: medianSide };
  const smaller = kind < 0.7;
  const [low, high] = smaller ? [minSide, medianSide] : [medianSide, maxSide];
  const side = Math.exp(between(random, Math.log(low), Math.log(high)));
  const aspect = random() < 0.5 ? 1 : Math.exp(between(random, Math.log(0.75), Math.log(4 / 3)));
  const clamp = (value: number): number => Math.min(maxSide, Math.max(minSide, Math.round(value)));
  const width = clamp(side * Math.sqrt(aspect));
  // Clamping and rounding must not carry an image over to the other side of the median.
  const area = medianSide ** 2;
  const height = clamp(side / Math.sqrt(aspect));
  if (smaller && width * height > area) return { width, height: Math.floor(area / width) };
  if (!smaller && width * height < area) return { width, height: Math.ceil(area / width) };
  return { width, height };
}

/** For tests and reports: the plans of a whole set. */
export function planSet(seed: number, count: number, limits: PlanLimits = DEFAULT_LIMITS): ImagePlan[] {
  return Array.from({ length: count }, (_, index) => planImage(seed, index, limits));
}
