import { describe, expect, it } from 'vitest';
import { createWindow, percentile } from '../src/windows.ts';

describe('createWindow', () => {
  it('forgets what is older than a minute', () => {
    let now = 0;
    const window = createWindow(100, () => now);
    window.record(100, true, 'a');
    now = 30_000;
    window.record(10, false, 'b');
    expect(window.read()).toMatchObject({ count: 2, perMinute: 4, meanMs: 55, errorRate: 0.5 });
    now = 70_000;
    expect(window.read()).toMatchObject({ count: 1, perMinute: 1, meanMs: 10, errorRate: 0 });
    expect(window.read().byLabel).toEqual([{ label: 'b', count: 1, meanMs: 10, errorRate: 0 }]);
  });

  it('shortens when more happens than it holds, and keeps the rate', () => {
    let now = 0;
    const window = createWindow(10, () => now);
    for (let index = 0; index < 100; index++) {
      window.record(1, false, 'a');
      now += 100;
    }
    const { count, perMinute } = window.read();
    expect(count).toBe(10);
    expect(perMinute).toBe(600);
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.95, 0.99, 1].map((quantile) => percentile(values, quantile))).toEqual([50, 95, 99, 100]);
    expect(percentile([], 0.5)).toBe(0);
  });
});
