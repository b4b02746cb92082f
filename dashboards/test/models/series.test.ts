import { describe, expect, it } from 'vitest';
import { createSeries } from '../../src/models/Series.ts';

const NAMES = ['a', 'b'] as const;

describe('createSeries', () => {
  it('is as large after a day as at its start, and holds the last hour', () => {
    const series = createSeries(NAMES);
    const before = series.byteLength;
    for (let second = 1000; second < 1000 + 86_400; second++) series.put(second, { a: second, b: null });
    expect(series.byteLength).toBe(before);
    const { seconds, values } = series.window(NAMES, 10_000);
    expect([seconds.length, seconds[0], seconds.at(-1)]).toEqual([3600, 83_800, 87_399]);
    expect([values.a[0], values.a.at(-1), values.b[0]]).toEqual([83_800, 87_399, null]);
  });

  it('keeps a value at its second, and puts late ones in their places', () => {
    const series = createSeries(NAMES, 10);
    series.put(105, { a: 5 });
    series.put(102, { a: 2 });
    series.put(105, { b: 50 });
    expect(series.newest()).toBe(105);
    expect([series.at('a', 105), series.at('b', 105), series.at('a', 102), series.at('a', 103)]).toEqual([
      5,
      50,
      2,
      null,
    ]);
    series.put(90, { a: 1 });
    expect(series.at('a', 90)).toBeNull();
    series.put(112, { a: 12 });
    expect(series.at('a', 102)).toBeNull();
    series.put(115, { a: 15 });
    expect([series.at('a', 115), series.at('b', 115)]).toEqual([15, null]);
  });

  it('bridges a reading that came late, and leaves longer gaps as gaps', () => {
    const series = createSeries(NAMES, 60);
    series.put(100, { a: 7 });
    series.put(102, { a: 8 });
    series.put(108, { a: 9 });
    expect(series.window(['a'], 9).values.a).toEqual([7, 7, 8, 8, 8, null, null, null, 9]);
  });

  it('has the median of the readings of the last seconds', () => {
    const series = createSeries(NAMES, 60);
    expect(series.median('a', 10)).toBeNull();
    for (const [index, value] of [9, 1, 100, 3].entries()) series.put(100 + index, { a: value });
    expect(series.median('a', 4)).toBe(6);
    expect(series.median('a', 3)).toBe(3);
    expect(series.median('b', 4)).toBeNull();
  });
});
