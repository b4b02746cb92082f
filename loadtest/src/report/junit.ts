import type { JudgedBudget, ResultFile } from '../contract.ts';
import { escapeMarkup } from './escape.ts';
import { durationMs, formatActual, formatLimit } from './format.ts';
import { verdictSentence } from './words.ts';

type Outcome = { element: 'failure' | 'error' | 'skipped'; message: string } | null;
interface TestCase {
  name: string;
  outcome: Outcome;
  detail: string;
}

/**
 * `junit.xml`: one test case a budget, one for the verdict. A failed budget is a failure; one that could not be judged, was not measured
 * or does not apply is skipped, with the reason; a run that ended early is an error.
 */
export function junitReport(result: ResultFile): string {
  const cases = [...result.budgets.map(budgetCase), verdictCase(result)];
  const count = (element: string): number => cases.filter(({ outcome }) => outcome?.element === element).length;
  const seconds = (durationMs(result.startedAt, result.finishedAt) / 1000).toFixed(3);
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds}"`;
  const suite = escapeMarkup(`${result.scenario} (${result.clientMode})`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="segbench" ${totals}>`,
    `  <testsuite name="${suite}" ${totals} timestamp="${escapeMarkup(result.startedAt.replace(/\.\d+Z$/, ''))}">`,
    ...cases.map((testCase) => caseXml(testCase, `segbench.${result.scenario}`)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function budgetCase(budget: JudgedBudget): TestCase {
  const text = `${formatActual(budget)}, limit ${formatLimit(budget)}`;
  const note = budget.note ? `; ${budget.note}` : '';
  const detail = `actual ${String(budget.actual)} ${budget.operator} ${budget.limit} ${budget.unit}${note}; ${budget.source}`;
  const outcomes: Record<JudgedBudget['verdict'], Outcome> = {
    pass: null,
    fail: { element: 'failure', message: text },
    inconclusive: { element: 'skipped', message: `inconclusive: ${text}${note}` },
    'not-run': { element: 'skipped', message: `not run${note}` },
    'n/a': { element: 'skipped', message: `not applicable${note}` },
  };
  return { name: budget.name, outcome: outcomes[budget.verdict], detail };
}

function verdictCase(result: ResultFile): TestCase {
  const message = verdictSentence(result);
  const outcomes: Record<ResultFile['verdict'], Outcome> = {
    pass: null,
    fail: { element: 'failure', message },
    regression: { element: 'failure', message },
    inconclusive: { element: 'skipped', message },
    error: { element: 'error', message },
    interrupted: { element: 'error', message },
  };
  return { name: 'verdict', outcome: outcomes[result.verdict], detail: [message, ...result.notes].join('\n') };
}

function caseXml({ name, outcome, detail }: TestCase, className: string): string {
  const open = `    <testcase classname="${escapeMarkup(className)}" name="${escapeMarkup(name)}"`;
  if (outcome === null) return `${open}><system-out>${escapeMarkup(detail)}</system-out></testcase>`;
  const { element, message } = outcome;
  return `${open}><${element} message="${escapeMarkup(message)}" type="${element}">${escapeMarkup(detail)}</${element}></testcase>`;
}
