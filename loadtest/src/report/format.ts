import type { BudgetUnit, BudgetVerdict, JudgedBudget, Verdict } from '../contract.ts';

/** A verdict is never told by colour alone: it has a mark and a word too. */
export const MARKS: Readonly<Record<BudgetVerdict | Verdict, string>> = {
  pass: '✓',
  fail: '✗',
  regression: '✗',
  inconclusive: '?',
  error: '!',
  interrupted: '!',
  'not-run': '○',
  'n/a': '–',
};

const BYTE_STEPS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

function plain(value: number, digits: number): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(value);
}

/** Three to four figures for large values, more for small ones; `extra` adds decimals. */
function figures(value: number, extra: number): string {
  const size = Math.abs(value);
  return plain(value, (size >= 100 ? 0 : size >= 10 ? 1 : 2) + extra);
}

/** A value with its unit, for people: decimal multiples of bytes, ratios as per cent. */
export function formatValue(value: number | null, unit: BudgetUnit, extra = 0): string {
  if (value === null) return '–';
  switch (unit) {
    case 'ms':
      return `${figures(value, extra)} ms`;
    case 'bytes': {
      const [step, name] = BYTE_STEPS.find(([size]) => Math.abs(value) >= size) ?? [1, 'B'];
      return `${figures(value / step, extra)} ${name}`;
    }
    case 'ratio':
      return `${plain(value * 100, 1 + extra)} %`;
    case 'per-minute':
      return `${figures(value, extra)} /min`;
    case 'count':
      return plain(value, 2 + extra);
  }
}

/** The measured value, with as many decimals as it takes not to read like its limit when it is not. */
export function formatActual(budget: Pick<JudgedBudget, 'actual' | 'limit' | 'unit'>): string {
  const { actual, limit, unit } = budget;
  if (actual === null || actual === limit) return formatValue(actual, unit);
  for (let extra = 0; extra < 9; extra++) {
    const text = formatValue(actual, unit, extra);
    if (text !== formatValue(limit, unit, extra) && text !== formatValue(limit, unit)) return text;
  }
  return String(actual);
}

export function formatLimit(budget: Pick<JudgedBudget, 'operator' | 'limit' | 'unit'>): string {
  return `${budget.operator} ${formatValue(budget.limit, budget.unit)}`;
}

/** Times that stand beside no limit: seconds from 10,000 ms on. */
export function formatMs(value: number | null): string {
  return value !== null && Math.abs(value) >= 10_000 ? `${figures(value / 1000, 0)} s` : formatValue(value, 'ms');
}

export function formatCount(value: number): string {
  return formatValue(value, 'count');
}

export const imageWord = (count: number): string => (count === 1 ? 'image' : 'images');

export function formatBytes(value: number | null): string {
  return formatValue(value, 'bytes');
}

/** Share of the budget that is used up: 1 is the limit itself, whichever way the budget points. Null for `=` and where nothing was measured. */
export function budgetUse(budget: Pick<JudgedBudget, 'actual' | 'limit' | 'operator'>): number | null {
  const { actual, limit, operator } = budget;
  if (actual === null || operator === '=') return null;
  if (operator === '<' || operator === '<=') return limit === 0 ? null : Math.max(0, actual / limit);
  return actual <= 0 ? Number.POSITIVE_INFINITY : limit / actual;
}

export function durationMs(startedAt: string, finishedAt: string): number {
  return Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt));
}
