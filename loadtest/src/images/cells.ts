import type { ImagePlan } from './plan.ts';
import { between } from './random.ts';
import type { Random } from './random.ts';

export interface Scene {
  /** Row-major, width × height: 0 is background, 1…cells the cells. Exact: every cell is one 4-connected region. */
  labels: Uint16Array;
  /** Light per pixel before optics and noise, share of the full scale. */
  light: Float32Array;
  cells: number;
}

/** A cell smaller than this would be dropped by the model's own limit (20 px); the margin is for blur. */
const MIN_CELL_AREA = 40;
/** A cell may lose this share of its pixels to the neighbour that it touches, and stays convex enough to be told apart. */
const MAX_LOST = 0.12;
const ATTEMPTS_PER_CELL = 30;
const ANGLES = 256;

/**
 * Draws cells as ellipses whose radius is disturbed by a few harmonics, some of them against each other.
 * The pixels of a cell are fixed here; whatever light, blur and noise do later, the ground truth stays exact.
 */
export function drawCells(plan: ImagePlan, random: Random): Scene {
  const { width, height } = plan;
  const labels = new Uint16Array(width * height);
  const light = new Float32Array(width * height).fill(plan.background);
  const centres: { x: number; y: number; radius: number }[] = [];
  let cells = 0;
  for (let wanted = plan.cells; wanted > 0; wanted--) {
    for (let attempt = 0; attempt < ATTEMPTS_PER_CELL; attempt++) {
      const radius = plan.radius * between(random, 0.75, 1.25);
      const centre = placeCentre(plan, random, centres, radius);
      if (isCrowded(centres, centre, radius)) continue;
      const pixels = cellPixels(plan, random, centre, radius);
      if (!claim(labels, width, pixels, cells + 1)) continue;
      cells++;
      centres.push({ ...centre, radius });
      shine(light, width, pixels, plan.signal * between(random, 0.6, 1.3), random);
      break;
    }
  }
  return { labels, light, cells };
}

function placeCentre(
  plan: ImagePlan,
  random: Random,
  centres: readonly { x: number; y: number; radius: number }[],
  radius: number,
): { x: number; y: number } {
  const neighbour = random() < plan.crowding ? centres[Math.floor(random() * centres.length)] : undefined;
  if (neighbour === undefined) return { x: random() * plan.width, y: random() * plan.height };
  const angle = between(random, 0, 2 * Math.PI);
  const distance = (neighbour.radius + radius) * between(random, 0.92, 1.1);
  return { x: neighbour.x + Math.cos(angle) * distance, y: neighbour.y + Math.sin(angle) * distance };
}

/** Too near for both cells to keep their pixels: found before any is drawn, since most attempts in a full picture end so. */
function isCrowded(
  centres: readonly { x: number; y: number; radius: number }[],
  centre: { x: number; y: number },
  radius: number,
): boolean {
  return centres.some(
    (other) => (other.x - centre.x) ** 2 + (other.y - centre.y) ** 2 < (0.7 * (other.radius + radius)) ** 2,
  );
}

/** Indices of a cell's pixels and how far out each lies: 0 at the centre, 1 at the rim. */
interface CellPixels {
  index: number[];
  depth: number[];
  /** Pixels that the image's border did not cut off. */
  whole: number;
}

function cellPixels(plan: ImagePlan, random: Random, centre: { x: number; y: number }, radius: number): CellPixels {
  const elongation = Math.sqrt(between(random, 1, 1.7));
  const turn = between(random, 0, Math.PI);
  const harmonics = [2, 3, 4, 5].map((order) => ({
    order,
    size: between(random, 0, 0.14) / (order - 1),
    phase: between(random, 0, 2 * Math.PI),
  }));
  const outline = Float64Array.from({ length: ANGLES }, (_, step) => {
    const angle = (step / ANGLES) * 2 * Math.PI;
    return harmonics.reduce((sum, h) => sum + h.size * Math.cos(h.order * angle + h.phase), 1);
  });
  const outermost = Math.max(...outline) ** 2;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const reach = Math.ceil(radius * elongation * 1.3);
  const pixels: CellPixels = { index: [], depth: [], whole: 0 };
  for (let y = Math.floor(centre.y) - reach; y <= centre.y + reach; y++) {
    for (let x = Math.floor(centre.x) - reach; x <= centre.x + reach; x++) {
      const dx = x - centre.x;
      const dy = y - centre.y;
      const u = (cos * dx + sin * dy) / (radius * elongation);
      const v = ((cos * dy - sin * dx) / radius) * elongation;
      const square = u * u + v * v;
      if (square > outermost) continue;
      const angle = Math.atan2(v, u);
      const step = Math.floor((angle / (2 * Math.PI) + 1) * ANGLES) % ANGLES;
      const depth = Math.sqrt(square) / (outline[step] ?? 1);
      if (depth > 1) continue;
      pixels.whole++;
      if (x < 0 || y < 0 || x >= plan.width || y >= plan.height) continue;
      pixels.index.push(y * plan.width + x);
      pixels.depth.push(depth);
    }
  }
  return pixels;
}

/** Writes the label unless too little of the cell would be left, or it would fall apart. Keeps only the pixels it got. */
function claim(labels: Uint16Array, width: number, pixels: CellPixels, label: number): boolean {
  const free = pixels.index.map((index) => labels[index] === 0);
  const left = free.reduce((sum, ok) => sum + (ok ? 1 : 0), 0);
  if (left < MIN_CELL_AREA || left < pixels.index.length * (1 - MAX_LOST)) return false;
  const index = pixels.index.filter((_, i) => free[i]);
  const depth = pixels.depth.filter((_, i) => free[i]);
  for (const i of index) labels[i] = label;
  if (connectedArea(labels, width, index[0] ?? 0, label) !== index.length) {
    for (const i of index) labels[i] = 0;
    return false;
  }
  pixels.index = index;
  pixels.depth = depth;
  return true;
}

/** Pixels of the 4-connected region of `label` that holds `start`. */
export function connectedArea(labels: Uint16Array, width: number, start: number, label: number): number {
  const seen = new Set([start]);
  const queue = [start];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const x = at % width;
    const near = [at - width, at + width, x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1];
    for (const next of near) {
      if (next < 0 || next >= labels.length || labels[next] !== label || seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return seen.size;
}

/** Chromatin: bright inside, darker towards the rim, with a few soft spots. */
function shine(light: Float32Array, width: number, pixels: CellPixels, brightness: number, random: Random): void {
  const falloff = between(random, 0.25, 0.5);
  const mottle = between(random, 0, 0.15);
  const waveX = between(random, 0.3, 0.8);
  const waveY = between(random, 0.3, 0.8);
  const phase = between(random, 0, 2 * Math.PI);
  pixels.index.forEach((index, i) => {
    const depth = pixels.depth[i] ?? 0;
    const spot = Math.sin((index % width) * waveX + phase) * Math.sin(Math.floor(index / width) * waveY + phase);
    light[index] = (light[index] ?? 0) + brightness * (1 - falloff * depth * depth) * (1 + mottle * spot);
  });
}
