import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../../service/src/settings.ts';
import { adviceOf } from '../../src/report/advice.ts';
import { adviceMarkdown, adviceSection } from '../../src/report/advice-section.ts';
import { actionBenchmark, bencherMetrics } from '../../src/report/trackers.ts';
import { measurementsWith, runData } from '../judge/run-data.ts';
import { GOOD, NAIVE, NASTY, nastyResult, resultOf } from './results.ts';

const quiet = { ...runData().environment, psiCpuSome: 0.02 };
const stage = (cpuMsPerImage: number | null) => ({
  count: 10,
  p50Ms: 1,
  p95Ms: 1,
  p99Ms: 1,
  maxMs: 1,
  cpuMsPerImage,
});
const stages = { wait: stage(null), decode: stage(10), infer: stage(70), polygons: stage(20), publish: stage(null) };
const efficiency = { cpuRatio: 0.9, imagesPerSecond: 40, rawImagesPerSecond: 44, throughputRatio: 0.9 };
const said = (changes: Parameters<typeof resultOf>[0]) =>
  adviceOf(resultOf({ environment: quiet, efficiency, ...changes }));

describe('what to do', () => {
  it('is nothing where all is well', () => {
    const advice = said({ stages: {} });
    expect(advice).toEqual({ targets: [], bottlenecks: [], steps: [] });
    const result = resultOf({ environment: quiet, efficiency, stages: {} });
    expect(adviceSection(result)).toContain('Nothing: every budget held');
    expect(adviceMarkdown(result)[2]).toContain('Nothing: every budget held');
  });

  it('names failed budgets first, with value, target, gap and where to look, and then those that are close', () => {
    const { targets, steps } = said({
      measurements: measurementsWith({ bulk_calls: 2012, db_query_p95_ms: 45, image_list_p95_ms: 95 }),
      stages: {},
    });
    expect(targets).toEqual([
      { name: 'bulk_calls', now: '2,012', target: '<= 10', gap: '2,002 beyond' },
      { name: 'image_list_p95_ms', now: '95 ms', target: '< 100 ms', gap: '5 ms left' },
      { name: 'db_query_p95_ms', now: '45 ms', target: '< 50 ms', gap: '5 ms left' },
    ]);
    expect(steps).toHaveLength(1);
    expect(steps[0]!.what).toMatch(/^bulk_calls: ask for results of many images at once/);
  });

  it('names the stage that costs most CPU time, and what a tenth less of it would save', () => {
    const { bottlenecks, steps } = said({ stages });
    expect(bottlenecks.map((one) => [one.stage, Math.round(one.share * 100)])).toEqual([
      ['infer', 70],
      ['polygons', 20],
      ['decode', 10],
    ]);
    expect(steps).toEqual([
      { what: expect.stringMatching(/^infer is 70 %/), gain: 'a tenth less of it is 7 % less CPU an image' },
    ]);
  });

  it('says what was switched off, and what it was measured to be worth', () => {
    const row = { metric: 'bulk_calls', unit: 'count' as const, with: 4, without: 16, ratio: 4, moved: true };
    const result = resultOf({ environment: quiet, efficiency, stages: {}, settings: { CACHE: 'off', PORT: '0' } });
    expect(adviceOf(result).steps).toEqual([
      { what: 'set CACHE=on: it was off in this run', gain: 'npm run bench -- --without all measures it' },
    ]);
    const compared = adviceOf({ ...result, without: [{ name: 'cache', setting: 'CACHE=off', rows: [row] }] });
    expect(compared.steps[0]!.gain).toBe('bulk_calls by 75 % less');
  });

  it('says that the way around the model is long, and that the machine is too small', () => {
    const { steps } = said({
      stages: {},
      efficiency: { ...efficiency, imagesPerSecond: 24, rawImagesPerSecond: 59, throughputRatio: 0.41 },
      environment: { ...quiet, psiCpuSome: 0.5, cores: 2 },
    });
    expect(steps.map(({ gain }) => gain)).toEqual([
      '24.0 images/s now, 59.0 at most with these workers',
      'up to as much less waiting; times become comparable',
    ]);
  });

  it('names only settings that there are', () => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
    const all = GOOD.budgets.map((budget) => ({ ...budget, verdict: 'fail' as const }));
    const texts = all.flatMap((budget) => adviceOf({ ...GOOD, stages: {}, budgets: [budget] }).steps);
    const named = texts.flatMap(({ what }) => what.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []);
    expect(named.length).toBeGreaterThanOrEqual(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('lets no text of a result through as markup', () => {
    expect(adviceSection(nastyResult())).not.toContain(NASTY);
    expect(adviceMarkdown(nastyResult()).join('\n')).not.toContain('</script>');
  });
});

describe('files for services that keep benchmarks', () => {
  it('have each measured budget once, by the direction that is better', () => {
    const smaller = JSON.parse(actionBenchmark(GOOD, 'smaller')) as { name: string; value: number; unit: string }[];
    const bigger = JSON.parse(actionBenchmark(GOOD, 'bigger')) as { name: string }[];
    expect(smaller.length + bigger.length).toBe(GOOD.budgets.length);
    expect(smaller).toContainEqual({
      name: 'bulk-1000/optimized/toasts',
      unit: 'count',
      value: 1,
      extra: 'limit = 1, pass',
    });
    expect(bigger.map(({ name }) => name)).toContain('bulk-1000/optimized/throughput_images_per_minute');
  });

  it('leave out what was not measured, and have the spread of repeats', () => {
    const measured = Object.keys(Object.values(JSON.parse(bencherMetrics(NAIVE)) as object)[0] as object);
    expect(measured).not.toContain('db_query_p95_ms');
    expect(measured).toContain('toasts');
    const [first, ...rest] = GOOD.budgets;
    const repeated = { ...GOOD, budgets: [{ ...first!, actual: 3, values: [2, 3, 7] }, ...rest] };
    expect(JSON.parse(bencherMetrics(repeated))).toMatchObject({
      'bulk-1000/optimized': { [first!.name]: { value: 3, lower_value: 2, upper_value: 7 } },
    });
    expect(JSON.parse(actionBenchmark(repeated, 'smaller'))).toContainEqual(
      expect.objectContaining({ range: '2 to 7' }),
    );
  });
});
