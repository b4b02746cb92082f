import type { ResultFile } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatValue } from './format.ts';

export const RATCHET_HEAD = ['counts and bytes', 'committed', 'limit', 'now', 'verdict'] as const;

/** Every row as text, for a table of any kind. */
export const ratchetRows = ({ ratchet }: Pick<ResultFile, 'ratchet'>): string[][] =>
  (ratchet?.rows ?? []).map(({ name, unit, recorded, limit, now, verdict }) => [
    name,
    formatValue(recorded, unit),
    limit === null ? '–' : `<= ${formatValue(limit, unit)}`,
    formatValue(now, unit),
    verdict,
  ]);

/** For a terminal: only what grew, since the rest says nothing new. */
export const ratchetLines = ({ ratchet }: Pick<ResultFile, 'ratchet'>): string[] => [
  ...(ratchet?.rows ?? [])
    .filter(({ verdict }) => verdict === 'regression')
    .map(({ name, unit, recorded, limit, now }) => {
      const [was, most, is] = [recorded, limit, now].map((value) => formatValue(value, unit));
      return `grew: ${name} is ${is}, committed ${was}, at most ${most}`;
    }),
  ...(ratchet?.notes ?? []),
];

const TONE = { pass: 'pass', regression: 'fail', missing: 'not-run', 'not-run': 'not-run' } as const;

export function ratchetSection(result: Pick<ResultFile, 'ratchet'>): string {
  const { ratchet } = result;
  if (!ratchet) return '';
  const rows = ratchetRows(result).map((cells, at) => {
    const tone = TONE[ratchet.rows[at]?.verdict ?? 'not-run'];
    const [name = '', ...rest] = cells;
    const verdict = rest.pop() ?? '';
    return `<tr class="${tone}"><td>${esc(name)}</td>${rest.map((cell) => `<td class="r">${esc(cell)}</td>`).join('')}<td><span class="badge">${esc(verdict)}</span></td></tr>`;
  });
  const head = RATCHET_HEAD.map((name, at) => `<th${at > 0 && at < 4 ? ' class="r"' : ''}>${name}</th>`).join('');
  const table =
    rows.length > 0
      ? `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
      : '';
  const notes = ratchet.notes.map((note) => `<li>${esc(note)}</li>`).join('');
  return `<section><h2>Against what is committed</h2>${table}${notes ? `<ul>${notes}</ul>` : ''}</section>`;
}
