import { RULES, type InstanceRules } from './card.ts';
import { fillHoles, labelComponents } from './components.ts';
import type { PixelHeap } from './heap.ts';
import type { Probabilities } from './probabilities.ts';
import type { Workspace } from './workspace.ts';

export interface InstanceOptions {
  /** A pixel belongs to a cell where its foreground probability is above this. */
  threshold: number;
  /** Keep background inside a cell open; else (the reference, and the card's accuracy) it is filled. */
  detectHoles: boolean;
}

/** Seeds need a part of the way from the threshold to certainty more: a fifth for 0.6 at 0.5, the reference's pair. */
export const seedThresholdOf = (threshold: number, { seedThreshold }: Pick<InstanceRules, 'seedThreshold'> = RULES) =>
  threshold + (2 * seedThreshold - 1) * (1 - threshold);

/**
 * Instances from probabilities: seeds are 4-connected components of interior > seed threshold with at least 5 px; they
 * grow by marker watershed on -interior inside foreground > threshold; cells under 20 px are dropped. Holes under 8 px are
 * noise even where holes are wanted. These numbers are the defaults of `rules`.
 * Source: `instances` in the model's train/common.py, on scipy.ndimage.label, binary_fill_holes and skimage's watershed.
 * @returns `workspace.labels`, one entry a pixel: 0 = background, 1..n = one 4-connected cell each, without gaps; and n.
 */
export function findInstances(
  { interior, foreground }: Probabilities,
  width: number,
  height: number,
  options: InstanceOptions,
  workspace: Workspace,
  rules: InstanceRules = RULES,
): { labels: Int32Array; count: number } {
  const size = width * height;
  const { mask, labels, stack } = workspace;
  const seedThreshold = seedThresholdOf(options.threshold, rules);
  for (let i = 0; i < size; i++) mask[i] = interior[i]! > seedThreshold ? 1 : 0;
  const seeds = labelComponents(mask, width, height, labels, stack, rules.minSeedArea);
  if (seeds === 0) return { labels, count: 0 };
  for (let i = 0; i < size; i++) mask[i] = foreground[i]! > options.threshold ? 1 : 0;
  fillHoles(mask, width, height, stack, options.detectHoles ? rules.minHoleArea : undefined);
  flood(interior, mask, width, height, labels, workspace.heap);
  return { labels, count: dropSmall(labels, size, seeds, rules.minCellArea) };
}

const LEVELS = 2 ** 26;
const AGES = 2 ** 26;

/**
 * Priority flood from the labelled pixels over unlabelled ones of `mask`: highest `interior` first, then the oldest. What is
 * reached from a lower pixel waits at that pixel's level: water does not run down a slope before its time. Level and age share
 * one double (26 bits each: no image has more pixels than ages). As in skimage (0.26), a pixel takes its label when it is
 * reached, not when it leaves the queue; seeds that touch no free pixel need no entry.
 */
export function flood(
  interior: Float32Array,
  mask: Uint8Array,
  width: number,
  height: number,
  labels: Int32Array,
  heap: PixelHeap,
): void {
  const size = width * height;
  const levelOf = (at: number) => Math.floor((1 - interior[at]!) * LEVELS);
  const free = (at: number) => mask[at] !== 0 && labels[at] === 0;
  heap.clear();
  for (let at = 0; at < size; at++) {
    if (labels[at] === 0) continue;
    const x = at % width;
    const rim =
      (at >= width && free(at - width)) ||
      (x > 0 && free(at - 1)) ||
      (x < width - 1 && free(at + 1)) ||
      (at < size - width && free(at + width));
    if (rim) heap.push(levelOf(at) * AGES, at);
  }
  let age = 0;
  const reach = (at: number, label: number, level: number) => {
    labels[at] = label;
    heap.push(Math.max(level, levelOf(at)) * AGES + ++age, at);
  };
  while (heap.size > 0) {
    const level = Math.floor(heap.least / AGES);
    const at = heap.pop();
    const label = labels[at]!;
    const x = at % width;
    if (at >= width && free(at - width)) reach(at - width, label, level);
    if (x > 0 && free(at - 1)) reach(at - 1, label, level);
    if (x < width - 1 && free(at + 1)) reach(at + 1, label, level);
    if (at < size - width && free(at + width)) reach(at + width, label, level);
  }
}

function dropSmall(labels: Int32Array, size: number, count: number, minArea: number): number {
  const areas = new Int32Array(count + 1);
  for (let i = 0; i < size; i++) areas[labels[i]!]!++;
  const renamed = new Int32Array(count + 1);
  let kept = 0;
  for (let label = 1; label <= count; label++) if (areas[label]! >= minArea) renamed[label] = ++kept;
  if (kept < count) for (let i = 0; i < size; i++) labels[i] = renamed[labels[i]!]!;
  return kept;
}
