import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIVE_BUDGETS, limitOf } from '../../prometheus/src/live-budgets.ts';
import { yamlOf } from '../../prometheus/src/generate.ts';
import { checkRules, promtool } from '../../prometheus/test/promtool.ts';
import { BUDGETS, budgetOf } from '../../scenarios/budgets.ts';
import { DASHBOARDS_DIR, dashboardTexts } from '../src/generate.ts';
import { filledIn, metricNames } from './expressions.ts';

interface Panel {
  id?: number;
  type: string;
  title?: string;
  description?: string;
  datasource?: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; refId?: string; datasource?: { uid: string } }[];
  fieldConfig?: {
    defaults: {
      unit?: string;
      thresholds?: { steps: { value: number | null; color: string }[] };
      custom?: { thresholdsStyle?: { mode: string } };
    };
  };
}
interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
}

const files = dashboardTexts().map(([name]) => name);
const read = (name: string) => JSON.parse(readFileSync(join(DASHBOARDS_DIR, name), 'utf8')) as Dashboard;
const dashboards = () => files.map(read);
const drawn = ({ panels }: Dashboard): Panel[] => panels.filter(({ type }) => type !== 'row');
const everyPanel = () => dashboards().flatMap(drawn);
const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
/** Where the line of a panel is drawn. */
const lineOf = ({ fieldConfig }: Panel): number | null | undefined =>
  fieldConfig?.defaults.custom?.thresholdsStyle?.mode === 'dashed'
    ? fieldConfig.defaults.thresholds?.steps[1]?.value
    : undefined;
const withMetric = (name: string) => (panel: Panel) => panel.description?.startsWith(`${name}: `) === true;

describe('the dashboards', () => {
  it('are what the generator makes', () => {
    expect(readdirSync(DASHBOARDS_DIR).toSorted()).toEqual(files.toSorted());
    for (const [name, text] of dashboardTexts()) expect(readFileSync(join(DASHBOARDS_DIR, name), 'utf8')).toBe(text);
  });

  it('have ids of their own, and panels that do not overlap or leave the grid', () => {
    expect(new Set(dashboards().map(({ uid }) => uid)).size).toBe(4);
    for (const dashboard of dashboards()) {
      const ids = dashboard.panels.map(({ id }) => id);
      expect(
        ids.every((id) => Number.isInteger(id)),
        `${dashboard.title}`,
      ).toBe(true);
      expect(new Set(ids).size, `${dashboard.title}`).toBe(ids.length);
      const { panels } = dashboard;
      const clashes = panels.flatMap((panel, index) =>
        panels
          .slice(index + 1)
          .flatMap((other) => (overlap(panel, other) ? [`${panel.title} and ${other.title}`] : [])),
      );
      expect(clashes, `${dashboard.title}`).toEqual([]);
      expect(panels.filter(({ gridPos: { x, w } }) => x < 0 || x + w > 24)).toEqual([]);
      const titles = drawn(dashboard).map(({ title }) => title);
      expect(new Set(titles).size, `${dashboard.title}`).toBe(titles.length);
    }
  });

  it('give every panel a unit, a description, a data source and queries with letters', () => {
    const wrong = everyPanel().filter(
      ({ title = '', description = '', datasource, targets = [], fieldConfig }) =>
        title === '' ||
        description.length < 15 ||
        datasource?.uid !== 'prometheus' ||
        fieldConfig?.defaults.unit === undefined ||
        targets.length === 0 ||
        targets.some((target) => target.datasource?.uid !== 'prometheus' || target.refId === undefined) ||
        new Set(targets.map(({ refId }) => refId)).size !== targets.length,
    );
    expect(wrong.map(({ title }) => title)).toEqual([]);
  });

  it('draw every budget that has a metric with its limit', () => {
    const [overview] = dashboards();
    const lines = LIVE_BUDGETS.map(({ budgets: [name] }) => [name, lineOf(drawn(overview!).find(withMetric(name))!)]);
    expect(lines).toEqual(LIVE_BUDGETS.map(({ budgets: [name] }) => [name, limitOf(budgetOf(name))]));
    const bench = drawn(dashboards()[3]!);
    expect(BUDGETS.map(({ name }) => [name, lineOf(bench.find(({ title }) => title === name)!)])).toEqual(
      BUDGETS.map(({ name, limit }) => [name, limit]),
    );
  });

  it('can be told which metrics an expression reads', () => {
    expect(
      metricNames('sum by (le, role) (rate(a_bucket{role="x", b=~"c|d{2}"}[5m] offset 1h)) / on (x) b:c:rate5m > 0.5'),
    ).toEqual(['a_bucket', 'b:c:rate5m']);
    expect(metricNames('time() - max(a) unless b == 1e9 or c * 5')).toEqual(['a', 'b', 'c']);
  });
});

// Where there is none: apt-get install prometheus.
it.skipIf(promtool === undefined)('every expression is one for promtool, and a broken one is not', () => {
  const check = (exprs: readonly string[]) =>
    checkRules(
      yamlOf({ groups: [{ name: 'panels', rules: exprs.map((expr, index) => ({ record: `panel:${index}`, expr })) }] }),
    );
  const exprs = everyPanel().flatMap(({ targets = [] }) => targets.map(({ expr }) => filledIn(expr)));
  expect(exprs.length).toBeGreaterThan(80);
  expect(check(exprs)).toMatchObject({ code: 0 });
  const broken = check([...exprs, 'sum(rate(a[5m])']);
  expect(broken.code).not.toBe(0);
  expect(broken.says).toContain('could not parse expression');
});
