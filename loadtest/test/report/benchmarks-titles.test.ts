import { describe, expect, it } from 'vitest';
import type { ResultFile } from '../../src/contract.ts';
import { benchmarksMarkdown } from '../../src/report/benchmarks.ts';
import { titlesOf } from '../../src/report/benchmarks-titles.ts';
import { GOOD, NAIVE } from './results.ts';

describe('titles of BENCHMARKS.md', () => {
  it('tells runs of one title apart by what differs, and numbers only what is alike', () => {
    const on = (change: Partial<ResultFile['environment']>, more: Partial<ResultFile> = {}): ResultFile => ({
      ...GOOD,
      ...more,
      environment: { ...GOOD.environment, ...change },
    });
    const inference = { ...GOOD.environment.inference, pool: 'sim:/tmp/a/timer-5-ms.json' };
    const other = { ...GOOD.environment.inference, pool: 'sim:/tmp/b/timer-5-ms.json' };
    const titles = (...results: ResultFile[]) => titlesOf(results).titles;
    const base = 'optimized, 1,000 synthetic';
    expect(titles(GOOD, NAIVE, on({ provider: 'testcontainers' }), on({ cpuModel: 'Other(R) CPU' }), GOOD)).toEqual([
      `${base}, embedded, Test CPU`,
      'naive, 1,000 synthetic',
      `${base}, in containers`,
      `${base}, embedded, Other CPU`,
      `${base}, embedded, Test CPU (2)`,
    ]);
    expect(titles(GOOD, on({ inference }), on({ inference: other }))).toEqual([
      `${base}, pool local`,
      `${base}, pool sim:timer-5-ms.json`,
      `${base}, pool sim:timer-5-ms.json (2)`,
    ]);
    expect(titles(GOOD, on({}, { settings: { CACHE: 'off' } }), on({ cores: 64 }))).toEqual([
      `${base}, all switches on, 2 cores`,
      `${base}, CACHE=off`,
      `${base}, all switches on, 64 cores`,
    ]);
    const budgets = [{ ...GOOD.budgets[0]!, name: 'fault_images_lost' as const }];
    const faults = (seed: number, change = {}) => on(change, { scenario: 'faults', seed, budgets });
    expect(titles(faults(1), faults(2), faults(1, { inference }))).toEqual([
      '1,000 images, pool local, seed 1',
      '1,000 images, pool local, seed 2',
      '1,000 images, pool sim:timer-5-ms.json, seed 1',
    ]);
  });

  it('names a spread by what its runs have in common', () => {
    const there: ResultFile = { ...GOOD, environment: { ...GOOD.environment, provider: 'external' } };
    const text = benchmarksMarkdown([GOOD, there, GOOD, there]);
    expect(text).toContain(
      '| optimized, 1,000 synthetic, embedded: median and range of 2 runs | optimized, 1,000 synthetic, external servers: median and range of 2 runs |',
    );
  });
});
