import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planImage, planSet } from '../../src/images/plan.ts';
import { between, createNormal, createRandom, wholeBetween } from '../../src/images/random.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('planImage', () => {
  it('stays within the limits for every seed and position', () => {
    fc.assert(
      fc.property(seeds, fc.nat(99_999), (seed, index) => {
        const plan = planImage(seed, index);
        for (const side of [plan.width, plan.height])
          expect(side >= 128 && side <= 512 && Number.isInteger(side)).toBe(true);
        expect(plan.cells).toBeGreaterThanOrEqual(0);
        expect(plan.cells).toBeLessThanOrEqual(120);
        expect(planImage(seed, index)).toEqual(plan);
      }),
    );
  });

  it('makes a set of 1,000 with median 256², both ends of the cell counts and every format', () => {
    const plans = planSet(1, 1000);
    const areas = plans.map((plan) => plan.width * plan.height).toSorted((a, b) => a - b);
    expect(areas[499]).toBe(256 ** 2);
    expect(areas[500]).toBe(256 ** 2);
    const cells = plans.map((plan) => plan.cells);
    expect([Math.min(...cells), Math.max(...cells)]).toEqual([0, 120]);
    const share = (test: (plan: (typeof plans)[number]) => boolean): number => plans.filter(test).length / 1000;
    expect(share((plan) => plan.format === 'png')).toBe(0.94);
    for (const format of ['tiff', 'jpeg', 'webp']) expect(share((plan) => plan.format === format)).toBe(0.02);
    expect(share((plan) => plan.width !== plan.height)).toBeGreaterThan(0.2);
    expect(share((plan) => plan.bitDepth === 16)).toBeGreaterThan(0.05);
    expect(new Set(plans.map((plan) => plan.stem)).size).toBe(1000);
  });
});

describe('a dense set', () => {
  it('has as many cells in every image as it was asked for, but for the empty ones', () => {
    const limits = { minSide: 320, medianSide: 448, maxSide: 640, minCells: 240, maxCells: 360 };
    const plans = planSet(1, 400, limits);
    const full = plans.filter(({ cells }) => cells > 0);
    expect(full).toHaveLength(390);
    expect(Math.min(...full.map(({ cells }) => cells))).toBeGreaterThanOrEqual(240);
    expect(Math.max(...full.map(({ cells }) => cells))).toBeLessThanOrEqual(360);
    expect(Math.min(...full.map(({ radius }) => radius))).toBeGreaterThan(5);
  });
});

describe('createRandom', () => {
  it('is uniform and unrelated between neighbouring streams', () => {
    const draws = Array.from({ length: 4000 }, (_, stream) => createRandom(3, stream)());
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    const pairs = draws.slice(1).map((value, at) => (value - 0.5) * ((draws[at] ?? 0) - 0.5));
    expect(Math.abs(pairs.reduce((sum, value) => sum + value, 0) / pairs.length)).toBeLessThan(0.005);
  });

  it('keeps its sequence for ever: results are compared by seed', () => {
    const random = createRandom(1, 0);
    expect([random(), random(), random()]).toMatchInlineSnapshot(`
      [
        0.020570221822708845,
        0.46973860054276884,
        0.9594184192828834,
      ]
    `);
  });

  it('draws within the bounds asked for', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, low, span) => {
        const random = createRandom(seed);
        const real = between(random, low, low + span);
        const whole = wholeBetween(random, low, low + span);
        expect(real >= low && real <= low + span && whole >= low && whole <= low + span).toBe(true);
        expect(Number.isInteger(whole)).toBe(true);
      }),
    );
  });

  it('gives normal deviates of mean 0 and variance 1', () => {
    const normal = createNormal(createRandom(5));
    const values = Array.from({ length: 20_000 }, normal);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});
