import type { ReportTable, ResultFile } from '../contract.ts';
import { adviceOf } from './advice.ts';
import type { Advice } from './advice-rules.ts';
import { escapeMarkup as esc, oneLine } from './escape.ts';
import { formatValue } from './format.ts';
import { escapeMarkdown, table } from './markdown-table.ts';
import { htmlTable, tableCells, tableHead } from './report-table.ts';

const TITLE = 'What to do';
const QUICK = 'Quick wins, one setting each';
/** Stages that a terminal names. */
const MOST_NAMED = 4;

type Table = Pick<ReportTable, 'columns' | 'rows'>;
/** Where it stands, and what an image's time goes to; those that have rows. */
const tablesOf = ({ targets, bottlenecks }: Advice): Table[] =>
  [
    {
      columns: [{ name: 'budget' }, { name: 'now' }, { name: 'target' }, { name: 'gap' }],
      rows: targets.map(({ name, now, target, gap }) => [name, now, target, gap]),
    },
    {
      columns: [
        { name: 'bottleneck' },
        ...['of an image’s time', 'after the queue', 'of its CPU time'].map((name) => ({
          name,
          unit: 'ratio' as const,
        })),
      ],
      rows: bottlenecks.map(({ stage, time, afterQueue, cpu }) => [stage, time, afterQueue, cpu]),
    },
  ].filter(({ rows }) => rows.length > 0);

/** How every report ends: what to do. */
export function adviceSection(result: ResultFile): string {
  const advice = adviceOf(result);
  const { steps, quick, nothing } = advice;
  const list = steps.map(({ what, gain }) => `<li>${esc(what)} <span class="soft">(${esc(gain)})</span></li>`);
  const wins = quick.map(
    ({ setting, what, gain }) =>
      `<li><code>${esc(setting)}</code>: ${esc(what)} <span class="soft">(${esc(gain)})</span></li>`,
  );
  return `<section><h2>${TITLE}</h2>
${list.length === 0 ? `<p>${esc(nothing)}</p>` : `<ol>${list.join('')}</ol>`}
${wins.length === 0 ? '' : `<h3>${QUICK}</h3><ul>${wins.join('')}</ul>`}
${tablesOf(advice).map(htmlTable).join('')}</section>`;
}

export function adviceMarkdown(result: ResultFile): string[] {
  const advice = adviceOf(result);
  const { steps, quick, nothing } = advice;
  const part = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : [...lines, '']);
  return [
    `### ${TITLE}`,
    '',
    ...part(
      steps.length === 0
        ? [nothing]
        : steps.map(({ what, gain }, at) => `${at + 1}. ${escapeMarkdown(what)} (${escapeMarkdown(gain)})`),
    ),
    ...(quick.length === 0 ? [] : [`${QUICK}:`, '']),
    ...part(
      quick.map(
        ({ setting, what, gain }) =>
          `- \`${escapeMarkdown(setting)}\`: ${escapeMarkdown(what)} (${escapeMarkdown(gain)})`,
      ),
    ),
    ...tablesOf(advice).flatMap((one) => [...table(tableHead(one), tableCells(one)), '']),
  ];
}

/** For a terminal: the same without its tables; no text of a result moves the cursor. */
export function adviceLines(result: ResultFile): string[] {
  const { steps, quick, bottlenecks, nothing } = adviceOf(result);
  const shown = bottlenecks.filter(({ time }) => time !== null).slice(0, MOST_NAMED);
  const lines = [
    ...(steps.length === 0 ? [nothing] : steps.map(({ what, gain }, at) => `${at + 1}. ${what} (${gain})`)),
    ...quick.map(({ setting, what, gain }) => `quick win: ${setting}: ${what} (${gain})`),
    ...(shown.length === 0
      ? []
      : [`an image’s time: ${shown.map(({ stage, time }) => `${stage} ${formatValue(time, 'ratio')}`).join(', ')}`]),
  ];
  return [`${TITLE}:`, ...lines.map((text) => `  ${oneLine(text)}`)];
}
