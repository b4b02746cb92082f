import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startLoop, type Loop } from '../../src/batches/loop.ts';
import { loadConfig } from '../../src/config.ts';

/** The sequencer's loop by a clock of its own: what it is woken for is numbered in one window. */
let loop: Loop;
let at: number[];
const URLS = {
  DATABASE_URL: 'postgres://127.0.0.1/x',
  QUEUE_REDIS_URL: 'redis://127.0.0.1',
  CACHE_REDIS_URL: 'redis://127.0.0.1',
};
beforeEach(async () => {
  vi.useFakeTimers();
  const { eventWindowMs: gatherMs } = loadConfig(URLS);
  const startedAt = Date.now();
  at = [];
  const step = async () => void at.push(Date.now() - startedAt);
  loop = startLoop({ everyMs: 10_000, gatherMs, step, onError: () => {} });
  await vi.advanceTimersByTimeAsync(0);
  at.length = 0;
});
afterEach(async () => {
  await loop.stop();
  vi.useRealTimers();
});

it('is 100 ms long, from the first change on, however many follow', async () => {
  loop.wake();
  for (let more = 0; more < 9; more++) {
    await vi.advanceTimersByTimeAsync(11);
    loop.wake();
  }
  expect(at).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(at).toEqual([100]);
});

it('follows the last one after 100 ms where changes never end, and none is empty where there are none', async () => {
  for (let ms = 0; ms < 1_000; ms += 5) {
    loop.wake();
    await vi.advanceTimersByTimeAsync(5);
  }
  expect(at.length).toBeGreaterThanOrEqual(9);
  expect(at.every((time, index) => index === 0 || time - at[index - 1]! >= 100)).toBe(true);
  const before = at.length;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(at.length - before).toBeLessThanOrEqual(1);
});
