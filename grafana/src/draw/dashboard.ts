import type { DashboardFile, FilePanel } from './file.ts';
import { innerOf, rectOf, type DrawnPanel, type Page } from './page.ts';
import { planPanel, type Circumstances } from './plan.ts';
import type { Prometheus } from './prometheus.ts';
import type { TimeRange } from './time.ts';
import { chosenValue } from './variables.ts';
import { hasNumber, viewOf, type Answer } from './view.ts';

/** What became of a panel: `error` says why, `silent` names its queries that have no number. */
export interface PanelReport {
  title: string;
  error: string | null;
  /** No query of it has a number. */
  empty: boolean;
  silent: string[];
}
export interface DrawOptions {
  prometheus: Prometheus;
  range: TimeRange;
  scrapeMs: number;
  /** Values of variables that are not those of the file. */
  chosen?: Readonly<Record<string, readonly string[]>>;
}

const titleOf = ({ title, id, type }: FilePanel): string => title ?? `${type} ${id ?? ''}`;

async function drawPanel(
  panel: FilePanel,
  prometheus: Prometheus,
  around: Circumstances,
): Promise<{ drawn: DrawnPanel; report: PanelReport }> {
  const { gridPos } = panel;
  const rect = rectOf(gridPos);
  const title = titleOf(panel);
  try {
    const queries = planPanel(panel, rect.width, around);
    const answers: Answer[] = [];
    for (const query of queries) answers.push({ query, series: await prometheus(query) });
    const view = viewOf(panel, answers, { range: around.range, ...innerOf(rect) });
    const silent = answers.filter((answer) => !hasNumber(answer)).map(whySilent);
    return { drawn: { title, gridPos, view }, report: { title, error: null, empty: view.kind === 'empty', silent } };
  } catch (error) {
    const message = (error as Error).message;
    return {
      drawn: { title, gridPos, view: { kind: 'error', message } },
      report: { title, error: message, empty: false, silent: [] },
    };
  }
}
function whySilent({ query, series }: Answer): string {
  const why = series.length === 0 ? 'no series' : `${series.length} series without a number`;
  return `${query.refId}${query.legend === '' ? '' : ` (${query.legend})`}: ${why}`;
}

const moment = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 16);

/** Asks for everything that a dashboard shows. One panel that cannot be drawn leaves the others as they are. */
export async function drawDashboard(
  file: DashboardFile,
  { prometheus, range, scrapeMs, chosen = {} }: DrawOptions,
): Promise<{ page: Page; reports: PanelReport[] }> {
  const variables = (file.templating?.list ?? []).map((variable) => ({
    ...chosenValue(variable, chosen[variable.name]),
    name: variable.name,
    label: variable.label ?? variable.name,
  }));
  const around: Circumstances = {
    range,
    scrapeMs,
    variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
  };
  const facts = [
    ...variables.map(({ label, shown }) => `${label}: ${shown}`),
    `${moment(range.fromMs)} to ${moment(range.toMs)} UTC`,
  ];
  const all: Awaited<ReturnType<typeof drawPanel>>[] = [];
  for (const panel of file.panels) all.push(await drawPanel(panel, prometheus, around));
  return {
    page: { title: file.title, facts, panels: all.map(({ drawn }) => drawn) },
    reports: all.filter((_, index) => file.panels[index]!.type !== 'row').map(({ report }) => report),
  };
}
