import { describe, expect, it } from 'vitest';
import { createPixelHeap } from '../../src/inference/heap.ts';
import { findInstances, flood, seedThresholdOf } from '../../src/inference/watershed.ts';
import { createWorkspaces } from '../../src/inference/workspace.ts';
import golden from './fixtures/watershed.json' with { type: 'json' };

const [WIDTH, HEIGHT] = [61, 47];
const CELLS = [
  [10, 9, 6],
  [19, 11, 6],
  [29, 8, 5],
  [14, 20, 7],
  [40, 12, 8],
  [50, 13, 6],
  [56, 30, 7],
  [44, 33, 9],
  [31, 36, 6],
  [8, 38, 7],
  [3, 3, 3],
  [30, 22, 2],
  [59, 45, 3],
] as const;

/** Touching, lone and tiny cells, one with a hole of 4 x 4: the picture that the fixture was made from. */
function probabilities() {
  const interior = new Float32Array(WIDTH * HEIGHT);
  const foreground = new Float32Array(WIDTH * HEIGHT);
  for (let y = 0, at = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++, at++) {
      const d = Math.min(...CELLS.map(([cx, cy, r]) => Math.sqrt((x - cx) ** 2 + (y - cy) ** 2) / r));
      const hole = x >= 42 && x < 46 && y >= 31 && y < 35;
      interior[at] = hole ? 0.1 : Math.max(0, Math.min(1, 1.25 - d));
      foreground[at] = interior[at]! + Math.fround(hole ? 0.1 : Math.max(0, 0.45 - Math.abs(d - 0.95)));
    }
  return { interior, foreground };
}

/** Labels as the fixture draws them: numbered in the order of their first pixel. */
function drawn(labels: Int32Array): string[] {
  const names = ['.'];
  const seen = new Map([[0, 0]]);
  return Array.from({ length: HEIGHT }, (_, y) =>
    Array.from(labels.subarray(y * WIDTH, (y + 1) * WIDTH), (label) => {
      if (!seen.has(label)) {
        seen.set(label, names.length);
        names.push('123456789abcdefghijk'[names.length - 1]!);
      }
      return names[seen.get(label)!]!;
    }).join(''),
  );
}

const run = (options: { threshold: number; detectHoles: boolean }) => {
  const workspace = createWorkspaces()(WIDTH * HEIGHT);
  const { labels, count } = findInstances(probabilities(), WIDTH, HEIGHT, options, workspace);
  return { rows: drawn(labels), labels: [...labels], count };
};

describe('findInstances', () => {
  it('gives the labels of the reference (scipy and skimage) pixel by pixel', () => {
    expect(run({ threshold: 0.5, detectHoles: false }).rows).toEqual(golden.rows);
  });

  it('numbers cells without gaps', () => {
    const { labels, count } = run({ threshold: 0.5, detectHoles: false });
    expect([...new Set(labels)].sort((a, b) => a - b)).toEqual(Array.from({ length: count + 1 }, (_, i) => i));
  });

  it('leaves a hole open when holes are wanted, and changes nothing else', () => {
    const filled = run({ threshold: 0.5, detectHoles: false }).rows.join('').split('');
    const open = run({ threshold: 0.5, detectHoles: true }).rows.join('').split('');
    const changed = open.filter((name, i) => name !== filled[i]);
    expect(changed).toEqual(Array.from({ length: 16 }, () => '.'));
  });

  it('finds no cell where no seed is', () => {
    const workspace = createWorkspaces()(4);
    const nothing = new Float32Array(4);
    const options = { threshold: 0.5, detectHoles: false };
    expect(findInstances({ interior: nothing, foreground: nothing }, 2, 2, options, workspace).count).toBe(0);
  });

  it('does not depend on what an image before left in the workspace', () => {
    const workspace = createWorkspaces()(WIDTH * HEIGHT);
    workspace.labels.fill(77);
    workspace.mask.fill(1);
    const { labels } = findInstances(probabilities(), WIDTH, HEIGHT, { threshold: 0.5, detectHoles: false }, workspace);
    expect(drawn(labels)).toEqual(golden.rows);
  });

  it('grows cells when the threshold falls', () => {
    const area = (threshold: number) =>
      run({ threshold, detectHoles: false }).labels.filter((label) => label > 0).length;
    expect(area(0.3)).toBeGreaterThan(area(0.5));
    expect(area(0.5)).toBeGreaterThan(area(0.8));
  });
});

describe('flood', () => {
  it('lets two cells meet in the middle of what rises again behind a valley that both reach at one level', () => {
    const interior = Float32Array.of(0.9, 0.2, 0.5, 0.4, 0.2, 0.8);
    const labels = Int32Array.of(1, 0, 0, 0, 0, 2);
    flood(interior, new Uint8Array(6).fill(1), 6, 1, labels, createPixelHeap());
    expect([...labels]).toEqual([1, 1, 1, 2, 2, 2]);
  });
});

describe('seedThresholdOf', () => {
  it("is the reference's 0.6 at 0.5, and stays between threshold and 1", () => {
    expect(seedThresholdOf(0.5)).toBeCloseTo(0.6, 12);
    for (const threshold of [0.1, 0.9]) {
      expect(seedThresholdOf(threshold)).toBeGreaterThan(threshold);
      expect(seedThresholdOf(threshold)).toBeLessThan(1);
    }
  });
});
