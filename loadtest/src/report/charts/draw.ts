import { plot, type PlotOptions } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeMarkup as esc } from '../escape.ts';

const { document } = parseHTML('<!doctype html><html></html>');

/** Of every chart that takes the whole width; a narrower screen shrinks it. */
export const WIDTH = 960;
export const FONT_SIZE = 12;

/** Of a sign on average, in its own height. */
const SIGN_WIDTH = 0.6;
const MOST_ROOM = 230;
/** Pixels that the longest of some names takes beside a chart, with what stands between them; past 230 it is cut. */
export const roomFor = (names: readonly string[], beside: number): number =>
  Math.min(MOST_ROOM, beside + Math.max(0, ...names.map(({ length }) => length)) * SIGN_WIDTH * FONT_SIZE);

/** Between a name and its row, above all rows, and below them for the axis. */
const [TICK, ABOVE, BELOW] = [24, 8, 40];
/** The sizes of a chart with a row for each of some names. */
export const rowsOf = (names: readonly string[], rowHeight: number) => ({
  marginLeft: roomFor(names, TICK),
  marginTop: ABOVE,
  marginBottom: BELOW,
  height: rowHeight * names.length + ABOVE + BELOW,
});

/** A chart as SVG for a page with the report's style, which names its colours. @param label what who doesn't see it is told */
export function draw(label: string, options: PlotOptions): string {
  const svg = plot({
    document,
    width: WIDTH,
    className: 'plot',
    ...options,
    style: { fontSize: `${FONT_SIZE}px`, overflow: 'visible' },
  });
  // The same for each chart: it stands once, in the report's style.
  svg.querySelector('style')?.remove();
  return `<figure role="img" aria-label="${esc(label)}">${svg.outerHTML}</figure>`;
}
