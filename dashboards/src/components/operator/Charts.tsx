import { useComputed } from '@preact/signals';
import { CHARTS, chartData, formatLine, labelOf, type ChartSpec } from '../../models/charts.ts';
import { formatClock } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import type { MetricName } from '../../models/readings.ts';
import { WORDS } from '../../words/operator.ts';
import { PlotFrame } from '../PlotFrame.tsx';

const W = WORDS.charts;

/** Four charts over the same time, with one cursor. */
export function Charts({ operator }: { operator: Operator }) {
  return (
    <section class="charts" aria-label={W.label}>
      {CHARTS.map((spec) => (
        <Chart key={spec.key} spec={spec} operator={operator} />
      ))}
    </section>
  );
}

function Chart({ spec, operator }: { spec: ChartSpec; operator: Operator }) {
  const { cursor } = operator;
  const data = useComputed(() => {
    void operator.second.value;
    return chartData(spec, operator.series, operator.shown.value, operator.baseline.state.value);
  });
  const { columns, marks } = data.value;
  const at = cursor.value === null ? null : columns[0][cursor.value];
  const index = at === null || at === undefined ? columns[0].length - 1 : cursor.value!;
  const valueOf = (line: number): string => {
    const value = columns[line + 1]?.[index];
    return value === null || value === undefined ? '–' : formatLine(spec, line, value);
  };
  const summary = spec.metrics.map((metric, line) => `${labelOf(metric)} ${valueOf(line)}`).join(', ');
  return (
    <figure class="chart" data-chart={spec.key}>
      <figcaption>
        <b>{spec.title}</b>
        {spec.metrics.map((metric: MetricName, line) => (
          <span key={metric} class="key">
            <span class={`swatch ink-line-${line + 1}`} aria-hidden="true" />
            {labelOf(metric)} <span class="key-value">{valueOf(line)}</span>
          </span>
        ))}
        {marks.some(({ kind }) => kind === 'baseline') && (
          <span class="key">
            <span class="swatch swatch-baseline" aria-hidden="true" />
            {W.baseline}
          </span>
        )}
        {spec.budget !== null && (
          <span class="key">
            <span class="swatch swatch-budget ink-budget" aria-hidden="true" />
            {W.budget} {spec.format(spec.budget)}
          </span>
        )}
        {at !== null && at !== undefined && <span class="key faint">{formatClock(at)}</span>}
      </figcaption>
      <PlotFrame
        label={`${spec.title}: ${summary}`}
        lines={spec.metrics.length}
        log={spec.log}
        share={spec.share}
        format={spec.formatAxis ?? spec.format}
        data={() => data.value}
        cursor={cursor}
      />
    </figure>
  );
}
