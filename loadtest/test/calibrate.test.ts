import { describe, expect, it } from 'vitest';
import { fitLine } from '../../service/src/inference/pool/fit.ts';
import { createSimulatedPool } from '../../service/src/inference/sim/pool.ts';
import { whyIllustrative } from '../../service/src/inference/sim/profile.ts';
import { profileOf } from '../src/calibrate/profile.ts';
import { quantile } from '../src/measure/statistics.ts';
import { sweep, type Execution } from '../src/calibrate/sweep.ts';
import { parseCalibrateOptions } from '../src/cli/calibrate-options.ts';

const ABOUT = {
  name: 'mine',
  device: 'a test',
  model: 'nuclei 1',
  versions: {},
  source: 'a test',
  covers: 'model only',
} as const;
/** 10 ms + 100 ms a megapixel, times what `noise` says. */
const executions = (noise: (nth: number) => number, rounds = 5): Execution[] =>
  Array.from({ length: rounds }, () =>
    [256, 512, 1024].flatMap((side) => [1, 4, 16].map((images) => ({ images, side }))),
  )
    .flat()
    .map((cell, nth) => ({ ...cell, ms: (10 + 1e-4 * cell.images * cell.side ** 2) * noise(nth), cpuMs: 0 }));

describe('fitLine', () => {
  it('finds the line that points lie on, and how far others lie from it', () => {
    const line = fitLine([1, 2, 3, 10].map((x) => ({ x, y: 7 + 3 * x })));
    expect(line.fixed).toBeCloseTo(7);
    expect(line.each).toBeCloseTo(3);
    expect([line.residual, line.r2].map((each) => Number(each.toFixed(6)))).toEqual([0, 1]);
    const off = fitLine([0, 1, 2, 3].map((x, i) => ({ x, y: 10 + x + (i % 2 === 0 ? 1 : -1) })));
    expect(off.residual).toBeGreaterThan(0.9);
  });

  it('has no cost below nothing', () => {
    expect(fitLine([1, 2, 3].map((x) => ({ x, y: 10 * x - 5 }))).fixed).toBe(0);
    expect(fitLine([1, 2, 3].map((x) => ({ x, y: 10 - x })))).toMatchObject({ each: 0 });
    expect(() => fitLine([{ x: 1, y: 1 }])).toThrow(RangeError);
  });
});

describe('a profile', () => {
  it('has the line, the residuals and the points of what was measured', () => {
    const profile = profileOf(
      executions((nth) => 1 + 0.1 * Math.sin(nth * 7.3), 15),
      ABOUT,
    );
    expect(profile.time.fixedMs).toBeGreaterThan(9);
    expect(profile.time.fixedMs).toBeLessThan(11);
    expect(profile.time.msPerMegapixel).toBeGreaterThan(95);
    expect(profile.time.msPerMegapixel).toBeLessThan(105);
    expect(profile.points).toHaveLength(9);
    expect(profile.points[0]).toMatchObject({ images: 1, width: 256, height: 256, n: 15 });
    expect(profile.residuals[0]).toBeGreaterThan(0.85);
    expect(profile.residuals.at(-1)).toBeLessThan(1.15);
    expect(quantile(profile.residuals, 0.5)).toBeCloseTo(1, 1);
    expect(whyIllustrative(profile)).toBeNull();
  });

  it('of few shapes is illustrative', () => {
    const few = executions(() => 1).filter(({ side }) => side < 1024);
    expect(whyIllustrative(profileOf(few, ABOUT))).toMatch('2 shapes');
  });

  it('of a simulated pool is the profile that it was simulated by', async () => {
    const profile = profileOf(
      executions(() => 1),
      ABOUT,
    );
    const backend = createSimulatedPool(
      { ...profile, time: { ...profile.time, fixedMs: 20, msPerMegapixel: 200 } },
      { workers: 1, timeoutMs: 60_000, maxBatch: 4 },
    );
    await backend.load();
    const files = new Map([64, 256, 512].map((side) => [side, ['a', 'b', 'c', 'd']]));
    const measured = await sweep(backend, { batches: [1, 2, 4], files, modelDir: '/model', rounds: 2 });
    await backend.close();
    expect(measured).toHaveLength(18);
    const found = profileOf(measured, ABOUT);
    expect(found.time.fixedMs).toBeGreaterThan(15);
    expect(found.time.fixedMs).toBeLessThan(30);
    expect(found.time.msPerMegapixel).toBeGreaterThan(170);
    expect(found.time.msPerMegapixel).toBeLessThan(230);
  });
});

describe('calibrate', () => {
  it.each([
    [['--name', 'Mine'], /--name "Mine" is not allowed/],
    [[], /--name "" is not allowed/],
    [['--name', 'x', '--batches', '4'], /--batches "4" is not allowed; allowed: two or more/],
    [['--name', 'x', '--sides', '10,256'], /--sides "10,256".*from 64 to 1536/],
    [['--name', 'x', '--rounds', '0'], /--rounds "0"/],
    [['--name', 'x', '--clock', 'sun'], /--clock "sun" is not allowed; allowed: wall, cpu/],
    [['--name', 'x', '--clock', 'cpu', '--pool', 'sim:y'], /--clock "cpu" is not allowed with --pool sim:y/],
  ])('refuses %j', (args, message) => {
    expect(() => parseCalibrateOptions(args)).toThrow(message);
  });
});
