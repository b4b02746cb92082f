import type { Figure } from '../capacity/figure.ts';
import { formatBytes, formatCount } from './format.ts';

const STEPS = [
  [86_400_000 * 3, 86_400_000, 'd'],
  [3_600_000 * 2, 3_600_000, 'h'],
  [60_000 * 2, 60_000, 'min'],
  [1000, 1000, 's'],
  [0, 1, 'ms'],
] as const;

/** Two to four figures in the largest unit of which there are some. */
export function formatDuration(ms: number): string {
  const [, step, name] = STEPS.find(([from]) => ms >= from) ?? STEPS[4];
  return `${digits(ms / step)} ${name}`;
}

/** As many decimals as three figures take. */
export function digits(value: number): string {
  const size = Math.abs(value);
  const decimals =
    size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : Math.min(8, 2 - Math.floor(Math.log10(size)));
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: decimals }).format(value);
}

function formatOne(value: number, unit: Figure['unit'], currency: string): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 'bytes':
      return value >= 1e12 ? `${digits(value / 1e12)} TB` : formatBytes(value);
    case 'count':
      return formatCount(value);
    case 'ratio':
      return `${digits(100 * value)} %`;
    case 'per-second':
      return `${digits(value)} /s`;
    case 'bits-per-second':
      return value >= 1e6 ? `${digits(value / 1e6)} Mbit/s` : `${digits(value / 1e3)} kbit/s`;
    case 'money':
      return `${value >= 100 ? formatCount(Math.round(value)) : digits(value)} ${currency}`.trim();
  }
}

export const formatFigure = ({ value, unit }: Pick<Figure, 'value' | 'unit'>, currency = ''): string =>
  value === null ? '–' : formatOne(value, unit, currency);

/** `3 to 4`; nothing where there is no interval. */
export function formatEnds({ value, unit, low, high }: Figure, currency = ''): string {
  if (value === null || low === undefined) return '';
  const from = formatOne(low, unit, currency);
  return high === null || high === undefined ? `${from} or more` : `${from} to ${formatOne(high, unit, currency)}`;
}

/** `3 (95 %: 3 to 4)`. */
export function withEnds(figure: Figure, currency = ''): string {
  const ends = formatEnds(figure, currency);
  return ends === '' ? formatFigure(figure, currency) : `${formatFigure(figure, currency)} (95 %: ${ends})`;
}
