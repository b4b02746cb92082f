import { describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { ResultFile, RunData } from '../../src/contract.ts';
import { framesOf } from '../../src/judge/frames.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { mergeRepeats } from '../../src/judge/repeats.ts';
import { histogramOf } from '../../src/measure/log-histogram.ts';
import { mergePercentiles, percentileOf } from '../../src/measure/percentile.ts';
import { summarise } from '../../src/measure/statistics.ts';
import { measurementsWith, runData } from './run-data.ts';

const judge = (run: RunData): ResultFile =>
  judgeRun({ run, scenario: BULK_1000, tool: { name: 'segbench', version: '0.1.0', commit: 'test' } });

describe('mergeRepeats', () => {
  it('takes the median of times and the worst of counts, bytes and ratios', () => {
    const repeat = (settle: number, toasts: number, memory: number, hits: number): RunData =>
      runData({
        measurements: measurementsWith({
          ui_settle_ms: settle,
          toasts,
          result_memory_bytes: memory,
          cache_hit_ratio: hits,
        }),
      });
    const merged = mergeRepeats([
      repeat(100, 1, 5e6, 0.99),
      repeat(900, 2, 9e6, 0.8),
      repeat(200, 1, 6e6, 0.95),
    ]).measurements;
    expect(merged.ui_settle_ms).toEqual({ actual: 200, values: [100, 900, 200] });
    expect(merged.toasts).toEqual({ actual: 2, values: [1, 2, 1] });
    expect(merged.result_memory_bytes?.actual).toBe(9e6);
    expect(merged.cache_hit_ratio?.actual).toBe(0.8);
  });

  it('keeps what the machine could do at its best', () => {
    const late = (actual: number) => ({ actual: 50, floor: { actual, of: 'a plain page' } });
    const runs = [late(33.3), { actual: 17 }, late(40)].map((frame_p95_ms) =>
      runData({ measurements: { frame_p95_ms } }),
    );
    expect(mergeRepeats(runs).measurements.frame_p95_ms).toMatchObject({ actual: 50, floor: { actual: 33.3 } });
  });

  it('takes the median of all sweeps of frames, of several kinds of movement the largest, and keeps each sweep', () => {
    const repeat = (...sweeps: number[][]) =>
      runData({ measurements: { frame_p95_ms: framesOf('frame_p95_ms', ...sweeps.map(sweptOnce)) } });
    const sweptOnce = (p95sMs: number[]) => ({ p95sMs, plainP95sMs: [] });
    // The repeats' own medians are 17, 40 and 40, and their median 40.
    const one = mergeRepeats([repeat([17, 17, 18]), repeat([17, 40, 41]), repeat([17, 40, 17, 40, 42])]);
    expect(one.measurements.frame_p95_ms).toMatchObject({
      actual: 18,
      values: [17, 17, 18, 17, 40, 41, 17, 40, 17, 40, 42],
    });
    const two = mergeRepeats([repeat([17, 18, 17], [30, 19, 31]), repeat([18, 40, 17], [19, 19, 30])]);
    expect(two.measurements.frame_p95_ms).toMatchObject({
      actual: 19,
      values: [17, 18, 17, 18, 40, 17, 30, 19, 31, 19, 19, 30],
      sweeps: [
        [17, 18, 17, 18, 40, 17],
        [30, 19, 31, 19, 19, 30],
      ],
    });
    expect(judge(one).budgets.find(({ name }) => name === 'frame_p95_ms')).toMatchObject({ verdict: 'pass' });
  });

  it('takes the median of frames whose sweeps one repeat did not keep', () => {
    const runs = [framesOf('frame_p95_ms', { p95sMs: [17, 18, 19], plainP95sMs: [] }), { actual: 30 }, { actual: 19 }];
    expect(
      mergeRepeats(runs.map((frames) => runData({ measurements: { frame_p95_ms: frames } }))).measurements,
    ).toMatchObject({ frame_p95_ms: { actual: 19, values: [18, 30, 19] } });
  });

  it('names no raw ledger as its own: each repeat keeps one', () => {
    const rawLedger = { file: 'raw/proof.ndjson.gz', sha256: 'ab', bytes: 1 };
    expect(mergeRepeats([runData({ rawLedger }), runData({ rawLedger })]).rawLedger).toBeUndefined();
  });

  it('is not measured when one repeat was not', () => {
    const merged = mergeRepeats([runData(), runData({ measurements: measurementsWith({ toasts: null }) })]);
    expect(merged.measurements.toasts).toMatchObject({
      actual: null,
      note: expect.stringContaining('repeat 2 of 2') as string,
    });
  });

  it('is told of a repeat whose load came late or fell short, by its number, and passes and fails nothing', () => {
    const late = measurementsWith();
    late.inference_p95_ms = { actual: 9000, unjudgeable: 'the generator was 60 ms late' };
    late.toasts = { actual: 1, weakened: 'no reader was cut off' };
    const merged = mergeRepeats([runData(), runData({ measurements: late }), runData()]);
    expect(merged.measurements.inference_p95_ms).toMatchObject({
      unjudgeable: 'repeat 2 of 3: the generator was 60 ms late',
    });
    const result = judge(merged);
    expect(result.verdict).toBe('inconclusive');
    const notes = result.budgets
      .filter(({ verdict }) => verdict === 'inconclusive')
      .map(({ name, note }) => [name, note]);
    expect(notes).toEqual([
      ['toasts', 'a pass proves nothing: repeat 2 of 3: no reader was cut off'],
      ['inference_p95_ms', 'proves nothing: repeat 2 of 3: the generator was 60 ms late'],
    ]);
  });

  it('keeps what contradicts one repeat, whichever it was, and lets a failed budget win', () => {
    const identities = [
      { name: 'stage sums', what: 'two', unit: 'ms' as const, left: 400, right: 500, within: 50, of: 10 },
    ];
    const lost = { ...runData().delivery, completed: 990 };
    const merged = mergeRepeats([runData({ identities }), runData({ delivery: lost }), runData()]);
    const result = judge(merged);
    expect(result.verdict).toBe('inconclusive');
    expect(result.notes).toEqual([
      'contradiction: repeat 1 of 3: stage sums: 400 ms and 500 ms differ by more than 50 ms (two)',
      'contradiction: repeat 2 of 3: 1000 images were submitted, 990 ended in the database',
    ]);
    expect(result.identities).toEqual([{ ...identities[0], name: 'repeat 1 of 3, stage sums' }]);
    expect(result.delivery.completed).toBe(990);
    const broken = runData({ measurements: measurementsWith({ toasts: 2 }) });
    expect(judge(mergeRepeats([runData({ identities }), broken])).verdict).toBe('fail');
  });

  it('believes clocks as little as the noisiest repeat does, and names it', () => {
    const slow = (foreignCpuShare: number): RunData =>
      runData({
        measurements: measurementsWith({ api_latency_mean_ms: 300 }),
        noise: { foreignCpuShare, generatorLagP99Ms: 1 },
      });
    const result = judge(mergeRepeats([slow(0.5), slow(0), slow(0)]));
    expect(result.verdict).toBe('inconclusive');
    expect(result.notes).toEqual(['noisy machine in repeat 1 of 3: other processes took 50 % of the CPU']);
    expect(judge(mergeRepeats([slow(0), slow(0)])).verdict).toBe('fail');
  });

  it('reads a percentile from the values of all repeats, and shows those of each beside it', () => {
    // By themselves 10, 10 and 900 ms: a median of 10, while one value in ten of all was 900.
    const repeats = [
      Array.from({ length: 100 }, () => 10),
      Array.from({ length: 100 }, () => 10),
      Array.from({ length: 100 }, (_, at) => (at < 30 ? 900 : 10)),
    ];
    const runs = repeats.map((values) => {
      const measurements = measurementsWith();
      measurements.inference_p95_ms = percentileOf(values, 0.95)!;
      return runData({ measurements });
    });
    const { inference_p95_ms } = mergeRepeats(runs).measurements;
    expect(inference_p95_ms?.values).toEqual([10, 10, 900]);
    expect(inference_p95_ms?.actual).toBeCloseTo(900, -1);
    const [kept] = judge(mergeRepeats(runs)).budgets.filter(({ name }) => name === 'inference_p95_ms');
    expect(mergePercentiles([kept?.percentile])?.actual).toBe(inference_p95_ms?.actual);
  });

  it('merges the stages of all repeats by their values', () => {
    const stage = (...ms: number[]) => ({
      save: { ...summarise(ms)!, cpuMsPerImage: ms[0]!, histogram: histogramOf(ms) },
    });
    const { save, wait } = mergeRepeats([
      runData({ stages: stage(1, 1, 1) }),
      runData({ stages: { ...stage(64), wait: runData().stages['wait']! } }),
    ]).stages;
    expect(save).toMatchObject({
      count: 4,
      maxMs: 64,
      cpuMsPerImage: (3 * 1 + 64) / 4,
      histogram: [
        [0, 3],
        [48, 1],
      ],
    });
    expect(save?.p50Ms).toBeCloseTo(1.04, 1);
    expect(save?.p99Ms).toBe(64);
    // It kept no values, so that there is nothing to add up.
    expect(wait).toBeUndefined();
  });

  it('judges by the repeats to which a budget applies', () => {
    const without = measurementsWith();
    without.toasts = { actual: null, notApplicable: 'no page was open' };
    const twice = measurementsWith({ toasts: 2 });
    expect(
      mergeRepeats([runData({ measurements: without }), runData({ measurements: twice })]).measurements.toasts,
    ).toEqual({ actual: 2, values: [2], note: 'repeat 1 of 2: no page was open' });
    const none = mergeRepeats([runData({ measurements: without }), runData({ measurements: without })]);
    expect(judge(none).budgets.find(({ name }) => name === 'toasts')).toMatchObject({ verdict: 'n/a' });
  });
});
