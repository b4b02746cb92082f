import type { JudgedBudget } from '../contract.ts';
import { CLOSE, gapOf, usedOf } from './advice-rules.ts';
import { escapeMarkup as esc } from './escape.ts';

/** Beyond the limit, which is 1, the bar shows by how much it was crossed up to here. */
const MOST = 1.25;

/** How much of a budget is used up, and what is left. Empty for `=` and for what was not measured. */
export function budgetMeter(budget: JudgedBudget): string {
  const use = usedOf(budget);
  if (use === null) return '';
  const words = [...useWords(budget, use), gapOf(budget)].join(', ');
  const value = Math.min(MOST, use).toFixed(3);
  return `<meter min="0" max="${MOST}" low="${CLOSE}" high="1" optimum="0" value="${value}" aria-label="${esc(words)}"></meter><small>${esc(words)}</small>`;
}

function useWords({ operator }: JudgedBudget, use: number): string[] {
  if (use <= 1.005) return [`${shareText(use)} used`];
  // How many times too little something is says less than by how much.
  return operator.startsWith('<') ? [`${use > 10 ? Math.round(use) : use.toFixed(2)}× the limit`] : [];
}

function shareText(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 1) return 'under 1 %';
  if (percent > 100) return 'just over 100 %';
  // 99.96 % must not read as the limit itself.
  return `${percent > 99 && percent < 100 ? '> 99' : percent.toFixed(0)} %`;
}
