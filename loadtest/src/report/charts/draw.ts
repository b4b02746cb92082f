import { plot, type PlotOptions } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeMarkup as esc } from '../escape.ts';

const { document } = parseHTML('<!doctype html><html></html>');

/** Of every chart that takes the whole width; a narrower screen shrinks it. */
export const WIDTH = 960;
export const FONT_SIZE = 12;

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
