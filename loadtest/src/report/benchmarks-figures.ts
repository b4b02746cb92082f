import { durationMs, formatMs, formatValue, MARKS } from './format.ts';
import type { KeptFigure } from './kept-figure.ts';
import { escapeMarkdown, table } from './markdown-table.ts';
import { tableCells, tableHead } from './report-table.ts';

const share = (value: number | null): string => formatValue(value, 'ratio');

/** Pure: what was measured of single parts, each with its command, its machine and what it was to be. */
export function figureChapter(figures: readonly KeptFigure[]): string[] {
  if (figures.length === 0) return [];
  return [
    '## Single parts',
    '',
    'Each by a command of its own, which measures it anew; `--keep` behind it keeps what it finds.',
    '',
    ...figures.flatMap(section),
  ];
}

function section({ table: found, limits, ...figure }: KeptFigure): string[] {
  const { command, startedAt, finishedAt, tool, machine } = figure;
  const about = [
    `${startedAt.slice(0, 10)}, ${tool.version} (${tool.commit.slice(0, 12)}), ${formatMs(durationMs(startedAt, finishedAt))}`,
    `${machine.cpuModel}, ${machine.cores} cores, Node ${machine.node}`,
    `some task waited for a CPU ${share(figure.psiCpuSome)}, CPU taken by others ${share(figure.foreignCpuShare)}`,
  ];
  return [
    `### ${escapeMarkdown(found.title)}`,
    '',
    `\`${command}\`: ${escapeMarkdown(about.join('; '))}.`,
    '',
    ...(found.note ? [escapeMarkdown(found.note), ''] : []),
    ...table(tableHead(found), tableCells(found)),
    '',
    ...limits.map(({ text, holds }) => `- ${MARKS[holds ? 'pass' : 'fail']} ${escapeMarkdown(text)}`),
    '',
  ];
}
