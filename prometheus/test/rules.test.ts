import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leastEvents, pairsOf, isShare } from '../src/burn.ts';
import { LIMITS_FILE, limitsText, RULES_DIR, ruleTexts } from '../src/generate.ts';
import { alertNameOf, LIVE_BUDGETS, limitOf } from '../src/live-budgets.ts';
import { DEFAULTS, isAlert, type AlertRule } from '../src/rule.ts';
import { ruleFiles } from '../src/rules.ts';
import { budgetOf } from '../../scenarios/budgets.ts';
import { budgetCases, drivenBudgets, fewEvents, slowRecovery } from './budget-cases.ts';
import { checkRules, promtool, runPromtool, testRules, type Case } from './promtool.ts';
import { gauge } from './series.ts';
import { WAKE_CASES } from './wake-cases.ts';

const PROMETHEUS_DIR = join(import.meta.dirname, '..');
const RUNBOOKS = join(import.meta.dirname, '../../docs/runbooks.md');
const alerts = (hurry = 1): AlertRule[] =>
  Object.values(ruleFiles({ ...DEFAULTS, hurry }))
    .flat()
    .flatMap(({ rules }) => rules.filter(isAlert));
const names = () => [...new Set(alerts().map(({ alert }) => alert))];
const rulesFile = (name: string) => join(RULES_DIR, name);

describe('the rule files', () => {
  it('are what the generator makes of the budgets', () => {
    const texts = Object.fromEntries(ruleTexts());
    expect(readdirSync(RULES_DIR).toSorted()).toEqual(Object.keys(texts).toSorted());
    for (const [name, text] of Object.entries(texts))
      expect(readFileSync(rulesFile(name), 'utf8'), `${name}`).toBe(text);
    expect(readFileSync(LIMITS_FILE, 'utf8')).toBe(limitsText());
  });

  it('have an alert for every live budget, six and one that wake somebody, and one more for the morning', () => {
    const pages = alerts().filter(({ labels }) => labels.severity === 'page');
    expect(pages.map(({ alert }) => alert)).toEqual([
      'SegbenchOldestJob',
      'SegbenchNoProgress',
      'SegbenchFailureRatio',
      'SegbenchDisk',
      'SegbenchWorkerSilent',
      'SegbenchQueueMemory',
      'SegbenchProcessDown',
    ]);
    const tickets = new Set(
      alerts()
        .filter(({ labels }) => labels.severity === 'ticket')
        .map(({ alert }) => alert),
    );
    expect([...tickets]).toEqual([...LIVE_BUDGETS.map(alertNameOf), 'SegbenchWebhooksWaiting']);
  });

  it('hold budgets that share an alert to one limit', () => {
    for (const { budgets } of LIVE_BUDGETS)
      for (const name of budgets) expect(limitOf(budgetOf(name)), `${name}`).toBe(limitOf(budgetOf(budgets[0])));
  });

  it('have no window that a budget cannot exceed, and a guard that grows with what the budget allows', () => {
    const shares = LIVE_BUDGETS.filter(isShare);
    for (const budget of shares) {
      expect(pairsOf(budget).length, `${budget.title}`).toBeGreaterThan(2);
      for (const { rate } of pairsOf(budget)) expect(rate * (1 - budget.objective)).toBeLessThan(1);
      expect(leastEvents(budget, 1) * (1 - budget.objective)).toBeGreaterThan(4.9);
    }
    const cache = shares.find(({ budgets: [name] }) => name === 'cache_hit_ratio')!;
    expect(pairsOf(cache).map(({ rate }) => rate)).toEqual([6, 3, 1]);
  });

  it('are hurried only where somebody waits, for showing them live', () => {
    const of = (name: string, hurry?: number) => alerts(hurry).find(({ alert }) => alert === name)!;
    expect(of('SegbenchNoProgress').for).toBe('5m');
    expect(of('SegbenchNoProgress', 10).for).toBe('30s');
    expect(of('SegbenchWorkerSilent', 10)).toEqual(of('SegbenchWorkerSilent'));
    expect(readFileSync(rulesFile('wake.yml'), 'utf8')).toContain('for: 5m');
  });

  it('each lead to a section of the runbooks, and every section to an alert', () => {
    const text = readFileSync(RUNBOOKS, 'utf8');
    const sections = [...text.matchAll(/^## (Segbench\w+)$/gm)].map(([, name]) => name);
    expect(sections.toSorted()).toEqual(names().toSorted());
    for (const { alert, annotations } of alerts())
      expect(annotations.runbook_url).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
  });
});

// Where there is none: apt-get install prometheus.
describe.skipIf(promtool === undefined)('promtool', () => {
  const broken = (cases: readonly Case[]): Case[] =>
    cases.map((one) => ({ ...one, moments: one.moments.map(({ at }) => ({ at, firing: ['SegbenchNobody'] })) }));

  it('finds nothing wrong with rules and configurations, and does with a bad one', () => {
    const files = Object.keys(ruleFiles()).map(rulesFile);
    expect(runPromtool(['check', 'rules', ...files])).toMatchObject({ code: 0 });
    const configs = readdirSync(PROMETHEUS_DIR).filter((name) => /^prometheus\..*\.yml$/.test(name));
    expect(configs.length).toBe(2);
    for (const name of configs)
      expect(runPromtool(['check', 'config', join(PROMETHEUS_DIR, name)]), `${name}`).toMatchObject({ code: 0 });
    const bad = checkRules('groups: [{name: a, rules: [{alert: B, expr: "sum("}]}]');
    expect(bad.code).not.toBe(0);
    expect(bad.says).toContain('could not parse expression');
  });

  it('sees each alert that wakes somebody fire, stay silent and recover, alone', () => {
    expect(testRules([rulesFile('wake.yml')], WAKE_CASES)).toMatchObject({ code: 0 });
    expect(testRules([rulesFile('wake.yml')], broken(WAKE_CASES.slice(0, 1))).code).not.toBe(0);
    const fired = new Set(WAKE_CASES.flatMap(({ moments }) => moments.flatMap(({ firing }) => firing)));
    const pages = alerts().filter(({ labels }) => labels.severity === 'page');
    expect([...fired].toSorted()).toEqual(pages.map(({ alert }) => alert).toSorted());
  });

  it('sees what waits for the morning fire, stay silent and recover', () => {
    const waits = gauge('segbench_webhooks_oldest_age_seconds', [
      [20, 0],
      [60, 3590],
      [60, 3700],
      [20, 5],
    ]);
    const moments = [
      { at: '30m', firing: [] },
      // it takes ten minutes, after an hour's wait
      { at: '45m', firing: [] },
      { at: '60m', firing: ['SegbenchWebhooksWaiting'] },
      { at: '72m', firing: [] },
    ];
    const waiting = { name: 'a webhook waits for more than an hour', interval: '30s', series: [waits], moments };
    expect(testRules([rulesFile('tickets.yml')], [waiting])).toMatchObject({ code: 0 });
    expect(testRules([rulesFile('tickets.yml')], broken([waiting])).code).not.toBe(0);
  });

  it('sees each budget fire its alert, alone, stay silent with few events, and recover', () => {
    expect(drivenBudgets.toSorted()).toEqual(LIVE_BUDGETS.map(({ budgets: [name] }) => name).toSorted());
    const files = ['recording.yml', 'budgets.yml'].map(rulesFile);
    const result = testRules(files, [...budgetCases(), fewEvents(), slowRecovery()]);
    expect(result).toMatchObject({ code: 0 });
  });
});
