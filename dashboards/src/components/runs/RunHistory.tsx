import { useComputed, useSignal } from '@preact/signals';
import type { ChartData } from '../../models/charts.ts';
import { formatAxisMs, formatDay, formatMoment } from '../../models/format.ts';
import type { RunList } from '../../models/runs/RunList.ts';
import { formatUnit, historyOf, limitWords } from '../../models/runs/runs.ts';
import { WORDS } from '../../words/runs.ts';
import { PlotFrame } from '../PlotFrame.tsx';

const H = WORDS.history;
const NOTHING: ChartData = { columns: [[]], marks: [], range: [0, 1] };

/** One metric of one scenario from run to run; the table below has the same values. */
export function RunHistory({ list }: { list: RunList }) {
  const cursor = useSignal<number | null>(null);
  const history = useComputed(() => historyOf(list.runs.value, list.scenario.value, list.metric.value));
  const scenario = list.scenario.value;
  const metric = list.metric.value;
  if (scenario === '' || metric === '') return <p class="faint">{H.needsScenario}</p>;
  const found = history.value;
  if (!found) return <p class="faint">{H.nothing}</p>;
  const { unit, limit, machines, runs } = found;
  const format = (value: number): string => formatUnit(value, unit);
  const at = cursor.value ?? runs.length - 1;
  const run = runs[at] ?? runs.at(-1)!;
  const value = run.budgets.find(({ name }) => name === metric)?.actual ?? null;
  const reading = `${formatMoment(run.startedAt)}: ${formatUnit(value, unit)}`;
  return (
    <figure class="chart chart-wide">
      <figcaption>
        <b>{H.title(metric, scenario)}</b>
        {limit && (
          <span class="key">
            <span class="swatch swatch-budget ink-budget" aria-hidden="true" />
            {H.limit(limitWords(limit))}
          </span>
        )}
        {machines > 1 &&
          Array.from({ length: machines }, (_, line) => (
            <span key={line} class="key">
              <span class={`swatch ink-line-${line + 1}`} aria-hidden="true" />
              {H.machine(line + 1)}
            </span>
          ))}
        <span class="key">{reading}</span>
      </figcaption>
      <PlotFrame
        key={`${scenario}/${metric}/${machines}`}
        label={`${H.title(metric, scenario)}. ${reading}`}
        lines={machines}
        log={false}
        format={unit === 'ms' ? formatAxisMs : format}
        formatX={(index) => (Number.isInteger(index) && runs[index - 1] ? formatDay(runs[index - 1]!.startedAt) : '')}
        points
        data={() => history.value?.data ?? NOTHING}
        cursor={cursor}
      />
    </figure>
  );
}
