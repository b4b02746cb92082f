import type { ReportPlot } from '../contract.ts';
import { escapeMarkup as esc } from './escape.ts';
import { formatMs, formatValue } from './format.ts';

const WIDTH = 860;
const HEIGHT = 240;
const LEFT = 84;
const BOTTOM = 26;
const TOP = 8;
/** As many as can be told apart; more series repeat them dashed. */
const COLOURS = ['#2563eb', '#d97706', '#059669', '#9333ea', '#dc2626', '#0891b2'];

/** Lines over one x axis from 0 upwards, with a dashed line at the limit. A series that has no points is named as such. */
export function linesChart({ title, x, y, series }: ReportPlot): string {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return '<p class="soft">No point was measured.</p>';
  const spanX = extent(points.map(([at]) => at));
  const top = Math.max(y.limit ?? 0, ...points.map(([, value]) => value)) * 1.05 || 1;
  const px = (at: number): string => (LEFT + ((at - spanX.min) / spanX.size) * (WIDTH - LEFT - 8)).toFixed(1);
  const py = (value: number): string => (TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = share * top;
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - 8}" y1="${py(value)}" y2="${py(value)}"/><text x="${LEFT - 6}" y="${Number(py(value)) + 4}" text-anchor="end">${esc(formatValue(value, y.unit))}</text>`;
  });
  const ends = [spanX.min, spanX.min + spanX.size].map(
    (at, end) =>
      `<text x="${px(at)}" y="${HEIGHT - 6}" text-anchor="${end === 0 ? 'start' : 'end'}">${esc(x.unit === 'ms' ? formatMs(at) : formatValue(at, x.unit))}${end === 1 ? ` ${esc(x.name)}` : ''}</text>`,
  );
  const limit =
    y.limit === undefined
      ? ''
      : `<line class="limit" x1="${LEFT}" x2="${WIDTH - 8}" y1="${py(y.limit)}" y2="${py(y.limit)}"/>`;
  const lines = series.map((one, at) => {
    const path = one.points.map(([px0, value]) => `${px(px0)},${py(value)}`).join(' ');
    const dash = at >= COLOURS.length ? ' stroke-dasharray="6 4"' : '';
    return `<polyline fill="none" stroke="${colourOf(at)}" stroke-width="1.6"${dash} points="${path}"/>`;
  });
  const legend = series.map(
    (one, at) =>
      `<span><i style="background:${colourOf(at)}"></i>${esc(one.name)}${one.points.length === 0 ? ' (no points)' : ''}</span>`,
  );
  return `<svg class="lines" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${esc(`${title}: ${y.name} over ${x.name}`)}">${grid.join('')}${limit}${lines.join('')}${ends.join('')}</svg><p class="legend">${legend.join('')}<span class="soft">${esc(y.name)}${y.limit === undefined ? '' : `, limit ${esc(formatValue(y.limit, y.unit))}`}</span></p>`;
}

const colourOf = (at: number): string => COLOURS[at % COLOURS.length] ?? '#2563eb';

function extent(values: readonly number[]): { min: number; size: number } {
  const min = values.reduce((least, value) => Math.min(least, value), Infinity);
  const max = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return { min, size: max - min || 1 };
}
