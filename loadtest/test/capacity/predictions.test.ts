import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionsOf, type Kept } from '../../src/capacity/predictions.ts';
import type { ResultFile } from '../../src/contract.ts';
import { benchmarksMarkdown } from '../../src/report/benchmarks.ts';
import { GOOD } from '../report/results.ts';
import { section } from './grounds.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-predictions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function kept(name: string, over: Partial<ResultFile>): Promise<Kept> {
  const path = join(folder, name);
  const result: ResultFile = { ...GOOD, noise: { foreignCpuShare: 0, generatorLagP99Ms: 1 }, ...over };
  await writeFile(path, JSON.stringify(result));
  return { path, name, result };
}
const sweep = (name: string, over: Partial<ResultFile> = {}) =>
  kept(name, { scenario: 'capacity', capacity: section(), ...over });

describe('predictionsOf', () => {
  it('holds the first sweep against every other run of its pool, level by level', async () => {
    const all = [await sweep('a.json'), await kept('b.json', {}), await sweep('c.json')];
    const [made, more] = await predictionsOf(all);
    expect(more).toBeUndefined();
    expect(made).toMatchObject({ sweep: 'a.json', simulated: false });
    const files = made!.scores.rows.map(({ file }) => file);
    expect(files).toEqual(['b.json', ...section().levels.map(() => 'c.json')]);
    // a sweep that is the same one is predicted as it was
    for (const { file, error } of made!.scores.rows) if (file === 'c.json') expect(Math.abs(error)).toBeLessThan(0.15);
  });

  it('leaves out what others disturbed, what ran elsewhere or on another pool, and the negative control', async () => {
    const ground = await sweep('a.json');
    const foreign = { noise: { foreignCpuShare: 0.5, generatorLagP99Ms: 1 } };
    const { environment } = GOOD;
    const out = [
      await sweep('busy.json', foreign),
      await sweep('elsewhere.json', { environment: { ...environment, cores: 64 } }),
      await kept('naive.json', { clientMode: 'naive' }),
      await kept('simulated.json', {
        environment: { ...environment, inference: { ...environment.inference, pool: 'sim:epyc-core' } },
      }),
    ];
    expect(await predictionsOf([ground, ...out])).toEqual([]);
    expect(await predictionsOf([await sweep('a.json', foreign), await sweep('c.json', foreign)])).toEqual([]);
  });

  it('stands in BENCHMARKS.md, and not where there is none', async () => {
    const all = [await sweep('a.json'), await kept('b.json', {})];
    const results = all.map(({ result }) => result);
    const text = benchmarksMarkdown(results, await predictionsOf(all));
    expect(text).toContain('## Predictions');
    expect(text).toMatch(/### From a\.json\n[^]*\| b\.json \| \d+ \| [\d.]+ \/s \|/);
    expect(benchmarksMarkdown(results)).not.toContain('## Predictions');
  });
});
