import { describe, expect, it } from 'vitest';
import { createLatencies } from '../../src/drivers/histogram.ts';
import { createRandom } from '../../src/images/random.ts';
import { arrivals, whyIdle, whyShort, whyShortOf } from '../../src/load/pacing.ts';
import { recoveryMs } from '../../src/load/recovery.ts';

describe('arrivals of an open loop', () => {
  it('come at the rate asked for, in order, the same for a seed', () => {
    const starts = arrivals(500, 20_000, createRandom(7));
    expect(Math.abs(starts.length - 10_000)).toBeLessThan(400);
    expect(starts.every((at, index) => at >= (starts[index - 1] ?? 0) && at < 20_000)).toBe(true);
    expect(arrivals(500, 20_000, createRandom(7))).toEqual(starts);
    expect(arrivals(500, 20_000, createRandom(8))).not.toEqual(starts);
  });

  it('are as irregular as independent clients: gaps spread as wide as they are long', () => {
    const starts = arrivals(200, 60_000, createRandom(3));
    const gaps = starts.slice(1).map((at, index) => at - starts[index]!);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.9);
    expect(deviation / mean).toBeLessThan(1.1);
  });
});

describe('a load that fell short', () => {
  it('is told from one that did not, by what was sent and by how late', () => {
    expect(whyShort(1000, 1000, 3)).toBeUndefined();
    expect(whyShort(985, 1000, 25)).toBeUndefined();
    expect(whyShort(970, 1000, 3)).toMatch(/970 of 1000/);
    expect(whyShort(1000, 1000, 26)).toMatch(/26 ms late/);
    expect(whyShort(0, 0, null)).toMatch(/no request/);
  });

  it('is told of several pieces by all of their requests, not by one piece', () => {
    const piece = (lagsMs: number[]) => {
      const latencies = createLatencies();
      for (const ms of lagsMs) latencies.record('lag', ms);
      return { sent: lagsMs.length, intended: lagsMs.length, hdr: { lag: latencies.encoded('lag')! } };
    };
    const good = piece(Array.from({ length: 500 }, () => 2));
    // Two of 1,010 requests came late: the worst piece alone had a fifth of them late.
    expect(whyShortOf([good, good, piece([1, 1, 1, 1, 1, 1, 1, 1, 90, 90])])).toBeUndefined();
    expect(whyShortOf([good, piece(Array.from({ length: 20 }, () => 90))])).toMatch(/90 ms late/);
    expect(whyShortOf([good, { ...good, sent: 400 }])).toMatch(/900 of 1000/);
    expect(whyShortOf([])).toMatch(/no request/);
  });

  it('is told of a generator that waits for answers by the time that it stood still', () => {
    // A tenth of a second late in each round of five is no other load; a fifth of the time is.
    expect(whyIdle(10 * 100, 10 * 5000)).toBeUndefined();
    expect(whyIdle(360_000, 1_800_000)).toMatch(/stood still for 20 % of the time/);
  });
});

describe('recovery', () => {
  const series = (...p50: (number | null)[]) =>
    p50.map((p50Ms, index) => ({ atMs: index * 500, p50Ms, refused: 0, failed: 0 }));
  const normal = { windowMs: 500, times: 1.5, p50Ms: 10 };

  it('is the end of the last slow window before three good ones', () => {
    expect(recoveryMs(series(11, 12, 9, 10), normal)).toBe(0);
    expect(recoveryMs(series(80, 40, 12, 20, 11, 9, 10), normal)).toBe(2000);
    expect(recoveryMs(series(80, null, 12, 9, 10), normal)).toBe(1000);
  });

  it('has not come while requests are refused, or while it stays slow', () => {
    const refusing = series(9, 9, 9, 9, 9).map((one, index) => ({ ...one, refused: index < 2 ? 1 : 0 }));
    expect(recoveryMs(refusing, normal)).toBe(1000);
    expect(recoveryMs(series(20, 20, 20, 20), normal)).toBeNull();
    expect(recoveryMs(series(9, 9), normal)).toBeNull();
  });
});
