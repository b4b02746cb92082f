import { describe, expect, it } from 'vitest';
import {
  bucketsOf,
  growth,
  histogramMean,
  parsePrometheus,
  quantileOfBuckets,
  sumOf,
} from '../../src/measure/prometheus.ts';

const TEXT = `# HELP t help
# TYPE t histogram
t_bucket{le="0.05",role="api"} 90
t_bucket{le="0.1",role="api"} 100
t_bucket{le="+Inf",role="api"} 100
t_sum{role="api"} 4
t_count{role="api"} 100
hits_total{path="/a\\"b\\\\c",outcome="hit"} 3
up 1 1700000000000
`;

describe('parsePrometheus', () => {
  it('reads names, escaped labels, values and stamps', () => {
    const samples = parsePrometheus(TEXT);
    expect(samples).toHaveLength(7);
    expect(samples[5]).toEqual({ name: 'hits_total', labels: { path: '/a"b\\c', outcome: 'hit' }, value: 3 });
    expect(samples[6]).toEqual({ name: 'up', labels: {}, value: 1 });
  });
  it('refuses a line that is no sample', () => expect(() => parsePrometheus('<html>')).toThrow(/not a sample/));
});

describe('growth', () => {
  it('subtracts by series, and counts a new one from nothing', () => {
    const before = parsePrometheus('a{x="1"} 5\n');
    const after = parsePrometheus('a{x="2"} 2\na{x="1"} 8\n');
    expect(growth(before, after).map(({ value }) => value)).toEqual([2, 3]);
  });
});

describe('histograms', () => {
  const samples = parsePrometheus(TEXT);
  it('answers the mean over matching series', () => {
    expect(histogramMean(samples, 't')).toBeCloseTo(0.04);
    expect(histogramMean(samples, 't', ({ role }) => role === 'relay')).toBeNull();
  });
  it('interpolates inside a bucket', () => {
    expect(quantileOfBuckets(bucketsOf(samples, 't'), 0.9)).toBeCloseTo(0.05);
    expect(quantileOfBuckets(bucketsOf(samples, 't'), 0.95)).toBeCloseTo(0.075);
  });
  it('merges series before it takes the quantile', () => {
    const two = [
      ...samples,
      ...parsePrometheus('t_bucket{le="0.05"} 0\nt_bucket{le="0.1"} 100\nt_bucket{le="+Inf"} 100\n'),
    ];
    expect(quantileOfBuckets(bucketsOf(two, 't'), 0.5)).toBeCloseTo(0.05 + (0.05 * 10) / 110);
  });
  it('answers the last edge when the quantile lies in the open bucket', () => {
    const open = parsePrometheus('t_bucket{le="1"} 0\nt_bucket{le="+Inf"} 4\n');
    expect(quantileOfBuckets(bucketsOf(open, 't'), 0.95)).toBe(1);
  });
  it('sums by label', () => expect(sumOf(samples, 'hits_total', ({ outcome }) => outcome === 'hit')).toBe(3));
});
