import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALL_BUDGETS, BUDGETS, budgetOf } from '../../../scenarios/budgets.ts';
import { BUDGET_NAMES } from '../../src/contract.ts';
import type { BudgetName, BudgetSpec, BudgetVerdict, Measurements } from '../../src/contract.ts';
import { holds, judgeBudgets } from '../../src/judge/budgets.ts';
import type { JudgeContext } from '../../src/judge/budgets.ts';
import { measurementsWith, stepOf } from './run-data.ts';

const FULL: JudgeContext = { imageCount: 1000 };

function verdicts(
  measurements: Measurements,
  context: JudgeContext = FULL,
): Partial<Record<BudgetName, BudgetVerdict>> {
  return Object.fromEntries(judgeBudgets(measurements, BUDGETS, context).map(({ name, verdict }) => [name, verdict]));
}
const ALL_PASS = verdicts(measurementsWith());

/** Below, at and above the limit, by the smallest step, with the verdict that each operator gives. */
const EDGES: Record<BudgetSpec['operator'], [BudgetVerdict, BudgetVerdict, BudgetVerdict]> = {
  '<': ['pass', 'fail', 'fail'],
  '<=': ['pass', 'pass', 'fail'],
  '=': ['fail', 'pass', 'fail'],
  '>=': ['fail', 'pass', 'pass'],
};

describe('the table of budgets', () => {
  it('holds each of the contract’s names once, with the contract’s limits', () => {
    expect(BUDGETS.map((budget) => budget.name)).toEqual([...BUDGET_NAMES]);
    expect(BUDGETS.map(({ name, operator, limit }) => `${name} ${operator} ${limit}`)).toEqual([
      'ui_settle_ms < 2000',
      'bulk_calls <= 10',
      'toasts = 1',
      'result_memory_bytes < 500000000',
      'delivery_missing = 0',
      'delivery_duplicates = 0',
      'api_latency_mean_ms < 200',
      'db_query_p95_ms < 50',
      'image_list_p95_ms < 100',
      'inference_p95_ms < 5000',
      'throughput_images_per_minute >= 10',
      'service_rss_bytes < 512000000',
      'worker_rss_bytes < 2000000000',
      'cache_hit_ratio >= 0.9',
      'compression_ratio >= 0.6',
      'bundle_gzip_bytes < 500000',
      'first_paint_ms < 3000',
      'frame_p95_ms <= 20',
      'download_rss_growth_bytes < 64000000',
    ]);
    for (const { source, description } of ALL_BUDGETS) expect(source.length * description.length).toBeGreaterThan(0);
  });
});

describe('judgeBudgets', () => {
  it('passes every budget of a good run', () => {
    expect(new Set(Object.values(ALL_PASS))).toEqual(new Set(['pass']));
  });

  const cases = BUDGETS.flatMap((spec) =>
    EDGES[spec.operator].map((verdict, at) => ({ spec, actual: spec.limit + (at - 1) * stepOf(spec), verdict })),
  );
  it.each(cases)('says $verdict for $spec.name $actual and changes no other budget', ({ spec, actual, verdict }) => {
    expect(verdicts(measurementsWith({ [spec.name]: actual }))).toEqual({ ...ALL_PASS, [spec.name]: verdict });
  });

  it.each(BUDGETS.map((spec) => spec.name))('calls %s not-run, never pass, when it was not measured', (name) => {
    const expected = { ...ALL_PASS, [name]: 'not-run' };
    expect(verdicts(measurementsWith({ [name]: null }))).toEqual(expected);
    const absent = measurementsWith();
    delete absent[name];
    expect(verdicts(absent)).toEqual(expected);
    for (const actual of [Number.NaN, Infinity, -Infinity]) {
      expect(verdicts(measurementsWith({ [name]: actual }))).toEqual(expected);
    }
  });

  it('says why a budget was not run', () => {
    const [judged] = judgeBudgets({ toasts: { actual: null, note: 'the page died' } }, [budgetOf('toasts')], FULL);
    expect(judged).toMatchObject({ verdict: 'not-run', actual: null, note: 'the page died' });
  });

  it('calls a pass with too few images n/a, and still fails a violation', () => {
    for (const spec of BUDGETS.filter((budget) => budget.minCount !== undefined)) {
      const few = { imageCount: (spec.minCount ?? 0) - 1 };
      expect(verdicts(measurementsWith(), few)[spec.name]).toBe('n/a');
      expect(verdicts(measurementsWith({ [spec.name]: spec.limit * 10 }), few)[spec.name]).toBe('fail');
      expect(verdicts(measurementsWith({ [spec.name]: null }), few)[spec.name]).toBe('not-run');
      expect(verdicts(measurementsWith(), { imageCount: spec.minCount ?? 0 })[spec.name]).toBe('pass');
    }
  });

  it('calls what scenario or target declares not applicable n/a, with the reason', () => {
    const declared = {
      ...measurementsWith(),
      worker_rss_bytes: { actual: null, notApplicable: 'workers run elsewhere' },
    };
    const judged = judgeBudgets(declared, BUDGETS, { ...FULL, notApplicable: { toasts: 'no page' } });
    const notes = judged.filter((budget) => budget.verdict === 'n/a').map(({ name, note }) => [name, note]);
    expect(notes).toEqual([
      ['toasts', 'no page'],
      ['worker_rss_bytes', 'workers run elsewhere'],
    ]);
  });

  it('does not believe a pass under a load that fell short, and believes a violation', () => {
    const spec = budgetOf('ui_settle_ms');
    const judge = (actual: number): BudgetVerdict | undefined =>
      judgeBudgets({ ui_settle_ms: { actual, weakened: 'the burst took 3.4 s' } }, [spec], FULL)[0]?.verdict;
    expect(judge(100)).toBe('inconclusive');
    expect(judge(2500)).toBe('fail');
  });

  it('keeps values and note of the measurement', () => {
    const measured = { actual: 17, values: [16, 17, 30], note: 'five sweeps' };
    expect(judgeBudgets({ frame_p95_ms: measured }, [budgetOf('frame_p95_ms')], FULL)[0]).toMatchObject(measured);
  });
});

describe('judgeBudgets on a noisy machine', () => {
  const noisy: JudgeContext = { imageCount: 1000, noise: { foreignCpuShare: 0.5, generatorLagP99Ms: 3 } };

  it('takes a ratio of times for a time, and any other ratio for a count', () => {
    const judge = (name: 'overload_p99_ratio' | 'cache_hit_ratio', actual: number) =>
      judgeBudgets({ [name]: { actual } }, [budgetOf(name)], noisy)[0]?.verdict;
    expect(judge('overload_p99_ratio', 5)).toBe('inconclusive');
    expect(judge('overload_p99_ratio', 13)).toBe('fail');
    expect(judge('cache_hit_ratio', 0.8)).toBe('fail');
  });

  it('fails late frames where a plain page had none, and tells the machine’s from the page’s where it had', () => {
    const frames = budgetOf('frame_p95_ms');
    const judge = (actual: number, floor: number) =>
      judgeBudgets(
        { frame_p95_ms: { actual, floor: { actual: floor, of: 'a plain page’s frames' } } },
        [frames],
        FULL,
      )[0]!;
    expect(judge(33.3, 16.7).verdict).toBe('fail');
    expect(judge(33.3, 33.3)).toMatchObject({
      verdict: 'inconclusive',
      note: 'over the limit by less than 2× what a plain page’s frames took, 33.3 ms, while it was measured',
    });
    expect(judge(66.7, 33.3).verdict).toBe('fail');
    expect(judge(16.7, 33.3).verdict).toBe('pass');
  });

  it('keeps passes, and fails clear violations', () => {
    expect(verdicts(measurementsWith(), noisy)).toEqual(ALL_PASS);
    for (const spec of BUDGETS) {
      const far = spec.operator === '>=' ? spec.limit / 5 : (spec.limit + 1) * 5;
      expect(verdicts(measurementsWith({ [spec.name]: far }), noisy)[spec.name]).toBe('fail');
    }
  });

  it('doubts more the more others took, and nothing on a quiet machine', () => {
    const judge = (foreignCpuShare: number | null, actual: number) =>
      judgeBudgets({ frame_p95_ms: { actual } }, [budgetOf('frame_p95_ms')], {
        imageCount: 1000,
        noise: { foreignCpuShare, generatorLagP99Ms: 60 },
      })[0]?.verdict;
    expect([judge(0, 39), judge(0, 41), judge(null, 41)]).toEqual(['inconclusive', 'fail', 'fail']);
    expect([judge(0.64, 83), judge(0.64, 120)]).toEqual(['inconclusive', 'fail']);
    expect(judge(1, 10_000)).toBe('fail');
  });

  it('doubts violations of times by less than twice the limit, and no counts, bytes or ratios', () => {
    for (const spec of BUDGETS.filter((budget) => budget.operator !== '=')) {
      const isLower = spec.operator === '>=';
      const near = isLower ? spec.limit * 0.9 : spec.limit * 1.1;
      const timed = spec.unit === 'ms' || spec.unit === 'per-minute';
      expect(verdicts(measurementsWith({ [spec.name]: near }), noisy)[spec.name]).toBe(timed ? 'inconclusive' : 'fail');
      expect(verdicts(measurementsWith({ [spec.name]: near }), FULL)[spec.name]).toBe('fail');
    }
  });
});

describe('judgeBudgets, whatever is measured', () => {
  const actual = fc.oneof(fc.constant(null), fc.double(), fc.integer({ min: -5, max: 3000 }));
  const measurement = fc.record(
    { actual, weakened: fc.string(), notApplicable: fc.string(), note: fc.string(), values: fc.array(fc.integer()) },
    { requiredKeys: ['actual'] },
  );
  const measurements = fc.dictionary(fc.constantFrom(...BUDGET_NAMES), measurement) as fc.Arbitrary<Measurements>;
  const context = fc.record({
    imageCount: fc.nat(2000),
    noise: fc.record({
      foreignCpuShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      generatorLagP99Ms: fc.option(fc.nat(500)),
    }),
  });

  it('never passes what does not hold, and never fails what does', () => {
    fc.assert(
      fc.property(measurements, context, (given, where) => {
        const judged = judgeBudgets(given, BUDGETS, where);
        expect(judged.map((budget) => budget.name)).toEqual([...BUDGET_NAMES]);
        for (const { name, verdict, actual: value, operator, limit } of judged) {
          const held = value !== null && holds[operator](value, limit);
          const allowed: Record<BudgetVerdict, boolean> = {
            pass: held,
            fail: value !== null && !held,
            inconclusive: value !== null,
            'not-run': value === null,
            'n/a': true,
          };
          expect(allowed[verdict], `${name} ${verdict}`).toBe(true);
          expect(name in given || verdict === 'not-run').toBe(true);
        }
      }),
    );
  });

  it('judges each budget by itself: another budget’s value changes nothing', () => {
    fc.assert(
      fc.property(measurements, fc.constantFrom(...BUDGET_NAMES), measurement, context, (given, name, other, where) => {
        const rest = (all: Measurements): unknown => judgeBudgets(all, BUDGETS, where).filter((b) => b.name !== name);
        expect(rest({ ...given, [name]: other } as Measurements)).toEqual(rest(given));
      }),
    );
  });
});
