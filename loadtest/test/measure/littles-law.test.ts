import { describe, expect, it } from 'vitest';
import { countedLaw, holds } from '../../src/measure/identities.ts';
import { boundsOf, byLittle, inServiceOf, staysOf } from '../../src/measure/littles-law.ts';

describe('inServiceOf', () => {
  // A hundred images at once; one ends every 100 ms.
  const rows = Array.from({ length: 100 }, (_, at) => ({ queuedMs: 0, endedMs: 100 * (at + 1) }));
  it('counts in two ways that agree', () => {
    const counted = Array.from({ length: 9 }, (_, at) => ({ atMs: 1000 * (at + 1), left: 90 - 10 * at }));
    const { counted: outside, byLittle } = inServiceOf(staysOf(rows), counted)!;
    expect(byLittle).toBeCloseTo(50.5, 6);
    expect(outside / byLittle).toBeCloseTo(1, 1);
  });
  it('shows a count that is wrong', () => {
    const { counted: outside, byLittle } = inServiceOf(staysOf(rows), [{ atMs: 9000, left: 100 }])!;
    expect(outside / byLittle).toBeGreaterThan(1.5);
  });
  it('knows nothing of no images, or of one look at none', () => {
    expect(inServiceOf(staysOf([]), [])).toBeNull();
    expect(inServiceOf(staysOf(rows), [])).toBeNull();
  });
});

describe('the law of images that somebody counted', () => {
  const rows = Array.from({ length: 100 }, (_, at) => ({ queuedMs: 0, endedMs: 100 * (at + 1) }));
  /** A look each `everyMs`; `more` images too many are counted. */
  const looks = (everyMs: number, more = 0) =>
    Array.from({ length: Math.floor(10_000 / everyMs) }, (_, at) => ({
      atMs: everyMs * (at + 1),
      left: 100 - Math.floor((everyMs * (at + 1)) / 100) + more,
    }));
  const law = (counted: ReturnType<typeof looks>) => countedLaw(staysOf(rows), counted);

  it('holds for counts that are right, and not for counts that are off by a fifth', () => {
    expect(holds(law(looks(50))!)).toBe(true);
    expect(holds(law(looks(500))!)).toBe(true);
    expect(holds(law(looks(50, 11))!)).toBe(false);
  });

  it('is not spoken of where looks leave more than a tenth open, nor of a batch that was over at once', () => {
    expect(holds(law(looks(50).filter(({ atMs }) => atMs < 4000 || atMs > 6000))!)).toBe(true);
    expect(law(looks(50).filter(({ atMs }) => atMs < 1000 || atMs > 6000))).toBeNull();
    expect(countedLaw(staysOf(rows.slice(0, 19)), looks(50))).toBeNull();
  });
});

describe('the law on a machine whose commits are late', () => {
  // Thirty images that end ten at a time, but for the last, each ten in a transaction that is seen `lateMs` after they were written.
  const ends = [...Array.from({ length: 29 }, (_, at) => 500 + 300 * Math.floor(at / 10)), 2400];
  const stays = staysOf(ends.map((endedMs) => ({ queuedMs: 0, endedMs })));
  const looks = (lateMs: number, more = 0) =>
    Array.from({ length: 120 }, (_, at) => {
      const atMs = 20 * at + 13;
      const began = ends.filter((ms) => ms <= atMs && ms + lateMs > atMs).map((ms) => ms - 1);
      const left = ends.filter((ms) => ms + lateMs > atMs).length + more;
      return { atMs, left, sinceMs: Math.min(atMs, ...began) };
    });
  const blind = (counted: ReturnType<typeof looks>) => counted.map(({ atMs, left }) => ({ atMs, left }));

  it('holds for counts that are right, which without knowing of what was being written look wrong', () => {
    expect(holds(countedLaw(stays, looks(100))!)).toBe(true);
    expect(holds(countedLaw(stays, blind(looks(100)))!)).toBe(false);
  });

  it('has what was counted and what was so between its bounds', () => {
    for (const lateMs of [0, 40, 100, 700]) {
      const { least, most } = boundsOf(stays!, looks(lateMs));
      expect(least).toBeLessThanOrEqual(byLittle(stays!));
      expect(most).toBeGreaterThanOrEqual(byLittle(stays!));
    }
  });

  it('still finds a count that is off, and says nothing where too much is open', () => {
    expect(holds(countedLaw(stays, looks(100, 3))!)).toBe(false);
    expect(holds(countedLaw(stays, looks(0, 2))!)).toBe(false);
    expect(countedLaw(stays, looks(700))).toBeNull();
  });
});
