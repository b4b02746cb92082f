import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportPlot, StageSummary } from '../../src/contract.ts';
import { linesChart } from '../../src/report/charts/lines.ts';
import { lookOf, spread } from '../../src/report/charts/looks.ts';
import { phasesChart } from '../../src/report/charts/phases.ts';
import { sparkline } from '../../src/report/charts/sparkline.ts';
import { spreadOfStages, waterfall } from '../../src/report/charts/stages.ts';
import { MEMORY, NASTY } from './results.ts';
import { wellFormed } from './well-formed.ts';

const many = (count: number, value = (at: number) => at): ReportPlot => ({
  ...MEMORY,
  series: Array.from({ length: count }, (_, at) => ({
    name: `process ${at}`,
    points: Array.from({ length: 40 }, (__, x): [number, number] => [x, value(at)]),
  })),
});
const stage = (p50Ms: number): StageSummary => ({
  count: 10,
  p50Ms,
  p95Ms: p50Ms * 2,
  p99Ms: p50Ms * 3,
  maxMs: p50Ms * 4,
  cpuMsPerImage: null,
});
const STAGES = {
  upload: stage(7),
  wait: stage(9000),
  decode: stage(3),
  infer: stage(20),
  publish: stage(100),
  settle: stage(5),
};
const PHASES = [
  { name: 'upload', startedAt: '2026-01-02T03:04:06.000Z', durationMs: 9000 },
  { name: 'batch', startedAt: '2026-01-02T03:04:15.000Z', durationMs: 24_000 },
];
/** Corners of the n-th drawn line. */
const corners = (svg: string, at = 0): number[][] => {
  const lines = [...svg.matchAll(/aria-label="line"[^]*? d="([^"]*)"/g)];
  return [...(lines[at]?.[1] ?? '').matchAll(/[ML]([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
};
const heightOfLimit = (svg: string): number =>
  Number(/aria-label="rule"[^]*?<line[^>]* y1="([\d.]+)"/.exec(svg)?.[1] ?? /translate\(0,([\d.]+)\)/.exec(svg)?.[1]);

describe('a chart of lines', () => {
  it('draws greater values higher, and the limit above what is below it', () => {
    const chart = linesChart(MEMORY);
    const [[, first] = [], [, second] = []] = corners(chart);
    expect(second).toBeLessThan(first!);
    expect(heightOfLimit(chart)).toBeLessThan(second!);
    expect(chart).toContain('limit 400 B');
  });

  it('has 35 lines of which no two have the same dash and the same symbol', () => {
    const looks = Array.from({ length: 35 }, (_, at) => lookOf(at));
    expect(new Set(looks.map(({ strokeDasharray, symbol }) => `${strokeDasharray}/${symbol}`)).size).toBe(35);
    const chart = linesChart(many(9));
    const dashes = [...chart.matchAll(/<g ([^>]*)aria-label="line">/g)].map(
      ([, attributes]) => /stroke-dasharray="([^"]*)"/.exec(attributes ?? '')?.[1],
    );
    expect(dashes.slice(0, 6)).toEqual([undefined, '7 3', '2 3', '9 3 2 3', '14 4', undefined]);
  });

  it('names each line at its end, no two names on each other', () => {
    const chart = linesChart(many(9, () => 5));
    const names = [...chart.matchAll(/<text[^>]* transform="translate\([\d.]+,([\d.]+)\)"[^>]*>process \d<\/text>/g)];
    const places = names.map(([, y]) => Number(y)).toSorted((one, other) => one - other);
    expect(places).toHaveLength(9);
    expect(Math.min(...places.slice(1).map((y, at) => y - places[at]!))).toBeGreaterThan(12);
  });

  it('says which series has no points, and so when nothing was measured', () => {
    expect(linesChart({ ...MEMORY, series: [{ name: 'api', points: [] }] })).toContain('No point was measured');
    expect(linesChart({ ...MEMORY, series: [...MEMORY.series, { name: 'relay', points: [] }] })).toContain(
      'No points: relay.',
    );
  });

  it('counts time in a unit of which there are few', () => {
    const hours = linesChart({
      ...MEMORY,
      series: [
        {
          name: 'api',
          points: [
            [0, 1],
            [8 * 3_600_000, 2],
          ],
        },
      ],
    });
    expect(hours).toContain('time, h');
  });

  it('has bands beneath it on the same axis, each with its most', () => {
    const series = ['infer', 'save'].map((name, at) => ({
      name,
      points: [0, 500, 1000].map((x): [number, number] => [x, at + x / 1000]),
    }));
    const chart = linesChart({ ...MEMORY, bands: { name: 'images', unit: 'count', series } });
    const [lines = '', bands = ''] = chart.split('</figure>');
    expect(bands).toContain('>infer</text>');
    expect(bands).toContain('>at most 2</text>');
    const ends = (svg: string) => [corners(svg).at(0)?.[0], corners(svg).at(-1)?.[0]];
    expect(ends(bands)).toEqual(ends(lines));
  });
});

describe('places of names', () => {
  it('keep their order and their distance, below the top', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 20 }), (given) => {
        const wanted = given.toSorted((one, other) => one - other);
        const places = spread(wanted, 4, 100);
        expect(Math.max(...places)).toBeLessThanOrEqual(100);
        for (const [at, place] of places.slice(1).entries()) expect(place - places[at]!).toBeGreaterThan(4 - 1e-9);
      }),
    );
  });

  it('are where they were wanted when there is room', () => {
    expect(spread([10, 50, 90], 4, 100)).toEqual([10, 50, 90]);
  });
});

describe('charts of stages and phases', () => {
  it('puts one stage behind the other, and says what is so long that it would hide them', () => {
    const chart = waterfall(STAGES);
    const names = [...chart.matchAll(/>(upload|wait|decode|infer|publish|settle)<\/text>/g)].map(([, name]) => name);
    expect(names).toEqual(['decode', 'infer', 'publish']);
    expect(chart).toContain('wait is 98.7 % of the whole and not drawn: p50 9,000 ms, p95 18 s, p99 27 s.');
    expect(chart).toContain('100 ms · 200 ms · 300 ms');
    expect(waterfall({})).toBe('');
  });

  it('tells percentiles by shape', () => {
    const chart = spreadOfStages(STAGES);
    const dots = /<g [^>]*aria-label="dot">[^]*?<\/g>/.exec(chart)?.[0] ?? '';
    expect(new Set([...dots.matchAll(/ d="([^"]*)"/g)].map(([, shape]) => shape)).size).toBe(4);
    expect(chart).toContain('● p50, ■ p95, ▲ p99, ◆ slowest');
  });

  it('has a bar and a time for each phase, two of one name as well', () => {
    const chart = phasesChart({ phases: [...PHASES, { ...PHASES[1]!, startedAt: '2026-01-02T03:05:00.000Z' }] });
    expect([...chart.matchAll(/>batch<\/text>/g)]).toHaveLength(2);
    expect([...chart.matchAll(/>24 s<\/text>/g)]).toHaveLength(2);
    expect(phasesChart({ phases: [] })).toContain('No phase was reached');
  });
});

const ALL = {
  lines: linesChart(many(10)),
  bands: linesChart({ ...many(1), bands: { name: NASTY, unit: 'count', series: many(3).series } }),
  nasty: linesChart({
    ...MEMORY,
    title: NASTY,
    y: { ...MEMORY.y, name: NASTY },
    series: [{ ...MEMORY.series[0]!, name: NASTY }, ...MEMORY.series],
  }),
  one: linesChart({ ...MEMORY, series: [{ name: 'api', points: [[5, 5]] }] }),
  waterfall: waterfall({ ...STAGES, [NASTY]: stage(1) }),
  stages: spreadOfStages({ ...STAGES, none: stage(0) }),
  phases: phasesChart({ phases: [...PHASES, { ...PHASES[0]!, name: NASTY }] }),
  sparkline: sparkline([3, 1, 2]),
  flat: sparkline([1, 1, 1]),
};

describe('every chart', () => {
  it.each(Object.entries(ALL))('is well-formed, loads nothing and has every number (%s)', (_, chart) => {
    wellFormed(`<body>${chart}</body>`);
    expect(chart).not.toMatch(/<script|<style|<link|https?:|url\(|NaN|Infinity|undefined/);
    expect(chart).toContain('<figure role="img" aria-label="');
  });

  it('is the same text each time', () => {
    expect(linesChart(many(10))).toBe(ALL.lines);
    expect(phasesChart({ phases: PHASES })).toBe(phasesChart({ phases: structuredClone(PHASES) }));
  });
});
