import { formatMoment } from '../../models/format.ts';
import { WINDOWS, type ChartWindow } from '../../models/charts.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { WORDS } from '../../words/operator.ts';

const B = WORDS.baseline;

/** What the charts and tiles are held against, and how much time they show. */
export function BaselineBar({ operator }: { operator: Operator }) {
  const baseline = operator.baseline.state.value;
  return (
    <div class="baseline-bar">
      <span class="faint">{baseline ? B.of(formatMoment(baseline.at)) : B.none}</span>
      <button
        type="button"
        class="small"
        data-action="take-baseline"
        disabled={operator.second.value < 0}
        onClick={() => operator.takeBaseline()}
      >
        {B.take}
      </button>
      {baseline && (
        <button type="button" class="small quiet" onClick={() => operator.baseline.drop()}>
          {B.drop}
        </button>
      )}
      <span class="windows" role="group" aria-label={WORDS.charts.windowLabel}>
        {(Object.keys(WINDOWS) as ChartWindow[]).map((name) => (
          <button
            key={name}
            type="button"
            class="small"
            aria-pressed={operator.shown.value === name}
            onClick={() => (operator.shown.value = name)}
          >
            {name}
          </button>
        ))}
      </span>
    </div>
  );
}
