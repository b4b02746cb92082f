import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateProgress } from '../../src/batches/eta.ts';
import { afterFailure, pauseReason, type FailedAttempt } from '../../src/batches/failure-policy.ts';
import { createMicroBatcher } from '../../src/batches/micro-batch.ts';
import { parametersText } from '../../src/batches/parameters.ts';
import { bullPriority } from '../../src/batches/queue.ts';
import { createPace, refillMs } from '../../src/batches/relay.ts';
import { allocate, interleave } from '../../src/batches/round-robin.ts';
import { createSharing } from '../../src/batches/sharing.ts';

describe('parametersText', () => {
  it('is one text for equal settings and another for different ones', () => {
    const base = { threshold: 0.5, channel: null, page: 0, detectHoles: true };
    expect(parametersText(base)).toBe('t=0.5;c=;p=0;h=1');
    expect(parametersText({ ...base, threshold: Math.fround(0.1) })).toBe(parametersText({ ...base, threshold: 0.1 }));
    const all = [
      base,
      { ...base, channel: 0 },
      { ...base, page: 1 },
      { ...base, detectHoles: false },
      { ...base, threshold: 0.51 },
    ];
    expect(new Set(all.map(parametersText)).size).toBe(5);
  });
});

describe('estimateProgress', () => {
  const nowMs = 1_000_000_500;
  const steady = (perSecond: number, seconds: number) =>
    Array.from({ length: seconds }, (_, index) => ({ second: 1_000_000 - 1 - index, done: perSecond }));
  it('gives rate and time left of a steady batch, with a range around it', () => {
    const { imagesPerSecond, eta } = estimateProgress(steady(20, 10), 400, nowMs);
    expect(imagesPerSecond).toBe(20);
    expect(eta!.seconds).toBe(20);
    expect(eta!.low).toBeLessThan(20);
    expect(eta!.high).toBeGreaterThan(20);
  });
  it('knows nothing before a whole second has passed', () => {
    expect(estimateProgress([{ second: 1_000_000, done: 50 }], 10, nowMs)).toEqual({ imagesPerSecond: 0, eta: null });
    expect(estimateProgress([], 10, nowMs)).toEqual({ imagesPerSecond: 0, eta: null });
  });
  it('does not take the end of a second, in which the first image ended, for a whole one', () => {
    const first = { second: 999_999, done: 1 };
    expect(estimateProgress([first], 234, nowMs)).toEqual({ imagesPerSecond: 0, eta: null });
    const twoLater = (list: (typeof first)[]) => estimateProgress(list, 234, nowMs + 2_000);
    expect(twoLater([first, { second: 1_000_000, done: 16 }, { second: 1_000_001, done: 14 }]).eta!.seconds).toBe(15.6);
    // What came in one piece since then is all that is known.
    expect(twoLater([{ ...first, done: 8 }]).imagesPerSecond).toBe(2.67);
  });
  it('tells no slow batch by its first image twice', () => {
    const each20s = [25, 5].map((ago) => ({ second: 1_000_000 - ago, done: 1 }));
    expect(estimateProgress(each20s, 10, nowMs).imagesPerSecond).toBe(0.04);
  });
  it('counts seconds without images, and forgets what is older than the window', () => {
    expect(estimateProgress([{ second: 999_990, done: 100 }], 10, nowMs).imagesPerSecond).toBe(10);
    expect(estimateProgress([{ second: 999_900, done: 100 }], 10, nowMs).imagesPerSecond).toBe(0);
  });
  it('has no time left when nothing is left', () => {
    expect(estimateProgress(steady(20, 10), 0, nowMs).eta).toBeNull();
  });
  it('keeps low <= seconds <= high, finite and positive, whatever the samples', () => {
    const samples = fc.array(
      fc.record({ second: fc.integer({ min: 999_960, max: 1_000_000 }), done: fc.integer({ min: 1, max: 500 }) }),
    );
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 100_000 }), (list, remaining) => {
        const { eta } = estimateProgress(list, remaining, nowMs);
        if (eta === null) return;
        expect(eta.low).toBeLessThanOrEqual(eta.seconds);
        expect(eta.seconds).toBeLessThanOrEqual(eta.high);
        expect(Number.isFinite(eta.high)).toBe(true);
        expect(eta.low).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('allocate', () => {
  const lanes = fc.uniqueArray(
    fc.record({ id: fc.string(), waiting: fc.integer({ min: 0, max: 2000 }), weight: fc.integer({ min: 1, max: 11 }) }),
    { selector: (lane) => lane.id, maxLength: 12 },
  );
  it('gives away every place and never more than a lane has', () => {
    fc.assert(
      fc.property(lanes, fc.integer({ min: 0, max: 5000 }), (list, free) => {
        const given = allocate(free, list);
        const total = [...given.values()].reduce((sum, places) => sum + places, 0);
        expect(total).toBe(
          Math.min(
            free,
            list.reduce((sum, lane) => sum + lane.waiting, 0),
          ),
        );
        for (const lane of list) expect(given.get(lane.id)).toBeLessThanOrEqual(lane.waiting);
        const busy = list.filter((lane) => lane.waiting > 0);
        const starved = busy.filter((lane) => given.get(lane.id) === 0);
        expect(free >= busy.length ? starved : []).toEqual([]);
      }),
    );
  });
  it('leaves a place for the last lane when light ones before it are rounded up', () => {
    const given = allocate(3, [
      { id: 'a', waiting: 1, weight: 1 },
      { id: 'b', waiting: 2, weight: 4 },
      { id: 'c', waiting: 1, weight: 1 },
    ]);
    expect([...given.values()]).toEqual([1, 1, 1]);
  });
  it('shares by weight between lanes that have enough', () => {
    const given = allocate(400, [
      { id: 'small', waiting: 1000, weight: 1 },
      { id: 'big', waiting: 100_000, weight: 3 },
    ]);
    expect([given.get('small'), given.get('big')]).toEqual([100, 300]);
  });
});

it('interleaves queues evenly and keeps their order', () => {
  expect(
    interleave([
      ['a1', 'a2', 'a3', 'a4'],
      ['b1', 'b2'],
    ]),
  ).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', 'a4']);
});

it('turns urgency into a priority of BullMQ, where 1 comes first and 0 would overtake all', () => {
  expect([0, 5, 10].map(bullPriority)).toEqual([11, 6, 1]);
});

describe('afterFailure', () => {
  const attempt = (rest: Partial<FailedAttempt>): FailedAttempt => ({
    code: 'CRASHED',
    retryable: true,
    crashed: false,
    crashes: 0,
    attempts: 1,
    ...rest,
  });
  it('quarantines at the second crash', () => {
    expect(afterFailure(attempt({ crashed: true }))).toBe('queued');
    expect(afterFailure(attempt({ crashed: true, crashes: 1, attempts: 2 }))).toBe('failed');
  });
  it('does not count lost leases as crashes, but not for ever', () => {
    expect(afterFailure(attempt({ crashed: true, attempts: 4 }))).toBe('queued');
    expect(afterFailure(attempt({ crashed: true, attempts: 5 }))).toBe('failed');
  });
  it('tries once more what can pass, and never what cannot', () => {
    expect(afterFailure(attempt({ code: 'MODEL_ERROR' }))).toBe('queued');
    expect(afterFailure(attempt({ code: 'MODEL_ERROR', attempts: 2 }))).toBe('failed');
    expect(afterFailure(attempt({ code: 'INVALID_IMAGE', retryable: false }))).toBe('failed');
  });
});

it('says why a batch pauses only with a full window and more failures than allowed', () => {
  const window = (failed: number, total: number) =>
    Array.from({ length: total }, (_, index) => (index < failed ? 'TIMEOUT' : null));
  expect(pauseReason(window(40, 200), 0.2)).toBeNull();
  expect(pauseReason(window(41, 200), 0.2)).toContain('41 of the last 200');
  expect(pauseReason(window(199, 199), 0.2)).toBeNull();
});

describe('createMicroBatcher', () => {
  it('runs full batches in order, one at a time, and answers each item', async () => {
    const runs: number[][] = [];
    let running = 0;
    const batcher = createMicroBatcher<number, number>({
      maxItems: 4,
      maxWaitMs: 1,
      async run(items) {
        expect(++running).toBe(1);
        runs.push(items);
        await Promise.resolve();
        running--;
        return items.map((item) => item * 10);
      },
    });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => batcher.add(index)));
    expect(answers).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(runs).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });
  it('starts what waits for company as soon as an item may not wait', async () => {
    const waits = [60_000, 60_000, 1, 60_000];
    const runs: number[][] = [];
    const batcher = createMicroBatcher<number, number>({
      maxItems: 10,
      maxWaitMs: () => waits.shift()!,
      async run(items) {
        runs.push(items);
        return items;
      },
    });
    await Promise.all([0, 1, 2, 3].map((item) => batcher.add(item)));
    expect(runs).toEqual([[0, 1, 2, 3]]);
  });
  it('fails only the items of the run that failed, and flushes what waits', async () => {
    const batcher = createMicroBatcher<number, number>({
      maxItems: 1,
      maxWaitMs: 60_000,
      run: async ([item]) => {
        if (item === 1) throw new Error('no');
        return [item!];
      },
    });
    const results = Promise.allSettled([batcher.add(0), batcher.add(1), batcher.add(2)]);
    await batcher.flush();
    expect((await results).map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});

describe('refillMs', () => {
  it('comes back when a quarter of the window will have ended, and within a second', () => {
    expect(refillMs(100, 500, 500)).toBe(625);
    expect(refillMs(500, 1000, 500)).toBe(250);
    expect(refillMs(500, 10, 500)).toBe(50);
    expect(refillMs(14, 1000, 500)).toBe(1000);
    expect(refillMs(0, 1000, 500)).toBe(1000);
    expect(refillMs(0, 1000, 4)).toBe(250);
    expect(refillMs(1, 250, 1)).toBe(62.5);
  });
});

describe('createSharing', () => {
  it('lets the second wait for the first, remembers what was stored, and not what came to nothing', async () => {
    const sharing = createSharing();
    expect(sharing.begin('k')).toBeNull();
    const second = sharing.begin('k');
    sharing.end('k', { kind: 'nothing' });
    expect(await second).toEqual({ kind: 'nothing' });
    expect(sharing.begin('k')).toBeNull();
    sharing.end('k', { kind: 'stored' });
    expect(await sharing.begin('k')).toEqual({ kind: 'stored' });
  });
});

describe('the pace of the relay', () => {
  it('keeps as much ahead as a second works off, and no less than 64', () => {
    const pace = createPace();
    expect(pace.ahead()).toBe(64);
    let depth = 0;
    for (let step = 0; step < 100; step++) {
      pace.observe({ depth, moved: 50 }, 250);
      depth = Math.max(0, depth + 50 - 50);
    }
    // 50 jobs end every 250 ms
    expect(pace.ahead()).toBeGreaterThan(195);
    expect(pace.ahead()).toBeLessThanOrEqual(200);
    for (let step = 0; step < 100; step++) pace.observe({ depth, moved: 0 }, 250);
    expect(pace.ahead()).toBe(64);
  });
});
