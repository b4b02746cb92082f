import { limitText, toneOf } from '../../models/live-budgets.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { WORDS } from '../../words/operator.ts';
import { Icon } from '../Icon.tsx';

/** Colour, shape and word say the same: whoever misses one has two more. */
export function BudgetStrip({ operator }: { operator: Operator }) {
  return (
    <ul class="budget-strip" aria-label={WORDS.budgets.label}>
      {operator.budgets.value.map((budget) => {
        const tone = toneOf(budget);
        const { actual, format } = budget;
        return (
          <li key={budget.name} class={`budget budget-${tone}`} title={budget.source} data-budget={budget.name}>
            <Icon name={tone} size={12} />
            <span class="budget-name">{budget.label}</span>
            <b>{actual === null ? '–' : format(actual)}</b>
            <span class="budget-limit">{limitText(budget, format)}</span>
            <span class="budget-tone">{WORDS.budgets.tone[tone]}</span>
          </li>
        );
      })}
    </ul>
  );
}
