import { describe, expect, it } from 'vitest';
import { median, quantile, summarise } from '../../src/measure/statistics.ts';

describe('quantile', () => {
  it('answers a measured value by nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect([0, 0.2, 0.5, 0.95, 1].map((q) => quantile(values, q))).toEqual([1, 1, 3, 5, 5]);
    expect(median([10, 20])).toBe(10);
  });
  it('leaves its input as it was', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('summarise', () => {
  it('counts and orders the percentiles', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(summarise(values)).toEqual({ count: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99, maxMs: 100 });
  });
  it('answers null when nothing was measured', () => expect(summarise([])).toBeNull());
});
