import { describe, expect, it } from 'vitest';
import { budgetOf } from '../../../scenarios/budgets.ts';
import type { Measurement } from '../../src/contract.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { framesOf, isLate, withoutFloors } from '../../src/judge/frames.ts';

const PAN = 'viewer_pan_frame_p95_ms';
const verdictOf = (measured: Measurement) =>
  judgeBudgets({ [PAN]: measured }, [budgetOf(PAN)], { imageCount: 1 })[0]?.verdict;
const sweeps = (p95sMs: number[], plainP95sMs: number[] = []) => ({ p95sMs, plainP95sMs });

describe('framesOf', () => {
  it('is the median of the sweeps, of several kinds of movement the largest, and keeps each sweep', () => {
    expect(framesOf(PAN, sweeps([17, 60, 18]), sweeps([19, 16, 17]))).toEqual({
      actual: 18,
      values: [17, 60, 18, 19, 16, 17],
      sweeps: [
        [17, 60, 18],
        [19, 16, 17],
      ],
    });
  });

  it('has the median of the plain page as its floor, so that late frames of both are inconclusive', () => {
    const late = framesOf(PAN, sweeps([33, 34, 17], [50, 32]));
    expect(late.floor).toEqual({ actual: 32, of: 'a plain page’s frames' });
    expect(verdictOf(late)).toBe('inconclusive');
    expect(verdictOf(framesOf(PAN, sweeps([33, 34, 17], [17, 16.6])))).toBe('fail');
    expect(verdictOf(framesOf(PAN, sweeps([67, 68, 70], [33, 32, 33])))).toBe('fail');
  });

  it('excuses no kind of movement by the machine of another', () => {
    expect(verdictOf(framesOf(PAN, sweeps([50, 50], [33, 33]), sweeps([33, 33], [16.7, 16.7])))).toBe('fail');
    // The other one had a late sweep, and is not late.
    expect(verdictOf(framesOf(PAN, sweeps([50, 50], [33, 33]), sweeps([16.7, 16.7, 33], [16.7])))).toBe('inconclusive');
  });
});

it('is late where the budget is crossed', () => {
  const all = ['frame_p95_ms', 'gallery_frame_p95_ms', PAN, 'storm_page_longest_frame_ms'] as const;
  expect(all.map((name) => [isLate(name, 20), isLate(name, 20.1), isLate(name, 101)])).toEqual([
    [false, true, true],
    [false, true, true],
    [false, true, true],
    [false, false, true],
  ]);
});

it('judges what was planted whatever the machine could do', () => {
  const measured = { [PAN]: framesOf(PAN, sweeps([33], [33])), toasts: { actual: 1 } };
  expect(withoutFloors(measured)).toEqual({
    [PAN]: { actual: 33, values: [33], sweeps: [[33]] },
    toasts: { actual: 1 },
  });
  expect(measured[PAN].floor).toBeDefined();
});
