import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../../service/src/settings.ts';
import { adviceOf } from '../../src/report/advice.ts';
import { adviceLines, adviceMarkdown, adviceSection } from '../../src/report/advice-section.ts';
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
/** Of an image that waited 900 ms, was worked on for 60 and saved and told of in 40. */
const timed = (p50Ms: number, cpuMsPerImage: number | null = null) => ({ ...stage(cpuMsPerImage), p50Ms });
const timedStages = {
  wait: timed(900),
  infer: timed(60, 55),
  save: timed(10),
  publish: timed(30),
  settle: timed(5000),
};
const efficiency = { cpuRatio: 0.9, imagesPerSecond: 40, rawImagesPerSecond: 44, throughputRatio: 0.9 };
const said = (changes: Parameters<typeof resultOf>[0]) =>
  adviceOf(resultOf({ environment: quiet, efficiency, ...changes }));

describe('what to do', () => {
  it('is nothing where all is well', () => {
    const advice = said({ stages: {} });
    expect(advice).toMatchObject({ targets: [], bottlenecks: [], steps: [], quick: [] });
    const result = resultOf({ environment: quiet, efficiency, stages: {} });
    expect(adviceSection(result)).toContain('Nothing: every budget held');
    expect(adviceMarkdown(result)[2]).toContain('Nothing: every budget held');
    expect(adviceLines(result)).toEqual(['What to do:', expect.stringContaining('Nothing: every budget held')]);
  });

  it('is to run again what could not be judged', () => {
    const open = said({ measurements: measurementsWith({ db_query_p95_ms: null }), stages: {} });
    expect(open.steps[0]!.what).toMatch(/^run it again.*db_query_p95_ms could not be judged/);
    const ended = said({ stopped: { reason: 'error', message: 'PostgreSQL died' }, stages: {} });
    expect(ended.steps[0]!.what).toBe('run it again: it ended early (PostgreSQL died)');
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
    const cpu = bottlenecks.toSorted((one, other) => (other.cpu ?? 0) - (one.cpu ?? 0)).slice(0, 3);
    expect(cpu.map((one) => [one.stage, one.cpu])).toEqual([
      ['infer', 0.7],
      ['polygons', 0.2],
      ['decode', 0.1],
    ]);
    expect(steps[0]).toEqual({
      what: expect.stringMatching(/^infer is 70 %/),
      gain: 'a tenth less of it is 7 % less CPU an image',
    });
  });

  it('has waiting, saving and telling among the bottlenecks, of the whole and of what follows the queue', () => {
    const { bottlenecks, steps } = said({ stages: timedStages });
    expect(bottlenecks).toEqual([
      { stage: 'wait', time: 0.9, afterQueue: null, cpu: null },
      { stage: 'infer', time: 0.06, afterQueue: 0.6, cpu: 1 },
      { stage: 'publish', time: 0.03, afterQueue: 0.3, cpu: null },
      { stage: 'save', time: 0.01, afterQueue: 0.1, cpu: null },
    ]);
    expect(steps.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^wait is 90 % of an image’s time/),
      expect.stringMatching(/^infer is 100 % of an image’s CPU time/),
      expect.stringMatching(/^publish is 30 % of an image’s time after the queue/),
    ]);
    expect(steps[0]!.gain).toBe('twice the rate halves it: 450 ms less an image');
  });

  it('takes an image’s time from the histograms where there are some', () => {
    const histogram: [number, number][] = [
      [0, 5],
      [80, 5],
    ];
    const { bottlenecks } = said({ stages: { wait: { ...timed(1), histogram }, infer: timed(1, 1) } });
    // Half of them about 1 ms, half about 1,024: the median of 1 ms would say nothing of the second half.
    expect(bottlenecks[0]!.time).toBeGreaterThan(0.99);
  });

  it('says what grew above what is committed', () => {
    const row = {
      metric: 'page_calls',
      name: 'API calls of the page',
      unit: 'count',
      recorded: 9,
      limit: 14,
      now: 20,
    } as const;
    const ratchet = { rows: [{ ...row, verdict: 'regression' as const, why: '' }], notes: [] };
    const { steps } = adviceOf({ ...resultOf({ environment: quiet, efficiency, stages: {} }), ratchet });
    expect(steps).toEqual([
      { what: expect.stringMatching(/^API calls of the page grew to 20/), gain: '9 again, as committed' },
    ]);
  });

  it('has what was switched off for a quick win, with what it was measured to be worth', () => {
    const row = { metric: 'bulk_calls', unit: 'count' as const, with: 4, without: 16, ratio: 4, moved: true };
    const result = resultOf({ environment: quiet, efficiency, stages: {}, settings: { CACHE: 'off', PORT: '0' } });
    expect(adviceOf(result).quick).toEqual([
      { setting: 'CACHE=on', what: 'it was off in this run', gain: 'npm run bench -- --without all measures it' },
    ]);
    const compared = { ...result, without: [{ name: 'cache', setting: 'CACHE=off', rows: [row] }] };
    expect(adviceOf(compared).quick[0]!.gain).toBe('bulk_calls by 75 % less');
    for (const text of [adviceSection(compared), adviceMarkdown(compared).join('\n'), adviceLines(compared).join('\n')])
      expect(text).toMatch(/quick win[^]*CACHE=on/i);
  });

  it('has a quick win for a budget that one setting moves, for idle cores, and for a long event window', () => {
    const quickOf = (changes: Parameters<typeof resultOf>[0]) => said({ stages: {}, ...changes }).quick;
    expect(quickOf({ measurements: measurementsWith({ worker_rss_bytes: 1.9e9 }) })).toEqual([
      { setting: 'WORKERS', what: 'one less, for worker_rss_bytes', gain: 'it has 100 MB left' },
    ]);
    expect(quickOf({ workers: 2, environment: { ...quiet, cores: 8 } })).toMatchObject([
      { setting: 'WORKERS=8', gain: 'at most 4.0 times the images a second' },
    ]);
    expect(quickOf({ workers: 2, environment: { ...quiet, cores: 8, psiCpuSome: 0.3 } })).toEqual([]);
    expect(quickOf({ stages: timedStages })).toMatchObject([
      { setting: 'EVENT_WINDOW_MS', gain: expect.stringMatching(/^up to 15 ms sooner/) },
    ]);
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
    const given = all.map((budget) => adviceOf({ ...GOOD, stages: timedStages, budgets: [budget] }));
    const texts = given.flatMap(({ steps, quick }) => [
      ...steps.map(({ what }) => what),
      ...quick.map(({ setting }) => setting),
    ]);
    const named = texts.flatMap((text) => text.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []);
    expect(new Set(named).size).toBeGreaterThanOrEqual(6);
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
