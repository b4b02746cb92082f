import { dot, lineY } from '@observablehq/plot';
import { draw } from './draw.ts';

/** A line of values in the colour of the text, the last one dotted; between its own least and most. */
export function sparkline(values: readonly number[]): string {
  const points = values.map((y, x) => ({ x, y }));
  const xy = { x: 'x', y: 'y' };
  return draw('', {
    width: 120,
    height: 24,
    margin: 4,
    axis: null,
    marks: [lineY(points, xy), dot(points.slice(-1), { ...xy, fill: 'currentColor', r: 2.5 })],
  });
}
