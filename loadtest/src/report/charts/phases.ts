import { barX, text } from '@observablehq/plot';
import type { ResultFile } from '../../contract.ts';
import { oneLine } from '../escape.ts';
import { formatMs } from '../format.ts';
import { axisOf } from './axis.ts';
import { draw, rowsOf } from './draw.ts';

const ROW = 24;

/** Phases one below the other on the run's own time axis. */
export function phasesChart({ phases }: Pick<ResultFile, 'phases'>): string {
  if (phases.length === 0) return '<p class="soft">No phase was reached.</p>';
  const starts = phases.map(({ startedAt }) => Date.parse(startedAt));
  const origin = Math.min(...starts);
  const ends = phases.map(({ durationMs }, at) => starts[at]! + durationMs - origin);
  const axis = axisOf({ name: 'time since the first began', unit: 'ms' }, Math.max(...ends));
  const rows = phases.map(({ name, durationMs }, at) => ({
    // Two phases of one name are two bars.
    key: at,
    name: oneLine(name),
    from: axis.of(starts[at]! - origin),
    to: axis.of(ends[at]!),
    words: formatMs(durationMs),
  }));
  return draw(`Phases: ${rows.map(({ name, words }) => `${name} ${words}`).join(', ')}`, {
    ...rowsOf(
      rows.map(({ name }) => name),
      ROW,
    ),
    marginRight: 90,
    x: { label: axis.label, grid: true },
    y: {
      domain: rows.map(({ key }) => key),
      label: null,
      padding: 0.3,
      tickFormat: (key: number) => rows[key]?.name ?? '',
    },
    marks: [
      barX(rows, { y: 'key', x1: 'from', x2: 'to', fill: 'var(--accent)', insetRight: -1 }),
      text(rows, { y: 'key', text: 'words', frameAnchor: 'right', textAnchor: 'start', dx: 10 }),
    ],
  });
}
