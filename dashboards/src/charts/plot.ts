import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatClock } from '../models/format.ts';
import type { ChartData, Mark } from '../models/charts.ts';

/** Colours as a canvas takes them. */
export interface Inks {
  lines: string[];
  axis: string;
  grid: string;
  budget: string;
}
export interface PlotOptions {
  host: HTMLElement;
  width: number;
  height: number;
  inks: Inks;
  log: boolean;
  /** Which line is a share, 0 to 1 from the bottom to the top. */
  share?: number | undefined;
  format: (value: number) => string;
  /** Of the labels below; a clock's time where there is none. */
  formatX?: (value: number) => string;
  /** Points are drawn as well: of few values. */
  points?: boolean;
  /** Where in the columns somebody moved the cursor to; null for away. */
  onCursor: (index: number | null) => void;
}
export type Plot = ReturnType<typeof createPlot>;

const FONT = '11px system-ui, sans-serif';
/** As much room above as the other lines have. */
const SHARE: [number, number] = [0, 1.1];
const DASH = { baseline: [6, 4], budget: [2, 3] } as const;

/** One chart over time: lines, and level marks for baseline and budget. */
export function createPlot(options: PlotOptions) {
  const { host, width, height, inks, log, share, format, formatX = formatClock } = options;
  let marks: readonly Mark[] = [];
  // A logarithmic axis from 0 on has no end of marks.
  let range: [number, number] = log ? [0.1, 1] : [0, 1];

  const scaleOf = (line: number): string => (line === share ? 'share' : 'y');
  function drawMarks(of: uPlot): void {
    const { ctx, bbox } = of;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    for (const { kind, value, line } of marks) {
      const [low, high] = line === share ? SHARE : range;
      if (value < low || value > high) continue;
      const y = Math.round(of.valToPos(value, scaleOf(line), true));
      ctx.strokeStyle = kind === 'budget' ? inks.budget : inks.lines[line]!;
      ctx.globalAlpha = kind === 'budget' ? 1 : 0.75;
      ctx.setLineDash(DASH[kind].map((part) => part * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }
  /** Of a logarithmic axis: powers of ten, each with its line. */
  const powers = (): number[] => {
    const [low, high] = range.map((value) => Math.round(Math.log10(value))) as [number, number];
    return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  };
  const axis = { stroke: inks.axis, font: FONT, ticks: { show: false }, grid: { stroke: inks.grid, width: 1 } };
  const plot = new uPlot(
    {
      width,
      height,
      legend: { show: false },
      padding: [6, 24, 0, 0],
      cursor: {
        drag: { x: false, y: false },
        y: false,
        points: { size: 6 },
      },
      scales: { x: { time: false }, y: { distr: log ? 3 : 1, range: () => range }, share: { range: SHARE } },
      axes: [
        { ...axis, size: 22, space: 70, values: (_, splits) => splits.map(formatX) },
        {
          ...axis,
          ...(log && { splits: powers, filter: (_: uPlot, splits: number[]) => splits }),
          size: 54,
          space: 28,
          values: (_, splits) => splits.map((value) => (value === null ? '' : format(value))),
        },
      ],
      series: [
        {},
        ...inks.lines.map((stroke, line) => ({
          stroke,
          scale: scaleOf(line),
          width: 1.5,
          spanGaps: options.points === true,
          points: { show: options.points === true },
        })),
      ],
      hooks: { draw: [drawMarks], setCursor: [({ cursor }) => options.onCursor(cursor.idx ?? null)] },
    },
    [[], ...inks.lines.map(() => [])] as unknown as uPlot.AlignedData,
    host,
  );
  return {
    set(data: ChartData): void {
      ({ marks, range } = data);
      plot.setData(data.columns as uPlot.AlignedData);
    },
    resize: (size: { width: number; height: number }): void => plot.setSize(size),
    /** Shows the cursor where another chart, or the keyboard, put it; tells nobody. */
    point(index: number | null): void {
      if (index === (plot.cursor.idx ?? null)) return;
      const x = index === null ? undefined : plot.data[0][index];
      plot.setCursor(x === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(x, 'x'), top: 1 }, false);
    },
    destroy: (): void => plot.destroy(),
  };
}
