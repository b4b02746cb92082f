import { describe, expect, it } from 'vitest';
import type { CapacityLevel } from '../../src/capacity/contract.ts';
import { quantileOfSorted } from '../../src/measure/statistics.ts';
import { simulate, transactionMs } from '../../src/capacity/simulate/simulate.ts';
import { checkSimulation } from '../../src/capacity/sweep-simulation.ts';
import type { PipelineParts, SimulationInput } from '../../src/capacity/simulate/simulation.ts';
import { PROFILE, section } from './grounds.ts';

const SHAPE = { name: 'any', side: 256, cells: 45 };
/** One queue, nothing beside it. Executions of 10 ms on average. */
const queue = (given: {
  workers: number;
  busy: number;
  executionMs: SimulationInput['executionMs'];
}): SimulationInput => ({
  seed: 11,
  images: 200_000,
  arrivals: { kind: 'random', perSecond: given.busy * given.workers * 100 },
  shapes: [{ shape: SHAPE, share: 1 }],
  workers: given.workers,
  machines: 1,
  maxBatch: 1,
  batchDelayMs: 0,
  executionMs: given.executionMs,
  parts: null,
});
const exponential: SimulationInput['executionMs'] = (_images, _shape, luck) => -10 * Math.log(1 - luck);
const constant: SimulationInput['executionMs'] = () => 10;

/** Probability that who comes must wait (Erlang C), by the recursion of Erlang B. */
function erlangC(workers: number, load: number): number {
  let b = 1;
  for (let n = 1; n <= workers; n++) b = (load * b) / (n + load * b);
  return b / (1 - (load / workers) * (1 - b));
}
/** By how much a figure is off, relative. */
const off = (value: number, truth: number): number => Math.abs(value / truth - 1);

describe('against closed forms, within 2 %', () => {
  it('waits as M/M/1 does, in the mean and in the tail', () => {
    const { meanWaitMs, staysMs, busy } = simulate(queue({ workers: 1, busy: 0.5, executionMs: exponential }));
    expect(off(meanWaitMs, (0.5 * 10) / 0.5)).toBeLessThan(0.02);
    // Times in the system are exponential with mean 1 / (μ - λ).
    expect(off(quantileOfSorted(staysMs, 0.5), Math.log(2) * 20)).toBeLessThan(0.02);
    expect(off(quantileOfSorted(staysMs, 0.99), Math.log(100) * 20)).toBeLessThan(0.02);
    expect(off(busy['workers']!, 0.5)).toBeLessThan(0.02);
  });

  it('waits as M/M/c does', () => {
    const { meanWaitMs } = simulate(queue({ workers: 4, busy: 0.7, executionMs: exponential }));
    expect(off(meanWaitMs, (erlangC(4, 2.8) * 10) / (4 * 0.3))).toBeLessThan(0.02);
  });

  it('waits as M/D/1 does, half as long', () => {
    const { meanWaitMs } = simulate(queue({ workers: 1, busy: 0.6, executionMs: constant }));
    expect(off(meanWaitMs, (0.6 * 10) / (2 * 0.4))).toBeLessThan(0.02);
  });

  it('keeps Little’s law: images inside, by rate and stay', () => {
    const { meanInside, staysMs, perSecond } = simulate({
      ...queue({ workers: 2, busy: 0.8, executionMs: exponential }),
      images: 20_000,
    });
    const meanStay = staysMs.reduce((sum, ms) => sum + ms, 0) / staysMs.length;
    expect(off(meanInside, (perSecond * meanStay) / 1000)).toBeLessThan(0.01);
  });
});

describe('BATCH_DELAY_MS', () => {
  const waited = (batchDelayMs: number) =>
    simulate({
      ...queue({ workers: 2, busy: 0.25, executionMs: constant }),
      images: 20_000,
      maxBatch: 4,
      batchDelayMs,
    });

  it('fills batches while workers are idle, and costs no image more than itself', () => {
    const [none, some] = [waited(0), waited(40)];
    expect(some.meanBatch).toBeGreaterThan(2 * none.meanBatch);
    expect(some.staysMs.at(-1)! - none.staysMs.at(-1)!).toBeLessThan(41);
    // 50 a second: within 40 ms about two more come.
    expect(some.meanBatch).toBeGreaterThan(2.5);
    expect(some.meanBatch).toBeLessThan(3.5);
  });
});

const PARTS: PipelineParts = {
  queueWindow: 500,
  concurrency: 8,
  relayMs: 0.1,
  redisMs: 0.05,
  consumerMs: 0.2,
  apiMs: 0.1,
  database: { cores: 2, msPerImage: 1 },
  eventWindowMs: 100,
  hostCores: null,
};
const batch = (more: Partial<SimulationInput> = {}): SimulationInput => ({
  ...queue({ workers: 4, busy: 1, executionMs: constant }),
  images: 4000,
  arrivals: { kind: 'at once' },
  parts: PARTS,
  ...more,
});

describe('checkSimulation', () => {
  it('holds the simulation against a sweep: on idle threads workers do what their profile says', () => {
    const shapes = section().shapes.filter(({ width }) => width === 256);
    const workers = [1, 2, 4];
    const alone = 1000 / (PROFILE.time.fixedMs + PROFILE.time.msPerMegapixel * 0.065536);
    const levels = section({}, workers).levels.map((level) => ({
      ...level,
      perSecond: alone * level.workers,
      cpuMsPerImage: { worker: 0.1 },
    }));
    const checks = checkSimulation(section({ levels, shapes }), { profile: PROFILE, cores: 8, seed: 1 });
    expect(checks.map((one) => one.workers)).toEqual(workers);
    for (const { perSecond } of checks) expect(Math.abs(perSecond.error)).toBeLessThan(0.1);
    // A thread that takes 20 ms an image lets 50 a second through, whatever the workers do.
    const slow = levels.map((level) => ({ ...level, cpuMsPerImage: { worker: 20 } }));
    expect(
      checkSimulation(section({ levels: slow, shapes }), { profile: PROFILE, cores: 8, seed: 1 })[2]!.perSecond
        .simulated,
    ).toBeLessThan(55);
  });

  it('lets real workers take the cores that everything else runs on: two on two cores do less than twice as much', () => {
    const shapes = section().shapes.filter(({ width }) => width === 256);
    const alone = { worker: 1, api: 1, postgres: 8, inference: 30 };
    const levels = section({}, [1, 2, 4]).levels.map((level) => ({ ...level, images: 400, cpuMsPerImage: alone }));
    const of = (cores: number) =>
      checkSimulation(section({ levels, shapes }), { profile: null, cores, seed: 1 }).map(
        ({ perSecond }) => perSecond.simulated,
      );
    const [one, two, four] = of(2) as [number, number, number];
    expect(two / one).toBeGreaterThan(1.2);
    expect(two / one).toBeLessThan(1.9);
    expect(four / two).toBeLessThan(1.05);
    const [apart, both] = of(16) as [number, number];
    expect(both / apart).toBeGreaterThan(1.95);
  });

  it('compares waits where the sweep has them', () => {
    const shapes = section().shapes.filter(({ width }) => width === 256);
    const of = (stages: CapacityLevel['stages']) =>
      checkSimulation(section({ levels: section({}, [1]).levels.map((level) => ({ ...level, stages })), shapes }), {
        profile: PROFILE,
        cores: 8,
        seed: 1,
      })[0]!;
    const none = { count: 1, p50Ms: 1, maxMs: 1, cpuMsPerImage: null };
    const { waitP95, waitP99 } = of({ wait: { ...none, p95Ms: 1000, p99Ms: 2000 } });
    expect(waitP95!.error).toBeCloseTo(waitP95!.simulated / 1000 - 1, 9);
    expect(waitP99!.simulated).toBeGreaterThanOrEqual(waitP95!.simulated);
    expect(of({}).waitP95).toBeNull();
  });
});

describe('the whole pipeline', () => {
  it('works off a batch at the rate of its workers, with no more in Redis than the window', () => {
    const { perSecond, peaks, busy, backlog } = simulate(batch());
    expect(off(perSecond, 400)).toBeLessThan(0.1);
    expect(busy['workers']).toBeGreaterThan(0.9);
    expect(peaks.redis).toBeGreaterThan(0);
    expect(peaks.redis).toBeLessThanOrEqual(500);
    expect(peaks.outbox).toBe(4000);
    expect(backlog[0]).toEqual([0, 4000]);
    expect(backlog.at(-1)![1]).toBe(0);
  });

  it('is no faster than the database, nor than one thread', () => {
    const slow = simulate(batch({ parts: { ...PARTS, database: { cores: 2, msPerImage: 20 } } }));
    expect(slow.perSecond).toBeLessThan(101);
    expect(slow.perSecond).toBeGreaterThan(75);
    expect(slow.busy['PostgreSQL']).toBeGreaterThan(0.8);
    const thread = simulate(batch({ parts: { ...PARTS, relayMs: 10 } }));
    expect(thread.perSecond).toBeLessThan(101);
    // between two fillings it rests, as the real one does
    expect(thread.busy['relay']).toBeGreaterThan(0.6);
  });

  it('shares the cores of one machine where all of it runs on one', () => {
    // 0.1 + 0.05 + 0.2 + 0.1 + 3 ms of CPU time an image on two cores: 580 a second at most, and eight workers would do 800.
    const parts = { ...PARTS, database: { cores: 2, msPerImage: 3 } };
    const apart = simulate(batch({ workers: 8, parts: { ...parts, database: { cores: 8, msPerImage: 3 } } }));
    const together = simulate(batch({ workers: 8, parts: { ...parts, hostCores: 2 } }));
    expect(apart.perSecond).toBeGreaterThan(650);
    expect(together.perSecond).toBeLessThan(580);
    expect(together.busy['machine']).toBeGreaterThan(0.8);
  });

  it('makes batches while all workers are busy, and none while one is idle', () => {
    const executionMs: SimulationInput['executionMs'] = (images) => 20 + images;
    expect(simulate(batch({ maxBatch: 8, executionMs })).meanBatch).toBeGreaterThan(6);
    const light = batch({ maxBatch: 8, executionMs, arrivals: { kind: 'random', perSecond: 10 }, images: 500 });
    expect(simulate(light).meanBatch).toBeLessThan(1.2);
  });

  it('tells a reader no sooner than the window of events ends', () => {
    const { staysMs } = simulate(batch({ arrivals: { kind: 'random', perSecond: 5 }, images: 300 }));
    // claim 5 ms, execution 10 ms, result 5 ms, and up to 100 ms of the window, which the first change of it opens
    expect(staysMs[0]).toBeGreaterThan(20);
    expect(quantileOfSorted(staysMs, 0.99)).toBeLessThan(300);
  });

  it('gives the same run for the same seed, and another for another', () => {
    const input = batch({ executionMs: exponential, images: 1000, machines: 3, workers: 5 });
    const one = simulate(input);
    expect(simulate(input)).toEqual(one);
    expect(simulate({ ...input, seed: 12 }).tookMs).not.toBe(one.tookMs);
  });

  it('charges a database for transactions, so that full ones are cheaper by the image', () => {
    const database = { cores: 1, msPerImage: 4 };
    expect(4 * transactionMs(database, 32)).toBeCloseTo(4 * 32, 6);
    expect(transactionMs(database, 1)).toBeGreaterThan(5 * (transactionMs(database, 32) / 32));
  });
});
