import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionsOf, type Kept } from '../../src/capacity/predictions.ts';
import type { CapacityLevel } from '../../src/capacity/contract.ts';
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
/** As a bulk run is: one level. */
const bulk = (): Partial<ResultFile> => ({ capacity: section({}, [2]) });

describe('predictionsOf', () => {
  it('holds the first sweep against every other run of its pool, level by level', async () => {
    const all = [await sweep('a.json'), await kept('b.json', bulk()), await sweep('c.json')];
    const [made, more] = await predictionsOf(all);
    expect(more).toBeUndefined();
    expect(made).toMatchObject({ sweep: 'a.json', simulated: false });
    const files = made!.scores.rows.map(({ file }) => file);
    expect(files).toEqual(['b.json', ...section().levels.map(() => 'c.json')]);
    // a sweep that is the same one is predicted as it was
    for (const { error } of made!.scores.rows.filter(({ file }) => file === 'c.json'))
      expect(Math.abs(error)).toBeLessThan(0.15);
  });

  it('leaves out what others disturbed, what ran elsewhere or on another pool, and the negative control', async () => {
    const ground = await sweep('a.json');
    const foreign = { noise: { foreignCpuShare: 0.5, generatorLagP99Ms: 1 } };
    const { environment } = GOOD;
    const out = [
      await sweep('busy.json', foreign),
      await sweep('elsewhere.json', { environment: { ...environment, cores: 64 } }),
      await kept('naive.json', { ...bulk(), clientMode: 'naive' }),
      await kept('of-unknown-images.json', {}),
      await kept('simulated.json', {
        ...bulk(),
        environment: { ...environment, inference: { ...environment.inference, pool: 'sim:epyc-core' } },
      }),
    ];
    expect(await predictionsOf([ground, ...out])).toEqual([]);
    expect(await predictionsOf([await sweep('a.json', foreign), await sweep('c.json', foreign)])).toEqual([]);
  });

  it('normalises by the CPU that harness and browser left, where no core was idle', async () => {
    const { cores } = GOOD.environment;
    // All cores at work: a tenth of it for the harness in the sweep, a half in the run.
    const busy = (harness: number) => (level: CapacityLevel) => {
      const all = (1000 * cores) / level.perSecond;
      return { ...level, cpuMsPerImage: { harness: harness * all, inference: (1 - harness) * all } };
    };
    const plain = section();
    const ground = await sweep('a.json', { capacity: { ...plain, levels: plain.levels.map(busy(0.1)) } });
    const one = section({}, [2]);
    const half = await kept('half.json', { capacity: { ...one, levels: one.levels.map(busy(0.5)) } });
    const same = await kept('same.json', { capacity: { ...one, levels: one.levels.map(busy(0.1)) } });
    const [made] = await predictionsOf([ground, half, same, await kept('idle.json', bulk())]);
    const left = Object.fromEntries(made!.scores.rows.map(({ file, cpuLeft }) => [file, cpuLeft]));
    expect(left['half.json']).toBeCloseTo(0.5 / 0.9, 6);
    expect([left['same.json'], left['idle.json']]).toEqual([1, 1]);
  });

  it('stands in BENCHMARKS.md, and not where there is none', async () => {
    const all = [await sweep('a.json'), await kept('b.json', bulk())];
    const results = all.map(({ result }) => result);
    const text = benchmarksMarkdown(results, await predictionsOf(all));
    expect(text).toContain('## Predictions');
    expect(text).toMatch(/### From a\.json\n[^]*\| b\.json \| \d+ \| 1× \| [\d.]+ \/s \|/);
    expect(benchmarksMarkdown(results)).not.toContain('## Predictions');
  });
});
