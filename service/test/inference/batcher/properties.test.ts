import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBatcher } from '../../../src/inference/batcher/batcher.ts';
import { padded, type BatchItem, type Entry } from '../../../src/inference/batcher/bucket.ts';

interface Item extends BatchItem {
  /** Fails every batch that it is part of. */
  spoilt: boolean;
  came: number;
}
type End = 'done' | 'failed' | 'expired' | 'cancelled';
type Step =
  | { kind: 'offer'; side: number; priority: number; patience: number; spoilt: boolean }
  | { kind: 'cancel'; which: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'finish'; memory: boolean };

const MOST = 5;
const SLOTS = 3;
const mostAtOnce = ({ width }: { width: number }) => (width >= 512 ? 2 : MOST);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      side: fc.constantFrom(60, 64, 200, 256, 512),
      priority: fc.integer({ min: 0, max: 10 }),
      patience: fc.constantFrom(5, 40, 200, Infinity, Infinity),
      spoilt: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(100) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), memory: fc.boolean() }) },
);

/** Long ones: by default they would hardly fill the queue. */
const manySteps = fc.array(step, { maxLength: 200, size: 'max' });

/**
 * Drives a batcher with a virtual clock through these steps and then to its end, and looks at every batch.
 * @param waits an idle worker waits for company
 */
function drive(steps: readonly Step[], preserveOrder: boolean, waits: boolean) {
  const batcher = createBatcher<Item>({
    maxBatch: MOST,
    maxDelayMs: waits ? 10 : 0,
    maxQueue: 30,
    padTo: 64,
    ageingMs: 20,
    preserveOrder,
    predictMs: (count) => count,
    mostAtOnce,
  });
  let now = 0;
  const accepted = new Map<string, Item>();
  const ends = new Map<string, End>();
  const taken: Item[] = [];
  const running: { items: Item[]; entries: readonly Entry<Item>[] }[] = [];
  const waiting = () =>
    [...accepted.values()].filter((item) => !ends.has(item.id) && !running.some(({ items }) => items.includes(item)));
  const end = (item: Item, how: End) => {
    expect([item.id, ends.get(item.id)]).toEqual([item.id, undefined]);
    ends.set(item.id, how);
  };
  const expire = () => {
    for (const item of batcher.expire(now)) {
      expect(item.deadline).toBeLessThanOrEqual(now);
      end(item, 'expired');
    }
    expect(batcher.nextExpiry()).toBeGreaterThan(now);
  };
  const scoreOf = ({ priority, came }: Item) => priority * 20 - came;
  function dispatch(): void {
    expire();
    while (running.length < SLOTS) {
      const before = waiting();
      const due = batcher.nextDue(now) <= now;
      const batch = batcher.take(now);
      // An idle worker takes what is due, and where it does not wait that is whatever there is.
      expect(batch !== null).toBe(waits ? due : before.length > 0);
      if (!batch) return;
      const { items, shape, entries } = batch;
      expect(items.length).toBeGreaterThan(0);
      expect(items.length).toBeLessThanOrEqual(mostAtOnce(shape));
      for (const item of items) {
        expect(padded(item, 64)).toEqual(shape);
        expect(before).toContain(item);
        expect(item.deadline).toBeGreaterThan(now);
      }
      // Nobody is overtaken for ever: of what is due a worker takes who has priority and waiting time on his side.
      const best = Math.max(...before.map(scoreOf));
      const isFirst = scoreOf(items[0]!) === best;
      expect(isFirst || waits).toBe(true);
      taken.push(...items.filter((item) => !taken.includes(item)));
      running.push({ items, entries });
    }
  }
  function finish(memory: boolean): void {
    const batch = running.shift();
    if (!batch) return;
    const { items, entries } = batch;
    if (!items.some(({ spoilt }) => spoilt)) for (const item of items) end(item, 'done');
    else if (items.length === 1) end(items[0]!, 'failed');
    else batcher.giveBack(entries, memory ? Math.floor(items.length / 2) : 1);
  }
  function offer(id: string, { side, priority, patience, spoilt }: Extract<Step, { kind: 'offer' }>): void {
    const deadline = now + patience;
    const item = { id, width: side, height: side, priority, deadline, spoilt, came: now };
    const expected = batcher.size() < 30 ? null : 'queue-full';
    expect(batcher.offer(item, now)).toBe(expected);
    if (expected === null) accepted.set(id, item);
  }
  for (const [index, one] of steps.entries()) {
    if (one.kind === 'offer') offer(String(index), one);
    else if (one.kind === 'cancel') {
      const item = [...accepted.values()][one.which];
      if (item && batcher.cancel(item.id)) end(item, 'cancelled');
    } else if (one.kind === 'wait') now += one.ms;
    else finish(one.memory);
    dispatch();
    expect(batcher.size()).toBe(waiting().length);
  }
  for (let rounds = 0; running.length > 0 || batcher.size() > 0; rounds++) {
    expect(rounds).toBeLessThan(10_000);
    if (running.length === 0) now = Math.max(now, batcher.nextDue(now));
    finish(false);
    dispatch();
  }
  return { batcher, accepted, ends, taken };
}

it('loses no image and runs none twice, whatever fails, expires, is cancelled or comes too much', () => {
  fc.assert(
    fc.property(manySteps, fc.boolean(), fc.boolean(), (steps, preserveOrder, waits) => {
      const { batcher, accepted, ends } = drive(steps, preserveOrder, waits);
      expect([...ends.keys()].sort()).toEqual([...accepted.keys()].sort());
      for (const [id, how] of ends) expect([id, how === 'failed' && !accepted.get(id)!.spoilt]).toEqual([id, false]);
      for (const [id, how] of ends) expect([id, how === 'done' && accepted.get(id)!.spoilt]).toEqual([id, false]);
      expect(batcher.stats()).toMatchObject({ queued: 0, buckets: 0 });
      const { flushes, executions } = batcher.stats();
      expect(Object.values(flushes).reduce((sum, n) => sum + n, 0)).toBe(executions);
    }),
    { numRuns: 150 },
  );
});

it('keeps the order of coming within a priority where it is asked to', () => {
  fc.assert(
    fc.property(manySteps, fc.boolean(), (steps, waits) => {
      const { taken } = drive(steps, true, waits);
      for (const priority of new Set(taken.map((item) => item.priority))) {
        const order = taken.filter((item) => item.priority === priority).map(({ id }) => Number(id));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 150 },
  );
});
