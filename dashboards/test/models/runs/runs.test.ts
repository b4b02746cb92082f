import { describe, expect, it } from 'vitest';
import type { Run } from '#contract/runs.ts';
import { createApi } from '../../../src/models/api.ts';
import { createRunList } from '../../../src/models/runs/RunList.ts';
import { compareRuns, formatUnit, heldOf, historyOf, metricsOf } from '../../../src/models/runs/runs.ts';

const budget = (
  name: string,
  unit: string,
  operator: string,
  limit: number,
  actual: number | null,
): Run['budgets'][number] => ({
  name,
  unit,
  operator,
  limit,
  actual,
  spread: null,
  verdict: actual === null ? 'not-run' : 'pass',
  note: '',
});
const MACHINE = [
  { name: 'CPU', value: 'EPYC' },
  { name: 'cores', value: '2' },
];
const runOf = (number: number, change: Partial<Run> = {}): Run => ({
  id: `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`,
  name: `run ${number}`,
  scenario: 'bulk-1000',
  client: 'optimized',
  verdict: 'pass',
  startedAt: `2026-03-${String(number).padStart(2, '0')}T00:00:00Z`,
  finishedAt: '2026-03-01T00:01:00Z',
  commit: 'abc',
  seed: 1,
  imageCount: 1000,
  simulated: false,
  budgets: [
    budget('ui_settle_ms', 'ms', '<', 2000, 300),
    budget('bulk_calls', 'count', '<=', 10, 4),
    budget('throughput_images_per_minute', 'per-minute', '>=', 10, 2000),
    budget('toasts', 'count', '=', 1, 1),
    budget('worker_rss_bytes', 'bytes', '<', 2e9, 300e6),
    budget('first_paint_ms', 'ms', '<', 3000, null),
  ],
  work: [{ name: 'scenario', value: 'bulk-1000' }],
  machine: MACHINE,
  notes: [],
  hasReport: true,
  ...change,
});
const changed = (run: Run, actuals: Record<string, number | null>): Run => ({
  ...run,
  budgets: run.budgets.map((each) => (each.name in actuals ? { ...each, actual: actuals[each.name]! } : each)),
});
const changesOf = (base: Run, now: Run) =>
  Object.fromEntries(compareRuns(base, now).rows.map(({ name, change }) => [name, change]));

describe('compareRuns', () => {
  it('knows which way is better, and what one run each cannot tell', () => {
    const now = changed(runOf(2), {
      ui_settle_ms: 320,
      bulk_calls: 5,
      throughput_images_per_minute: 3000,
      toasts: 2,
      worker_rss_bytes: 200e6,
    });
    expect(changesOf(runOf(1), now)).toEqual({
      ui_settle_ms: 'same',
      bulk_calls: 'worse',
      throughput_images_per_minute: 'better',
      toasts: 'differs',
      worker_rss_bytes: 'better',
      first_paint_ms: 'missing',
    });
    expect(compareRuns(runOf(1), now).rows[0]).toMatchObject({
      base: 300,
      now: 320,
      ratio: 320 / 300,
      limit: '< 2,000 ms',
    });
  });

  it('compares no time between different machines, and counts all the same', () => {
    const other = changed(runOf(2, { machine: [{ name: 'CPU', value: 'Xeon' }, MACHINE[1]!] }), {
      ui_settle_ms: 900,
      bulk_calls: 9,
    });
    const { machine, rows } = compareRuns(runOf(1), other);
    expect(machine).toEqual([{ name: 'CPU', base: 'EPYC', now: 'Xeon' }]);
    expect(rows.find(({ name }) => name === 'ui_settle_ms')).toMatchObject({ change: 'incomparable', ratio: null });
    expect(rows.find(({ name }) => name === 'throughput_images_per_minute')?.change).toBe('incomparable');
    expect(rows.find(({ name }) => name === 'bulk_calls')).toMatchObject({ change: 'worse', ratio: 9 / 4 });
  });

  it('compares nothing where the work differs', () => {
    const other = runOf(2, { work: [{ name: 'scenario', value: 'soak' }] });
    expect(new Set(Object.values(changesOf(runOf(1), other)))).toEqual(new Set(['incomparable']));
    expect(compareRuns(runOf(1), other).work).toEqual([{ name: 'scenario', base: 'bulk-1000', now: 'soak' }]);
  });
});

describe('historyOf', () => {
  it('goes from the oldest run to the newest, with the limit and a line for each machine', () => {
    const other = [{ name: 'CPU', value: 'Xeon' }];
    const runs = [
      changed(runOf(3, { machine: other }), { ui_settle_ms: 800 }),
      changed(runOf(2), { ui_settle_ms: 310 }),
      changed(runOf(4), { ui_settle_ms: null }),
      runOf(1),
      runOf(5, { scenario: 'soak' }),
      changed(runOf(6, { client: 'naive' }), { ui_settle_ms: 24_000 }),
    ];
    const found = historyOf(runs, 'bulk-1000', 'ui_settle_ms')!;
    expect(found.data.columns).toEqual([
      [1, 2, 3],
      [300, 310, null],
      [null, null, 800],
    ]);
    expect([found.machines, found.unit, found.runs.map(({ name }) => name)]).toEqual([
      2,
      'ms',
      ['run 1', 'run 2', 'run 3'],
    ]);
    expect(found.data.marks).toEqual([{ kind: 'budget', value: 2000, line: 0 }]);
    expect(historyOf(runs, 'bulk-1000', 'first_paint_ms')).toBeNull();
  });
  it('offers the metrics of a scenario', () => {
    expect(metricsOf([runOf(1), runOf(2, { scenario: 'soak', budgets: [] })], 'soak')).toEqual([]);
    expect(metricsOf([runOf(1)], 'bulk-1000')).toContain('toasts');
  });
});

describe('a run', () => {
  it('tells how many of its judged budgets held', () => {
    const failed = { ...budget('x', 'ms', '<', 1, 2), verdict: 'fail' };
    expect(heldOf(runOf(1, { budgets: [...runOf(1).budgets, failed] }))).toEqual({ held: 5, judged: 6 });
  });
  it.each([
    [null, 'ms', '–'],
    [0.97, 'ratio', '97 %'],
    [2260.4, 'per-minute', '2,260.4 /min'],
    [4, 'count', '4'],
    [80.8e6, 'bytes', '80.8 MB'],
  ])('shows %j %s as %s', (value, unit, text) => expect(formatUnit(value, unit)).toBe(text));
});

describe('createRunList', () => {
  it('compares the two runs chosen last, the older one as the base', async () => {
    const items = [runOf(3), runOf(2), runOf(1)];
    const api = createApi({
      onSignedOut: () => {},
      fetch: async () => Response.json({ items, total: 3, limit: 200, offset: 0, unreadable: [] }),
    });
    const list = createRunList({ api });
    await list.load();
    const [newest, middle, oldest] = items as [Run, Run, Run];
    list.choose(oldest.id, true);
    expect(list.pair.value).toBeNull();
    list.choose(newest.id, true);
    expect(list.pair.value).toEqual({ base: oldest.id, now: newest.id });
    list.choose(middle.id, true);
    expect(list.pair.value).toEqual({ base: middle.id, now: newest.id });
    list.choose(middle.id, false);
    expect(list.chosen.value).toEqual([newest.id]);
    expect(list.scenarios.value).toEqual(['bulk-1000']);
  });
});

describe('the noise of a metric', () => {
  const withSpread = (run: Run, spread: number | null): Run => ({
    ...run,
    budgets: run.budgets.map((each) => (each.name === 'ui_settle_ms' ? { ...each, spread } : each)),
  });
  const rowOf = (base: number | null, now: number | null) => {
    const [older, newer] = [withSpread(runOf(1), base), withSpread(changed(runOf(2), { ui_settle_ms: 360 }), now)];
    return compareRuns(older, newer).rows[0]!;
  };

  it('is half the larger spread of the two, and unknown where neither run repeated it', () => {
    expect([rowOf(0.1, 0.3).noise, rowOf(0.2, null).noise, rowOf(null, null).noise]).toEqual([0.15, 0.1, null]);
  });

  it('makes no change of what lies within it', () => {
    // 300 to 360 ms: a fifth
    expect([rowOf(null, 0.3).change, rowOf(null, 0.44).change]).toEqual(['worse', 'same']);
  });
});
