import { describe, expect, it } from 'vitest';
import { timeAxis, valueAxis } from '../src/draw/axis.ts';
import { legendBelow, legendOf } from '../src/draw/legend.ts';
import { durationMs, momentMs } from '../src/draw/time.ts';
import { labelsOf, unitOf } from '../src/draw/units.ts';
import { chosenValue, interpolate } from '../src/draw/variables.ts';
import { viewOf, type Answer } from '../src/draw/view.ts';

const labels = (axis: { marks: { label: string }[] }): string[] => axis.marks.map(({ label }) => label);

describe('time', () => {
  it('is read as Grafana writes it', () => {
    const now = Date.parse('2026-03-02T12:00:00Z');
    expect(momentMs('now', now)).toBe(now);
    expect(momentMs('now-3h', now)).toBe(now - 10_800_000);
    expect(momentMs('2026-03-02T11:00:00Z', now)).toBe(now - 3_600_000);
    expect(durationMs('30d')).toBe(2_592_000_000);
    for (const wrong of ['15', 'm', '0s', '1y', '']) expect(() => durationMs(wrong)).toThrow(RangeError);
    expect(() => momentMs('yesterday', now)).toThrow('"yesterday" is no time');
  });
});

describe('variables', () => {
  it('are filled in however they are written, and nothing else is', () => {
    const values = { __rate_interval: '60s', scenario: '.*' };
    expect(interpolate('rate(a{s=~"$scenario", t=~"b$"}[$__rate_interval])', values)).toBe(
      'rate(a{s=~".*", t=~"b$"}[60s])',
    );
    expect(interpolate('${scenario} [[scenario]]', values)).toBe('.* .*');
    expect(() => interpolate('$scenery', values)).toThrow('the variable $scenery has no value');
    expect(() => interpolate('${scenario:csv}', values)).toThrow('asks for a format');
    expect(() => interpolate('$constructor', values)).toThrow('has no value');
  });

  it('stand for all, or for what was chosen', () => {
    const all = { name: 'scenario', allValue: '.*', current: { text: 'All', value: '$__all' } };
    expect(chosenValue(all)).toEqual({ value: '.*', shown: 'All' });
    expect(chosenValue(all, ['bulk-1000'])).toEqual({ value: 'bulk-1000', shown: 'bulk-1000' });
    expect(chosenValue(all, ['a.b', 'c'])).toEqual({ value: String.raw`(a\\.b|c)`, shown: 'a.b, c' });
    expect(() => chosenValue({ ...all, allValue: '' })).toThrow('does not say how all is asked for');
    expect(() => chosenValue({ name: 'x' })).toThrow('$x has no value in the file');
  });
});

describe('units', () => {
  it.each([
    ['s', 0.0123, '12.3 ms'],
    ['s', 5400, '1.50 h'],
    ['s', 0, '0 s'],
    ['ms', 250, '250 ms'],
    ['ms', 12_000, '12 s'],
    ['bytes', 536_870_912, '512 MiB'],
    ['bytes', 900, '900 B'],
    ['decbytes', 512e6, '512 MB'],
    ['percentunit', 0.9731, '97.3%'],
    ['short', 1234, '1.23 K'],
    ['short', 3, '3'],
    ['cpm', 2260, '2.26 K c/m'],
    ['reqps', 0.25, '0.250 req/s'],
  ])('%s of %d is %s', (unit, value, text) => {
    expect(unitOf(unit)(value)).toBe(text);
  });

  it('that are unknown are an error', () => {
    expect(() => unitOf('toString')).toThrow('the unit "toString" is not drawn; there are short, s, ms');
  });

  it('tell the marks of an axis apart with as few digits as do', () => {
    expect(labelsOf([0, 0.5, 1], 's')).toEqual(['0 s', '500 ms', '1 s']);
    expect(labelsOf([0, 0.25, 0.5], 'short')).toEqual(['0.00', '0.25', '0.50']);
    expect(labelsOf([0, 1000, 2000], 'short')).toEqual(['0', '1 K', '2 K']);
    expect(labelsOf([0, 0.5, 1, 1.5], 's')).toEqual(['0 s', '500 ms', '1.0 s', '1.5 s']);
  });
});

describe('axes', () => {
  it('reach to the limit, and beyond it with the values', () => {
    const soft = { softMin: 0, softMax: 0.22 };
    expect(valueAxis([0.01, 0.02], soft, 's', 5)).toMatchObject({ from: 0, to: 0.22 });
    expect(labels(valueAxis([0.01, 0.02], soft, 's', 5))).toEqual(['0 s', '50 ms', '100 ms', '150 ms', '200 ms']);
    expect(valueAxis([0.9], soft, 's', 5).to).toBeGreaterThanOrEqual(0.9);
  });

  it('end where the file says, count bytes in powers of two, and time in minutes', () => {
    expect(valueAxis([0.3], { softMin: 0, max: 1 }, 'percentunit', 5)).toMatchObject({ from: 0, to: 1 });
    expect(labels(valueAxis([0.3], { softMin: 0, max: 1 }, 'percentunit', 5))).toHaveLength(6);
    expect(labels(valueAxis([0], { softMin: 0, softMax: 0 }, 'short', 5)).at(-1)).toBe('1.0');
    expect(labels(valueAxis([400 * 2 ** 20], { softMin: 0 }, 'bytes', 5))).toEqual([
      '0 B',
      '128 MiB',
      '256 MiB',
      '384 MiB',
      '512 MiB',
    ]);
    expect(labels(valueAxis([3600], { softMin: 0 }, 's', 4))).toEqual(['0 s', '20 min', '40 min', '1 h']);
    expect(labels(valueAxis([0, 0], { softMin: 0 }, 'short', 5)).at(-1)).toBe('1.0');
  });

  it('have room for the labels of the time', () => {
    const noon = Date.parse('2026-03-02T12:00:00Z') / 1000;
    expect(labels(timeAxis(noon - 900, noon, 400))).toEqual(['11:45', '11:50', '11:55', '12:00']);
    expect(labels(timeAxis(noon - 30, noon, 400))).toEqual(['11:59:30', '11:59:40', '11:59:50', '12:00:00']);
    expect(labels(timeAxis(noon - 3 * 86_400, noon, 400))).toEqual(['02-28', '03-01', '03-02']);
  });
});

describe('legends', () => {
  it('fill in labels, and name the series where there is no format', () => {
    const series = { __name__: 'up', role: 'api', instance: 'a:1' };
    expect(legendOf('{{role}} {{ instance }}', series, 'up')).toBe('api a:1');
    expect(legendOf('{{nothing}}x', series, 'up')).toBe('x');
    expect(legendOf('', series, 'up')).toBe('up{role="api", instance="a:1"}');
    expect(legendOf('', {}, 'sum(up)')).toBe('sum(up)');
  });

  it('say how many names have no room', () => {
    const items = Array.from({ length: 40 }, (_, index) => ({
      name: `series number ${index}`,
      color: '#000',
      weight: index,
    }));
    const legend = legendBelow(items, 400, 60);
    expect(legend.rows).toBe(3);
    expect(legend.items.length + legend.left).toBe(40);
    expect(legend.left).toBeGreaterThan(20);
    expect(legend.items.at(-1)!.name).toBe('series number 39');
    expect(legendBelow(items.slice(0, 2), 400, 60)).toMatchObject({ rows: 1, left: 0 });
    expect(legendBelow([], 400, 60)).toMatchObject({ rows: 0, left: 0 });
  });
});

describe('a view', () => {
  const query = { refId: 'A', legend: '{{name}}', expr: 'x', startS: 0, endS: 30, stepS: 15 };
  const answer = (series: Record<string, (number | null)[]>): Answer => ({
    query,
    series: Object.entries(series).map(([name, values]) => ({ labels: { name }, values })),
  });
  const area = { range: { fromMs: 0, toMs: 30_000 }, width: 400, height: 260 };
  const gridPos = { x: 0, y: 0, w: 8, h: 8 };
  const custom = { stacking: { mode: 'normal' } };

  it('puts parts of a whole on each other', () => {
    const panel = { type: 'timeseries', gridPos, fieldConfig: { defaults: { unit: 'short', custom } } };
    const view = viewOf(panel, [answer({ a: [1, 2, null], b: [10, 10, 10] })], area);
    expect(view).toMatchObject({
      lines: [
        { name: 'a', values: [1, 2, null], base: [0, 0, null] },
        { name: 'b', values: [11, 12, 10], base: [1, 2, 0] },
      ],
    });
  });

  it('colours a single value by the step that it has reached', () => {
    const steps = [
      { value: null, color: 'red' },
      { value: 1, color: 'green' },
    ];
    const panel = { type: 'stat', gridPos, fieldConfig: { defaults: { unit: 'short', thresholds: { steps } } } };
    const color = (value: number) => viewOf(panel, [answer({ a: [value] })], area);
    expect(color(1)).toMatchObject({ kind: 'stat', value: '1', color: '#1a7f4b' });
    expect(color(0)).toMatchObject({ kind: 'stat', value: '0', color: '#c4162a' });
    expect(viewOf(panel, [answer({})], area)).toEqual({ kind: 'empty' });
    expect(viewOf(panel, [answer({ a: [null] })], area)).toEqual({ kind: 'empty' });
  });
});
