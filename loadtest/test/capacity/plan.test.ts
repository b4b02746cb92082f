import { describe, expect, it } from 'vitest';
import { groundOfProfile } from '../../src/capacity/ground-of-profile.ts';
import { groundOfResult } from '../../src/capacity/ground-of-result.ts';
import { TooLittleError } from '../../src/capacity/ground.ts';
import { planOf } from '../../src/capacity/plan.ts';
import { ratesOf } from '../../src/capacity/rates.ts';
import { scoresOf } from '../../src/capacity/score.ts';
import { meanMs, whyOutside } from '../../src/capacity/service-time.ts';
import { whatIf } from '../../src/capacity/what-if.ts';
import { uslAt } from '../../src/capacity/usl.ts';
import { executionMs, LAW, PROFILE, plainResult, QUESTION, section, SHARED, sweptResult } from './grounds.ts';

const plain = () => groundOfResult(plainResult(), 'plain.json', SHARED);
const swept = (changes: Parameters<typeof sweptResult>[0] = {}) =>
  groundOfResult(sweptResult(changes), 'swept.json', SHARED);
const HOUR = 3_600_000;

describe('a result of one run', () => {
  it('takes workers not to hinder each other: 50,000 images in 8 h are 1.74 a second, one worker does 20', () => {
    const plan = planOf(plain(), QUESTION);
    expect(plan.verdict).toBe('answered');
    expect(plan.workers).toMatchObject({ value: 1, low: 1, high: 1 });
    const half = planOf(plain(), { ...QUESTION, deadlineMs: HOUR / 12 });
    // 50,000 in 300 s are 167 a second: nine workers of 20, by the spread of a single run 7 to 11
    expect(half.workers.value).toBe(9);
    expect(half.workers.low).toBeLessThan(9);
    expect(half.workers.high).toBeGreaterThan(9);
    expect(half.words[0]).toMatch(/^50,000 images .* within 5 min need 9 \(95 %: \d+ to \d+\) workers\.$/);
  });

  it('says that more workers than ran are outside what was measured, and that two were taken for granted', () => {
    const plan = planOf(plain(), { ...QUESTION, deadlineMs: HOUR / 12 });
    expect(plan.workers.outside).toMatch(/2 were measured at most/);
    expect(plan.workers.source).toMatch(/2 workers taken for granted/);
    expect(plan.workers.origin).toBe('assumed');
    expect(plan.words.join('\n')).toMatch(/Outside what was measured: /);
    expect(plan.times.find(({ workers }) => workers === 2)?.perSecond.outside).toBeUndefined();
    expect(plan.times.find(({ workers }) => workers === 64)?.perSecond.outside).toBeDefined();
  });

  it('reads how many workers ran where the file says it', () => {
    const ground = groundOfResult({ ...plainResult(), workers: 4 }, 'four.json', SHARED);
    expect(ratesOf(ground, QUESTION).at(1)).toBeCloseTo(10, 6);
  });

  it('refuses what has no rate or no executions', () => {
    const without = { ...plainResult(), efficiency: { ...plainResult().efficiency, imagesPerSecond: null } };
    expect(() => groundOfResult(without, 'x.json', SHARED)).toThrow(TooLittleError);
    expect(() => groundOfResult(without, 'x.json', SHARED)).toThrow(/it has no rate/);
    expect(() => groundOfResult({ ...plainResult(), stages: {} }, 'x.json', SHARED)).toThrow(/times of executions/);
  });

  it('of a simulated pool answers nothing to buy by, and says whose times it had', () => {
    const result = plainResult();
    result.environment.inference = { ...result.environment.inference, pool: 'sim:x', provider: 'simulated' };
    result.environment.notes = [
      'inference is simulated by profile x (a device, a model; illustrative: measured with one shape, not three)',
    ];
    const plan = planOf(groundOfResult(result, 'x.json', SHARED), QUESTION);
    expect(plan.verdict).toBe('illustrative');
    expect(plan.workers.value).toBeNull();
    expect(plan.words[0]).toMatch(/No answer to buy by: .*one shape, not three/);
    result.environment.notes = ['inference is simulated by profile x (a device, a model)'];
    const good = planOf(groundOfResult(result, 'x.json', SHARED), QUESTION);
    expect(good.verdict).toBe('answered');
    expect(good.words[0]).toMatch(/^Simulated: /);
  });
});

describe('a sweep', () => {
  it('is fitted by the scalability law, whose knee and top it tells', () => {
    const { law, top, knee, times } = planOf(swept(), QUESTION);
    expect(law?.alpha.value).toBeCloseTo(LAW.alpha, 6);
    expect(law?.beta.value).toBeCloseTo(LAW.beta, 6);
    expect(law?.peak.value).toBeCloseTo(Math.sqrt((1 - LAW.alpha) / LAW.beta), 3);
    expect(top.workers.value).toBe(44);
    expect(knee.value).toBeGreaterThan(3);
    expect(knee.value).toBeLessThan(16);
    expect(times.find(({ workers }) => workers === 16)?.perSecond.value).toBeCloseTo(uslAt(LAW, 16), 4);
  });

  it('finds the fewest workers in time, as a search by hand does', () => {
    for (const deadlineMs of [HOUR, HOUR / 3, HOUR / 6]) {
      const plan = planOf(swept(), { ...QUESTION, deadlineMs });
      const found = plan.workers.value!;
      expect((QUESTION.images / uslAt(LAW, found)) * 1000).toBeLessThan(deadlineMs);
      expect((QUESTION.images / uslAt(LAW, found - 1)) * 1000).toBeGreaterThan(deadlineMs - 1000);
      expect(plan.workers.outside).toBeUndefined();
    }
  });

  it('says when no number of workers is enough, and how many images a second would be', () => {
    const plan = planOf(swept(), { ...QUESTION, deadlineMs: HOUR / 30 });
    expect(plan).toMatchObject({ verdict: 'impossible', workers: { value: null } });
    expect(plan.words[0]).toMatch(/no number of workers does it: 41\d\.\d\d images\/s are needed/);
    const { services, workersEach } = plan.split!;
    expect(services.value! * uslAt(LAW, workersEach.value!)).toBeGreaterThan(416);
    expect(workersEach.value).toBeLessThanOrEqual(plan.knee.value!);
  });

  it('has the stage that binds first, and the next', () => {
    const one = planOf(swept(), { ...QUESTION, deadlineMs: HOUR });
    expect(one.stages[0]?.stage).toBe('workers');
    // A database of 12 ms an image on two cores does 167 images a second; the law alone would do more at its top.
    const heavy = section();
    for (const level of heavy.levels) level.cpuMsPerImage['PostgreSQL'] = 12;
    const bound = planOf(swept({ levels: heavy.levels }), { ...QUESTION, deadlineMs: HOUR / 11.5 });
    expect(bound.stages.slice(0, 2).map(({ stage }) => stage)).toContain('postgres');
    expect(bound.top.perSecond.value).toBeCloseTo(2000 / 12, 6);
  });

  it('refuses five levels', () => {
    expect(() => swept({ levels: section({}, [1, 2, 4, 8, 16]).levels })).toThrow(/5 levels, at least 6/);
  });

  it('knows what pixels and cells cost, each apart, and where it has not measured', () => {
    const { service } = swept();
    for (const [side, cells] of [
      [256, 60],
      [400, 30],
    ] as const)
      expect(meanMs(service, 1, { name: '', side, cells })).toBeCloseTo(executionMs(side, cells), 1);
    expect(whyOutside(service, 1, { name: '', side: 400, cells: 30 })).toBeNull();
    expect(whyOutside(service, 1, { name: '', side: 2048, cells: 30 })).toMatch(
      /2048 pixels: measured at sides of 128 to 512/,
    );
    expect(whyOutside(service, 1, { name: '', side: 400, cells: 900 })).toMatch(/900 cells: measured with 5 to 120/);
    expect(whyOutside(service, 4, { name: '', side: 400, cells: 30 })).toMatch(/batches of 4/);
  });

  it('grows storage with pixels and results with cells', () => {
    const small = planOf(swept(), { ...QUESTION, shape: { name: '', side: 256, cells: 50 } });
    const large = planOf(swept(), { ...QUESTION, shape: { name: '', side: 512, cells: 100 } });
    expect(large.growth.storageBytes.value! / small.growth.storageBytes.value!).toBeCloseTo(4, 6);
    expect(large.growth.resultBytes.value! / small.growth.resultBytes.value!).toBeCloseTo(2, 6);
    expect(large.growth.redisJobsPeak.value).toBeLessThanOrEqual(500);
    expect(large.growth.redisBytes.origin).toBe('assumed');
    expect(large.growth.storageBytes.origin).toBe('measured');
  });

  it('needs more workers for a tail that is short, and none have one that is shorter than an image takes', () => {
    const question = { ...QUESTION, deadlineMs: HOUR / 2 };
    const byTime = planOf(swept(), question);
    const tight = planOf(swept(), { ...question, p99Ms: 450 });
    expect(tight.workers.value).toBeGreaterThanOrEqual(byTime.workers.value!);
    expect(tight.tail!.p99Ms.value).toBeLessThanOrEqual(450);
    expect(tight.workers.origin).toBe('simulated');
    expect(planOf(swept(), { ...question, p99Ms: 50 })).toMatchObject({ verdict: 'impossible' });
  });

  it('tells each number’s source', () => {
    const { workers, stages, growth, knee, times } = planOf(swept(), QUESTION);
    for (const one of [
      workers,
      knee,
      ...stages.map(({ capacity }) => capacity),
      ...Object.values(growth),
      times[0]!.tookMs,
    ])
      expect(one.source).toMatch(/\w{3}/);
    expect(workers.source).toContain('swept.json');
  });
});

describe('a profile', () => {
  it('answers where it is measured well, with what is taken for granted', () => {
    const ground = groundOfProfile(PROFILE, 'bought.json', SHARED, 2);
    const plan = planOf(ground, { ...QUESTION, deadlineMs: HOUR / 10, shape: { name: '', side: 512, cells: 180 } });
    expect(plan.verdict).toBe('answered');
    expect(plan.workers.origin).toBe('assumed');
    expect(plan.workers.outside).toMatch(/one device was measured, alone/);
  });

  it('that is illustrative answers nothing', () => {
    const few = { ...PROFILE, points: PROFILE.points.filter(({ width }) => width === 256) };
    const plan = planOf(groundOfProfile(few, 'few.json', SHARED, 2), QUESTION, {
      prices: { currency: 'EUR', workerHour: 1 },
      file: 'prices.json',
    });
    expect(plan.workers.value).toBeNull();
    expect(plan.cost).toBeNull();
    expect(plan.words[0]).toMatch(/one shape, not three/);
  });
});

describe('cost', () => {
  const prices = { prices: { currency: 'EUR', workerHour: 2, storageGbMonth: 0.02, keepMonths: 12 }, file: 'p.json' };
  it('is what workers and storage cost for the time that it takes', () => {
    const plan = planOf(swept(), { ...QUESTION, deadlineMs: HOUR }, prices);
    const hours = plan.tookMs.value! / HOUR;
    const kept = (plan.growth.storageBytes.value! + plan.growth.databaseBytes.value!) / 1e9;
    const expected = plan.workers.value! * hours * 2 + kept * 12 * 0.02;
    expect(plan.cost?.total.value).toBeCloseTo(expected, 6);
    expect(plan.cost?.perThousand.value).toBeCloseTo(expected / 50, 6);
    expect(plan.cost!.total.low).toBeLessThanOrEqual(expected);
    expect(plan.cost!.total.high).toBeGreaterThanOrEqual(expected);
  });
});

describe('what-if', () => {
  const question = { ...QUESTION, deadlineMs: HOUR };
  it('turns one thing at a time', () => {
    const ground = swept();
    const plan = planOf(ground, question);
    const turn = (knob: Parameters<typeof whatIf>[3], value: number) => whatIf(ground, question, plan, knob, value);
    expect(turn('workers', 8).tookMs.value).toBeLessThan(turn('workers', 2).tookMs.value!);
    expect(turn('side', 512).workers.value).toBeGreaterThan(turn('side', 128).workers.value!);
    expect(turn('cells', 120).tookMs.value).toBeGreaterThan(turn('cells', 10).tookMs.value!);
    expect(turn('cells', 5000).tookMs.outside).toMatch(/5000 cells/);
    expect(turn('workers', 1).p99Ms.value).not.toBe(0);
    expect(turn('batch', 8).tookMs.outside).toMatch(/batches of 8/);
  });

  it('says that a tail without end is none', () => {
    const ground = swept();
    const plan = planOf(ground, { ...question, deadlineMs: HOUR / 4 });
    expect(whatIf(ground, { ...question, deadlineMs: HOUR / 4 }, plan, 'workers', 1).p99Ms).toMatchObject({
      value: null,
    });
  });
});

describe('scores', () => {
  it('holds rates against runs, and says how far they are off and how often they are inside', () => {
    const slower = section();
    for (const level of slower.levels) level.perSecond *= 0.8;
    const scores = scoresOf(swept(), QUESTION, [swept({ levels: slower.levels })])!;
    expect(scores.rows).toHaveLength(6);
    expect(scores.rows[0]!.error).toBeCloseTo(0.25, 6);
    expect(scores.bias).toBeCloseTo(0.25, 6);
    expect(scores.coverage).toBe(0);
    const same = scoresOf(plain(), QUESTION, [plain()])!;
    expect(same.rows[0]).toMatchObject({ workers: 2, measured: 40, inside: true });
    expect(same.bias).toBeCloseTo(0, 6);
    expect(scoresOf(plain(), QUESTION, [])).toBeNull();
  });
});
