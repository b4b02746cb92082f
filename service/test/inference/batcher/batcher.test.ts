import { describe, expect, it } from 'vitest';
import { createBatcher, type BatcherOptions } from '../../../src/inference/batcher/batcher.ts';
import type { BatchItem } from '../../../src/inference/batcher/bucket.ts';

const start = (options: Partial<BatcherOptions> = {}) =>
  createBatcher<BatchItem>({
    maxBatch: 4,
    maxDelayMs: 10,
    maxQueue: 100,
    padTo: 64,
    ageingMs: 1000,
    predictMs: (count) => 20 + 5 * count,
    ...options,
  });
const item = (id: string, more: Partial<BatchItem> = {}): BatchItem => ({
  id,
  width: 256,
  height: 256,
  priority: 0,
  deadline: Infinity,
  ...more,
});
type Batcher = ReturnType<typeof start>;
const offer = (batcher: Batcher, ids: string, now: number, more: Partial<BatchItem> = {}) =>
  ids.split('').map((id) => batcher.offer(item(id, more), now));
const take = (batcher: Batcher, now: number) => {
  const batch = batcher.take(now);
  return batch && `${batch.items.map(({ id }) => id).join('')} ${batch.reason}`;
};

it('a batch has images of one group only', () => {
  const batcher = start({ maxDelayMs: 0 });
  offer(batcher, 'ab', 0, { group: 'model 1' });
  offer(batcher, 'c', 0, { group: 'model 2' });
  offer(batcher, 'd', 0, { group: 'model 1' });
  expect([take(batcher, 0), take(batcher, 0), take(batcher, 0)]).toEqual(['abd idle', 'c idle', null]);
  expect(batcher.stats().buckets).toBe(0);
});

describe('a batch goes', () => {
  it('when it is full, and no larger', () => {
    const batcher = start();
    offer(batcher, 'abcde', 0);
    expect([take(batcher, 0), take(batcher, 0)]).toEqual(['abcd size', null]);
    expect(batcher.size()).toBe(1);
  });

  it('at once to an idle worker when no delay is set', () => {
    const batcher = start({ maxDelayMs: 0 });
    offer(batcher, 'a', 0);
    expect([batcher.nextDue(0), take(batcher, 0), take(batcher, 0)]).toEqual([0, 'a idle', null]);
    expect(batcher.stats().flushes).toEqual({ size: 0, idle: 1, delay: 0, deadline: 0 });
  });

  it('when its first has waited for the delay, not a moment before', () => {
    const batcher = start();
    offer(batcher, 'a', 0);
    offer(batcher, 'b', 5);
    expect(batcher.nextDue(5)).toBe(10);
    expect([take(batcher, 9.9), take(batcher, 10)]).toEqual([null, 'ab delay']);
    expect(batcher.nextDue(10)).toBe(Infinity);
  });

  it('when one of it would be late otherwise, by what its execution is predicted to take', () => {
    const batcher = start({ maxDelayMs: 10_000 });
    offer(batcher, 'a', 0);
    offer(batcher, 'b', 0, { deadline: 100 });
    expect(batcher.nextDue(0)).toBe(100 - 30);
    expect([take(batcher, 69), take(batcher, 70)]).toEqual([null, 'ab deadline']);
  });

  it('with the one that would be late, though others were first, and with the first of all', () => {
    const batcher = start({ maxDelayMs: 10_000, maxBatch: 3 });
    offer(batcher, 'abcde', 0);
    offer(batcher, 'z', 1, { deadline: 50 });
    expect([take(batcher, 20), take(batcher, 20)]).toEqual(['abz size', 'cde size']);
  });

  it('for one shape after padding only', () => {
    const batcher = start({ maxDelayMs: 0 });
    offer(batcher, 'a', 0, { width: 200, height: 250 });
    offer(batcher, 'b', 0, { width: 257 });
    offer(batcher, 'c', 0, { width: 193, height: 193 });
    const first = batcher.take(0)!;
    expect([first.items.map(({ id }) => id), first.shape]).toEqual([['a', 'c'], { width: 256, height: 256 }]);
    expect(batcher.take(0)!.shape).toEqual({ width: 320, height: 256 });
  });
});

describe('who is first', () => {
  it('is who has the higher priority, and before that who came first', () => {
    const batcher = start({ maxBatch: 2 });
    offer(batcher, 'ab', 0);
    offer(batcher, 'yz', 1, { priority: 5 });
    expect([take(batcher, 1), take(batcher, 1)]).toEqual(['yz size', 'ab size']);
  });

  it('is at last who has waited longest, however many come with a higher priority', () => {
    const batcher = start({ maxBatch: 1, ageingMs: 100 });
    batcher.offer(item('old'), 0);
    const taken: string[] = [];
    for (let now = 1; !taken.includes('old'); now += 10) {
      batcher.offer(item(`urgent-${now}`, { priority: 10 }), now);
      taken.push(batcher.take(now)!.items[0]!.id);
      expect(now).toBeLessThan(1100);
    }
    // Ten steps of priority are worth ten times the ageing.
    expect(taken.length).toBe(101);
  });

  it('also is so between shapes', () => {
    const batchers = [start({ maxDelayMs: 0 }), start()];
    for (const batcher of batchers) {
      offer(batcher, 'abcd', 1);
      offer(batcher, 'z', 0, { width: 512 });
    }
    const taken = batchers.map((batcher) => [1, 1, 10].map((now) => take(batcher, now)));
    expect(taken).toEqual([
      ['z idle', 'abcd size', null],
      // What waits for company holds up nobody.
      ['abcd size', null, 'z delay'],
    ]);
  });

  it('stays so over all shapes where order is kept', () => {
    const batcher = start({ preserveOrder: true, maxDelayMs: 0 });
    offer(batcher, 'ab', 0);
    offer(batcher, 'x', 1, { width: 512 });
    offer(batcher, 'cd', 2);
    const taken = [0, 1, 2].map(() => take(batcher, 2));
    expect(taken).toEqual(['ab size', 'x size', 'cd idle']);
  });

  it('does not wait for company that cannot come where order is kept', () => {
    const batcher = start({ preserveOrder: true });
    offer(batcher, 'x', 0, { width: 512, priority: 1 });
    offer(batcher, 'abcd', 0);
    // The one in front cannot grow any more, and the full bucket behind it does not wait for its delay.
    expect([batcher.nextDue(0), take(batcher, 0), take(batcher, 0)]).toEqual([0, 'x size', 'abcd size']);
    expect(batcher.nextDue(0)).toBe(Infinity);
  });
});

describe('an image', () => {
  it('is refused at once when there is no place, time or memory for it, and says which', () => {
    const batcher = start({ maxQueue: 2, mostAtOnce: ({ width }) => (width > 1000 ? 0 : 4) });
    expect(offer(batcher, 'abc', 0)).toEqual([null, null, 'queue-full']);
    expect(batcher.offer(item('late', { deadline: 0 }), 0)).toBe('expired');
    expect(batcher.offer(item('huge', { width: 1001 }), 0)).toBe('too-large');
    batcher.close();
    expect(batcher.waiting().map(({ id }) => id)).toEqual(['a', 'b']);
    expect(batcher.offer(item('after'), 0)).toBe('closed');
    expect(batcher.stats().rejects).toEqual({ 'queue-full': 1, expired: 1, 'too-large': 1, closed: 1 });
  });

  it('expires on time though no worker ever frees', () => {
    const batcher = start();
    offer(batcher, 'a', 0, { deadline: 50 });
    offer(batcher, 'b', 0, { deadline: 60, width: 512 });
    offer(batcher, 'c', 0);
    expect(batcher.nextExpiry()).toBe(50);
    expect(batcher.expire(49)).toEqual([]);
    expect(batcher.expire(55).map(({ id }) => id)).toEqual(['a']);
    expect([batcher.nextExpiry(), batcher.size(), batcher.stats().expired]).toEqual([60, 2, 1]);
  });

  it('leaves before it is run when it is cancelled, once', () => {
    const batcher = start({ maxDelayMs: 0 });
    offer(batcher, 'ab', 0);
    expect([batcher.cancel('a'), batcher.cancel('a'), batcher.cancel('nobody')]).toEqual([true, false, false]);
    expect(take(batcher, 0)).toBe('b idle');
    expect(batcher.cancel('b')).toBe(false);
  });

  it('that spoils a batch is found alone, and its mates go before those who came later', () => {
    const batcher = start();
    offer(batcher, 'abcdef', 0);
    const spoilt = batcher.take(0)!;
    batcher.giveBack(spoilt.entries, 1);
    const taken = Array.from({ length: 5 }, () => take(batcher, 1));
    expect(taken).toEqual(['a size', 'b size', 'c size', 'd size', null]);
    expect(take(batcher, 10)).toBe('ef delay');
  });

  it('is given back in halves when memory was short, and waits a second time even in a full queue', () => {
    const batcher = start({ maxQueue: 4 });
    offer(batcher, 'abcd', 0);
    const large = batcher.take(0)!;
    offer(batcher, 'efgh', 1);
    batcher.giveBack(large.entries, 2);
    expect([1, 2, 3].map(() => take(batcher, 1))).toEqual(['ab size', 'cd size', 'efgh size']);
    expect(() => batcher.giveBack([], 0)).toThrow('most is 0: expected an integer from 1');
  });

  it('cannot wait twice', () => {
    const batcher = start();
    offer(batcher, 'a', 0);
    expect(() => batcher.offer(item('a'), 0)).toThrow('id a waits already');
  });
});

it('is as large as memory bears', () => {
  const batcher = start({ maxDelayMs: 0, mostAtOnce: ({ width }) => (width > 256 ? 2 : 8) });
  offer(batcher, 'abc', 0, { width: 512 });
  offer(batcher, 'uvwxy', 0);
  expect([1, 2, 3, 4].map(() => take(batcher, 0))).toEqual(['ab size', 'c idle', 'uvwx size', 'y idle']);
  expect(batcher.stats()).toMatchObject({ executions: 4, inferences: 8, meanBatch: 2, fill: 8 / 12 });
});

it.each([
  [{ maxBatch: 0 }, 'maxBatch is 0: expected an integer from 1'],
  [{ maxQueue: 1.5 }, 'maxQueue is 1.5: expected an integer from 1'],
  [{ maxDelayMs: -1 }, 'maxDelayMs is -1: expected a number from 0'],
  [{ ageingMs: NaN }, 'ageingMs is NaN: expected a number from 0'],
])('takes no %j', (options, message) => expect(() => start(options)).toThrow(message));
