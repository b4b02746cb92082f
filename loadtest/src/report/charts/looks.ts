import { dot, line, type RenderableMark, type SymbolType } from '@observablehq/plot';

const COLOURS = 6;
const SYMBOLS: readonly SymbolType[] = ['circle', 'square', 'triangle', 'diamond', 'cross', 'star', 'wye'];
const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '14 4'] as const;
/** Symbols along a line: enough to follow it, few enough to see the line. */
const ALONG = 8;

export interface Point {
  x: number;
  y: number;
}
const XY = { x: 'x', y: 'y' } as const;

/** The n-th line's looks: the first 35 differ in dash or symbol, so that none is told by its colour alone. */
export const lookOf = (at: number) => ({
  stroke: `var(--s${at % COLOURS})`,
  strokeDasharray: DASHES[at % DASHES.length] ?? 'none',
  symbol: SYMBOLS[at % SYMBOLS.length] ?? 'circle',
});

/** A line with its symbols. @param of how many there are: their symbols stand at different places */
export function lineMarks(points: readonly Point[], at: number, of: number): RenderableMark[] {
  const { stroke, strokeDasharray } = lookOf(at);
  const step = Math.max(1, Math.ceil(points.length / ALONG));
  const first = Math.floor((step * at) / of);
  return [
    line(points, { ...XY, stroke, strokeDasharray, strokeWidth: 1.5 }),
    ...(of > 1 || points.length === 1
      ? [
          symbolMarks(
            points.filter((_, index) => index % step === first % step),
            at,
          ),
        ]
      : []),
  ];
}

export const symbolMarks = (points: readonly Point[], at: number, options: { dx?: number } = {}) =>
  dot(points, { ...XY, ...options, symbol: lookOf(at).symbol, fill: lookOf(at).stroke, r: 3.5 });

/** Places in the order given and `gap` apart, at most `most`, each as near to where it was wanted as that allows. @param wanted ascending */
export function spread(wanted: readonly number[], gap: number, most: number): number[] {
  const places: number[] = [];
  for (const one of wanted) places.push(Math.max(one, (places.at(-1) ?? -Infinity) + gap));
  for (let at = places.length - 1, limit = most; at >= 0; at--, limit -= gap) places[at] = Math.min(places[at]!, limit);
  return places;
}
