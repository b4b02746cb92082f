import { escapeMarkup } from '../../../loadtest/src/report/escape.ts';
import type { Axis } from './axis.ts';
import { widthOf } from './letters.ts';
import type { Line, View } from './view.ts';

export type Plot = Extract<View, { kind: 'timeseries' }>;
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}
const BELOW_PX = 20;
const TOP_PX = 8;
const RIGHT_PX = 10;

/** Room of the plot without its axes, in a picture of so many pixels. */
export function plotBox(y: Pick<Axis, 'marks'>, width: number, height: number): Box {
  const left = Math.ceil(Math.max(18, ...y.marks.map(({ label }) => widthOf(label))) + 8);
  return { left, top: TOP_PX, width: width - left - RIGHT_PX, height: height - TOP_PX - BELOW_PX };
}

interface Place {
  x: (seconds: number) => number;
  y: (value: number) => number;
}
const round = (pixels: number): number => Math.round(pixels * 10) / 10;

/** Runs of points that have a number. */
function runsOf({ times, values }: Line): number[][] {
  const runs: number[][] = [];
  for (const at of times.keys()) {
    if (values[at] === null || values[at] === undefined) continue;
    if (runs.at(-1)?.at(-1) === at - 1) runs.at(-1)!.push(at);
    else runs.push([at]);
  }
  return runs;
}
function lineOf(line: Line, { x, y }: Place, fill: number, zero: number): string {
  const point = (at: number, values: readonly (number | null)[]): string =>
    `${round(x(line.times[at]!))},${round(y(values[at] ?? zero))}`;
  const base = line.base ?? line.values.map(() => zero);
  return runsOf(line)
    .map((run) => {
      const top = run.map((at) => point(at, line.values));
      if (run.length === 1) {
        const [cx, cy] = top[0]!.split(',');
        return `<circle cx="${cx}" cy="${cy}" r="2" fill="${line.color}"/>`;
      }
      const bottom = run.toReversed().map((at) => point(at, base));
      const area = `<path d="M${top.join('L')}L${bottom.join('L')}Z" fill="${line.color}" fill-opacity="${fill}"/>`;
      return `${area}<path d="M${top.join('L')}" fill="none" stroke="${line.color}" stroke-width="1.5"/>`;
    })
    .join('');
}

/** SVG of a plot with its axes. */
export function plotSvg({ lines, limits, x, y, fill }: Plot, width: number, height: number): string {
  const box = plotBox(y, width, height);
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  const place: Place = {
    x: (seconds) => box.left + ((seconds - x.from) / (x.to - x.from)) * box.width,
    y: (value) => bottom - ((value - y.from) / (y.to - y.from)) * box.height,
  };
  const across = y.marks.map(({ at, label }) => {
    const at1 = round(place.y(at));
    return `<path d="M${box.left},${at1}H${right}" class="grid"/><text x="${box.left - 6}" y="${at1 + 4}" text-anchor="end">${escapeMarkup(label)}</text>`;
  });
  const upright = x.marks.map(({ at, label }) => {
    const at1 = round(place.x(at));
    const anchor = at1 > right - 14 ? 'end' : at1 < box.left + 14 ? 'start' : 'middle';
    return `<path d="M${at1},${box.top}V${bottom}" class="grid"/><text x="${at1}" y="${bottom + 16}" text-anchor="${anchor}">${escapeMarkup(label)}</text>`;
  });
  const marked = limits
    .filter(({ at }) => at >= y.from && at <= y.to)
    .map(
      ({ at, color }) =>
        `<path d="M${box.left},${round(place.y(at))}H${right}" class="limit" stroke="${color}" stroke-dasharray="6 4"/>`,
    );
  const drawn = lines.map((line) => lineOf(line, place, fill, Math.max(0, y.from)));
  const inner = `${box.left} ${box.top - 1} ${box.width} ${box.height + 2}`;
  return [
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    ...across,
    ...upright,
    // what lies beyond the axes is cut off
    `<svg x="${box.left}" y="${box.top - 1}" width="${box.width}" height="${box.height + 2}" viewBox="${inner}">`,
    ...drawn,
    '</svg>',
    ...marked,
    '</svg>',
  ].join('');
}
