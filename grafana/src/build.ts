import {
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DashboardSpec, PanelSpec, VariableSpec } from './panel.ts';

/** As `provisioning/datasources` calls it. */
const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
const TAG = 'segbench';
const HEIGHT = { timeseries: 8, stat: 4 } as const;

/** How far an axis goes at least, so that its limit is seen: above it, and to the whole of a share. */
function topOf(unit: string, limit: number): number {
  if (limit === 0 || (unit === 'percentunit' && limit < 1)) return 1;
  return limit * 1.1;
}

/** Green on the good side of the limit, red on the other. */
function thresholds({ limit }: PanelSpec): ThresholdsConfigBuilder {
  const colors = limit?.good === 'above' ? (['red', 'green'] as const) : (['green', 'red'] as const);
  const steps = [
    { value: null, color: colors[0] },
    ...(limit === undefined ? [] : [{ value: limit.value, color: colors[1] }]),
  ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

/** The SDK leaves ids, datasources and the letters of queries unset; Grafana then makes them up each time it saves. */
function queriesOf({ queries, exemplars = false, kind }: PanelSpec): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) => {
    const query = new DataqueryBuilder()
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + index))
      .datasource(DATASOURCE)
      .exemplar(exemplars);
    return kind === 'stat' ? query.instant() : query.range();
  });
}

function stat(spec: PanelSpec, id: number): StatBuilder {
  const panel = new StatBuilder().thresholds(thresholds(spec));
  return common(panel, spec, id);
}
function timeseries(spec: PanelSpec, id: number): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .thresholds(thresholds(spec))
    .axisSoftMin(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(spec.stacked === true ? 40 : 5)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (spec.limit !== undefined) {
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
    // a line that lies above all values would not be drawn
    panel.axisSoftMax(topOf(spec.unit, spec.limit.value));
  }
  if (spec.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return common(panel, spec, id);
}
function common<T extends StatBuilder | TimeseriesBuilder>(panel: T, spec: PanelSpec, id: number): T {
  panel
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .unit(spec.unit)
    .datasource(DATASOURCE)
    .height(HEIGHT[spec.kind ?? 'timeseries'])
    .span(spec.width ?? 8);
  if (spec.max !== undefined) panel.max(spec.max);
  for (const query of queriesOf(spec)) panel.withTarget(query);
  return panel;
}

function variable({ name, label, metric }: VariableSpec): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(${metric}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

/** What Grafana reads from a file. */
export function buildDashboard(spec: DashboardSpec): Dashboard {
  const dashboard = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .timezone('browser')
    .refresh('30s')
    .time({ from: spec.from, to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new DashboardLinkBuilder('segbench')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .keepTime(true),
    );
  for (const one of spec.variables ?? []) dashboard.withVariable(variable(one));
  let id = 0;
  for (const { title, panels } of spec.rows) {
    dashboard.withRow(new RowBuilder(title).id(++id));
    for (const panel of panels)
      dashboard.withPanel(panel.kind === 'stat' ? stat(panel, ++id) : timeseries(panel, ++id));
  }
  return dashboard.build();
}
