import { describe, expect, it } from 'vitest';
import { histogramOf, PER_OCTAVE as WRITTEN } from '../../../../loadtest/src/measure/log-histogram.ts';
import { msOf, PER_OCTAVE, stagePairs, stepsOf } from '../../../src/models/runs/histograms.ts';

const stage = (name: string, valuesMs: number[]) => ({
  name,
  count: valuesMs.length,
  p50Ms: valuesMs[0]!,
  p95Ms: valuesMs.at(-1)!,
  p99Ms: valuesMs.at(-1)!,
  histogram: histogramOf(valuesMs),
});

describe('stagePairs', () => {
  it('has the stages of both over one axis, as shares', () => {
    const base = {
      stages: [stage('infer', [1, 1, 2, 2]), stage('old', [1]), { ...stage('wait', [1]), histogram: [] }],
    };
    const now = { stages: [stage('wait', [1]), stage('new', [1]), stage('infer', [2, 2, 2, 4, 4, 4, 4, 4])] };
    const pairs = stagePairs(base, now);
    expect(pairs.map(({ name }) => name)).toEqual(['infer']);
    expect(pairs[0]).toMatchObject({ low: -4, high: 2 * PER_OCTAVE + 5, top: 0.625 });
  });

  it('reads bins as the bench writes them', () => {
    expect(PER_OCTAVE).toBe(WRITTEN);
    const [[bin]] = histogramOf([12]) as [[number, number]];
    expect([msOf(bin) <= 12, msOf(bin + 1) > 12]).toEqual([true, true]);
  });
});

describe('stepsOf', () => {
  it('draws each share as high as it is, and comes back to the floor', () => {
    const { histogram, ...rest } = stage('infer', [1, 1, 1, 2]);
    expect(histogram).toEqual([
      [0, 3],
      [8, 1],
    ]);
    const axis = { low: -2, high: 10, top: 0.75 };
    expect(stepsOf({ ...rest, histogram }, axis, 120, 60)).toBe('M0 60H20V0H30V60H100V40H110V60H120V60Z');
  });
});
