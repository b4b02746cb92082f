import { describe, expect, it } from 'vitest';
import { SOAK } from '../../../scenarios/soak.ts';
import type { BudgetName } from '../../src/contract.ts';
import { createNormal, createRandom } from '../../src/images/random.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import type { Load } from '../../src/load/load-run.ts';
import { judge } from '../../src/load/soak.ts';
import type { Series } from '../../src/load/soak-sampler.ts';

const MB = 1e6;
const SECONDS = 1800;

/** What half an hour of a service that leaks `leaks` (of a kind, a second) looks like. */
function series(leaks: Partial<Record<Series['kind'], number>>, seconds = SECONDS): Series[] {
  const normal = createNormal(createRandom(5));
  const kinds = [
    ['api', 200 * MB, 3 * MB],
    ['relay', 140 * MB, 2 * MB],
    ['worker', 180 * MB, 3 * MB],
    ['inference', 260 * MB, 4 * MB],
    ['queue', 2 * MB, 0.05 * MB],
    ['descriptors', 35, 1],
  ] as const;
  return kinds.map(([kind, level, noise]) => ({
    name: kind,
    kind,
    points: Array.from({ length: Math.floor(seconds / 2) }, (_, at): [number, number] => [
      at * 2,
      level + noise * normal() + 2 * at * (leaks[kind] ?? 0),
    ]),
  }));
}
function verdicts(given: Series[], grownPerImage = 900, idle?: string) {
  const load: Pick<Load, 'measurements' | 'tables' | 'plots'> = { measurements: {}, tables: [], plots: [] };
  judge(load, given, { rounds: 100, images: 10_000, wrong: 0, warmShare: 0.3, grownPerImage, idle });
  const judged = judgeBudgets(load.measurements, SOAK.budgets, { imageCount: 10_000 });
  return {
    load,
    red: judged.filter(({ verdict }) => verdict !== 'pass').map(({ name, verdict }) => `${name} ${verdict}`),
  };
}

describe('the verdict of a soak', () => {
  it('passes what stays as it is, and shows all of it', () => {
    const { red, load } = verdicts(series({}));
    expect(red).toEqual([]);
    expect(load.tables[0]!.rows.map(([name]) => name)).toEqual(['api', 'relay', 'worker', 'inference', 'queue']);
    expect(load.plots.flatMap((plot) => plot.series.map(({ name }) => name))).toHaveLength(6);
  });

  const planted: [Series['kind'], number, BudgetName][] = [
    ['api', 30_000, 'soak_api_leak_bytes'],
    ['relay', 30_000, 'soak_relay_leak_bytes'],
    ['worker', 30_000, 'soak_worker_leak_bytes'],
    ['inference', 50_000, 'soak_inference_leak_bytes'],
    ['queue', 10_000, 'soak_queue_redis_leak_bytes'],
    ['descriptors', 0.02, 'soak_descriptors_leak'],
  ];
  it.each(planted)('finds a leak of the %s of %d a second, and no other', (kind, leak, name) => {
    expect(verdicts(series({ [kind]: leak })).red).toEqual([`${name} fail`]);
  });

  it('finds a database that keeps what is deleted', () => {
    expect(verdicts(series({}), 41_000).red).toEqual(['soak_database_bytes_per_image fail']);
  });

  it('passes no leak of a generator that stood still, and still fails one', () => {
    const { red } = verdicts(series({ api: 30_000 }), 900, 'the generator stood still for 20 % of the time');
    expect(red).toContain('soak_api_leak_bytes fail');
    expect(red).toContain('soak_worker_leak_bytes inconclusive');
    expect(red).not.toContain('soak_database_bytes_per_image inconclusive');
  });

  it('says nothing of what was too short', () => {
    expect(verdicts(series({}, 12)).red).toContain('soak_api_leak_bytes not-run');
    expect(verdicts(series({}, 40)).red).toContain('soak_api_leak_bytes inconclusive');
  });
});
