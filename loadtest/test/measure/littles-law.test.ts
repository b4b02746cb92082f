import { describe, expect, it } from 'vitest';
import { countedLaw, holds } from '../../src/measure/identities.ts';
import { inServiceOf, staysOf } from '../../src/measure/littles-law.ts';

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

  it('is not spoken of where nobody looked for a tenth of the time, nor of a batch that was over at once', () => {
    expect(law(looks(50).filter(({ atMs }) => atMs < 4000 || atMs > 6000))).toBeNull();
    expect(countedLaw(staysOf(rows.slice(0, 19)), looks(50))).toBeNull();
  });
});
