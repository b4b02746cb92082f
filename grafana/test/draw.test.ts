import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../loadtest/src/cli/usage-error.ts';
import { LIVE_BUDGETS } from '../../prometheus/src/live-budgets.ts';
import { BUDGETS } from '../../scenarios/budgets.ts';
import { drawAll } from '../src/draw.ts';
import { drawDashboard } from '../src/draw/dashboard.ts';
import type { DashboardFile, FilePanel } from '../src/draw/file.ts';
import { NOT_BY_GRAFANA, pageOf, type Page } from '../src/draw/page.ts';
import { planPanel } from '../src/draw/plan.ts';
import { createPrometheus } from '../src/draw/prometheus.ts';
import { DASHBOARDS_DIR } from '../src/generate.ts';
import { answering, fakePrometheus, saw } from './fake-prometheus.ts';

const files = readdirSync(DASHBOARDS_DIR).map(
  (name) => JSON.parse(readFileSync(join(DASHBOARDS_DIR, name), 'utf8')) as DashboardFile,
);
const file = (uid: string): DashboardFile => files.find((each) => each.uid === uid)!;
const toMs = Date.parse('2026-03-02T12:00:07Z');
const range = { fromMs: toMs - 900_000, toMs };
const SCRAPE_MS = 15_000;
const draw = (of: DashboardFile, ask: typeof fetch = fakePrometheus()) =>
  drawDashboard(of, { prometheus: createPrometheus('http://prometheus', ask), range, scrapeMs: SCRAPE_MS });
const count = (text: string, what: string): number => text.split(what).length - 1;

describe('a dashboard that is drawn', () => {
  it('has every panel of every file, each as what its type says', async () => {
    for (const each of files) {
      const { page, reports } = await draw(each);
      expect(reports.filter(({ error, silent }) => error !== null || silent.length > 0)).toEqual([]);
      expect(page.panels.map(({ title, view }) => [title, view.kind])).toEqual(
        each.panels.map(({ title, type }) => [title, type]),
      );
      const { html } = pageOf(page);
      expect(count(html, '<section class="panel"')).toBe(reports.length);
      expect(count(html, '<svg width=')).toBe(each.panels.filter(({ type }) => type === 'timeseries').length);
      expect(html).toContain(NOT_BY_GRAFANA);
      expect(html).toContain('2026-03-02 11:45 to 2026-03-02 12:00 UTC');
    }
  });

  it('has the line of every budget', async () => {
    const lines = async (uid: string) => {
      const { page } = await draw(file(uid));
      return page.panels.flatMap(({ title, view }) =>
        view.kind === 'timeseries' &&
        count(
          pageOf({ ...page, panels: [{ title, gridPos: file(uid).panels[0]!.gridPos, view }] }).html,
          'class="limit"',
        ) === 1
          ? [title]
          : [],
      );
    };
    expect(await lines('segbench-overview')).toEqual(expect.arrayContaining(LIVE_BUDGETS.map(({ title }) => title)));
    expect(await lines('segbench-bench')).toEqual(expect.arrayContaining(BUDGETS.map(({ name }) => name)));
  });

  it('asks for what its variables and the time stand for', async () => {
    const asked: URLSearchParams[] = [];
    await draw(
      file('segbench-bench'),
      fakePrometheus(answering(saw), (query) => asked.push(query)),
    );
    await draw(
      file('segbench-overview'),
      fakePrometheus(answering(saw), (query) => asked.push(query)),
    );
    const queries = asked.map((query) => query.get('query')!);
    expect(queries.filter((query) => query.includes('$'))).toEqual([]);
    expect(queries).toContain(
      'time() - max by (scenario, client) (segbench_bench_finished_timestamp_seconds{scenario=~".*", client=~".*"})',
    );
    expect(queries).toContain('60 * sum (rate(segbench_events_total{status="completed"}[60s]))');
  });

  it.each([
    [
      'a type that is not drawn',
      { type: 'gauge' },
      'panels of the type "gauge" are not drawn; there are row, timeseries, stat',
    ],
    ['a unit', { fieldConfig: { defaults: { unit: 'furlongs' } } }, 'the unit "furlongs" is not drawn'],
    ['a variable', { targets: [{ expr: 'up{job="$nowhere"}' }] }, 'the variable $nowhere has no value'],
    [
      'a colour',
      { fieldConfig: { defaults: { thresholds: { steps: [{ value: null, color: 'puce' }] } } } },
      'the colour "puce" is not drawn',
    ],
  ])('says of a panel with %s what is wrong, and draws the others', async (_, change, message) => {
    const whole = file('segbench-overview');
    const at = whole.panels.findIndex(({ type }) => type === 'stat');
    const panels = whole.panels.with(at, { ...whole.panels[at], ...change } as FilePanel);
    const { page, reports } = await draw({ ...whole, panels });
    const wrong = reports.filter(({ error }) => error !== null);
    expect(wrong.map(({ title }) => title)).toEqual(['Images a minute']);
    expect(wrong[0]!.error).toContain(message);
    expect(page.panels[at]!.view).toMatchObject({ kind: 'error' });
    expect(count(pageOf(page).html, 'class="middle error"')).toBe(1);
  });

  it('tells panels without a number, and queries of a panel that has others', async () => {
    const quiet = fakePrometheus((expr) =>
      expr.includes('segbench_shed')
        ? []
        : expr.includes('segbench_event_readers_behind')
          ? [{ metric: {}, at: () => Number.NaN }]
          : answering(saw)(expr),
    );
    const { page, reports } = await draw(file('segbench-overview'), quiet);
    const told = reports
      .filter(({ silent }) => silent.length > 0)
      .map(({ title, empty, silent }) => [title, empty, silent]);
    expect(told).toEqual([
      ['Refused because busy', true, ['A ({{reason}}): no series']],
      ['Sockets', false, ['C (behind): 1 series without a number']],
    ]);
    expect(count(pageOf(page).html, 'No data')).toBe(1);
  });
});

describe('drawing all of them', () => {
  const all = async (more: Partial<Parameters<typeof drawAll>[0]> & { ask?: typeof fetch } = {}) => {
    const said: string[] = [];
    const written: [string, Page][] = [];
    const drawn = await drawAll({
      prometheus: createPrometheus('http://prometheus', more.ask ?? fakePrometheus()),
      out: '.',
      scrapeMs: SCRAPE_MS,
      rangeOf: () => range,
      say: (line) => said.push(line),
      write: (page, path) => {
        written.push([path, page]);
        return Promise.resolve(1000);
      },
      ...more,
    });
    return { drawn, said, written };
  };

  it('writes one picture each, and has nothing to say where all is well', async () => {
    const { drawn, said, written } = await all();
    expect(drawn).toBe(true);
    expect(written.map(([path]) => path)).toEqual(
      ['bench', 'inference', 'overview', 'servers'].map((name) => `dashboard-${name}.webp`),
    );
    expect(said).toHaveLength(4);
  });

  it('fails with Prometheus’ words where one query is refused, and names the panel', async () => {
    const ask = fakePrometheus((expr) => {
      if (expr.includes('segbench_queue_paused')) throw new Error('invalid parameter "query": no such thing');
      return answering(saw)(expr);
    });
    const { drawn, said } = await all({ ask, only: ['segbench-servers'] });
    expect(drawn).toBe(false);
    expect(said).toEqual([
      expect.stringContaining('dashboard-servers.webp'),
      '  error in "Images": invalid parameter "query": no such thing',
    ]);
  });

  it('refuses dashboards and variables that there are not', async () => {
    await expect(all({ only: ['segbench-nothing'] })).rejects.toThrow(UsageError);
    await expect(all({ chosen: { scenery: ['x'] } })).rejects.toThrow('no dashboard has the variable "scenery"');
  });
});

describe('what a panel asks', () => {
  const panel = (title: string) => file('segbench-overview').panels.find((each) => each.title === title)!;

  it('is over whole steps, as many as pixels have, and not more than scrapes', () => {
    const around = { scrapeMs: SCRAPE_MS, variables: {} };
    const [short] = planPanel(panel('CPU'), 400, { ...around, range });
    expect(short).toMatchObject({ stepS: 15, startS: range.fromMs / 1000 - 7, endS: toMs / 1000 - 7 });
    expect(short!.expr).toContain('[60s]');
    const [long] = planPanel(panel('CPU'), 400, { ...around, range: { fromMs: toMs - 30 * 86_400_000, toMs } });
    expect(long).toMatchObject({ stepS: 7200 });
    expect(long!.expr).toContain('[7215s]');
  });

  it('is one moment for a single value', () => {
    const [now] = planPanel(panel('Waiting'), 200, { scrapeMs: SCRAPE_MS, variables: {}, range });
    expect(now).toMatchObject({ expr: 'max(segbench_queue_depth)', startS: toMs / 1000, endS: toMs / 1000 });
    expect(now!.stepS).toBeUndefined();
  });
});
