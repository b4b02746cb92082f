import { escapeMarkup } from '../../../loadtest/src/report/escape.ts';
import type { GridPos } from './file.ts';
import type { Legend } from './legend.ts';
import { plotSvg } from './plot.ts';
import type { View } from './view.ts';

/** Said in every picture. */
export const NOT_BY_GRAFANA = 'Drawn by this project from Grafana’s dashboard files; not by Grafana.';
export const PAGE_WIDTH = 1200;
const COLUMNS = 24;
/** Of a row of the grid, and between panels, as in Grafana. */
const CELL_PX = 30;
const GAP_PX = 8;
const HEAD_PX = 64;
const TITLE_PX = 30;
const SIDE_PX = 8;

export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}
/** Where a panel lies on the page, below its head. */
export function rectOf({ x, y, w, h }: GridPos): Rect {
  const column = (PAGE_WIDTH - GAP_PX) / COLUMNS;
  return {
    left: Math.round(GAP_PX + x * column),
    top: y * (CELL_PX + GAP_PX),
    width: Math.round(w * column) - GAP_PX,
    height: h * (CELL_PX + GAP_PX) - GAP_PX,
  };
}
/** Of a page with so many rows of the grid. */
export const heightOf = (rows: number): number => HEAD_PX + rows * (CELL_PX + GAP_PX);
/** Room in a panel below its title. */
export const innerOf = ({ width, height }: Rect): { width: number; height: number } => ({
  width: width - 2 * SIDE_PX,
  height: height - TITLE_PX - SIDE_PX,
});

export interface DrawnPanel {
  title: string;
  gridPos: GridPos;
  view: View;
}
export interface Page {
  title: string;
  /** What the time and the variables are. */
  facts: readonly string[];
  panels: readonly DrawnPanel[];
}

const STYLE = `
* { box-sizing: border-box; margin: 0 }
body { width: ${PAGE_WIDTH}px; background: #f4f5f5; color: #24292e; font: 12px system-ui, sans-serif; position: relative }
header { height: ${HEAD_PX}px; padding: 10px ${GAP_PX + 2}px; display: flex; align-items: baseline; flex-wrap: wrap; gap: 0 20px }
h1 { font-size: 18px; font-weight: 600; flex: 1 }
header p { color: #57606a; font-size: 13px }
header .by { flex-basis: 100%; }
main { position: relative }
section { position: absolute; overflow: hidden }
section.panel { background: #fff; border: 1px solid #dcdee2; border-radius: 3px; padding: 0 ${SIDE_PX - 1}px }
h2 { font-size: 13px; font-weight: 600; line-height: ${TITLE_PX}px; height: ${TITLE_PX - 1}px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
section.row h2 { font-size: 15px; padding-left: 4px; height: auto }
section.row h2::before { content: '▾ '; color: #57606a }
svg { display: block; overflow: hidden }
svg text { font-size: 12px; fill: #57606a }
.grid { stroke: #e4e7eb; fill: none }
.limit { stroke-width: 1.5; fill: none }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap }
li { height: 18px; line-height: 18px; padding-right: 12px; max-width: 100%; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
li i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 5px; vertical-align: 3px }
li.left { color: #57606a }
.middle { position: absolute; inset: ${TITLE_PX}px 8px 8px; display: flex; align-items: center; justify-content: center; text-align: center }
.empty { color: #57606a; font-size: 14px }
.error { color: #c4162a }
.stat { font-size: 34px; font-weight: 600; white-space: nowrap }
`;

function legendHtml({ items, left }: Legend): string {
  const names = items.map(({ name, color }) => `<li><i style="background:${color}"></i>${escapeMarkup(name)}</li>`);
  const more = left === 0 ? '' : `<li class="left">and ${left} more</li>`;
  return `<ul>${names.join('')}${more}</ul>`;
}
function insideOf(view: View): string {
  switch (view.kind) {
    case 'row':
      return '';
    case 'empty':
      return '<div class="middle empty">No data</div>';
    case 'error':
      return `<div class="middle error">${escapeMarkup(view.message)}</div>`;
    case 'stat':
      return `<div class="middle stat" style="color:${view.color}">${escapeMarkup(view.value)}</div>`;
    case 'timeseries':
      return plotSvg(view, view.width, view.height) + legendHtml(view.legend);
  }
}
function panelHtml({ title, gridPos, view }: DrawnPanel): string {
  const { left, top, width, height } = rectOf(gridPos);
  const place = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
  const kind = view.kind === 'row' ? 'row' : 'panel';
  return `<section class="${kind}" style="${place}"><h2>${escapeMarkup(title)}</h2>${insideOf(view)}</section>`;
}

/** A dashboard as one page. @returns its height in pixels, too */
export function pageOf({ title, facts, panels }: Page): { html: string; height: number } {
  const height = heightOf(Math.max(0, ...panels.map(({ gridPos }) => gridPos.y + gridPos.h)));
  const said = facts.map((fact) => `<p>${escapeMarkup(fact)}</p>`).join('');
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeMarkup(title)}</title><style>${STYLE}</style>
<header><h1>${escapeMarkup(title)}</h1>${said}<p class="by">${NOT_BY_GRAFANA}</p></header>
<main style="height:${height - HEAD_PX}px">${panels.map(panelHtml).join('\n')}</main></html>`;
  return { html, height };
}
