/** Pieces of PromQL. A range is a duration such as `5m`. */
export type OverRange = (range: string) => string;

/** Of series with these label matchers, but for those with the other ones: PromQL cannot say "not both". */
export interface Selection {
  only?: string;
  but?: string;
}

const series = (metric: string, matchers: readonly string[]): string => {
  const list = matchers.filter((matcher) => matcher !== '').join(', ');
  return list === '' ? metric : `${metric}{${list}}`;
};

/** `sum(rate(…))`, or another function of a range. */
export function summed(
  over: 'rate' | 'increase',
  metric: string,
  { only = '', but = '' }: Selection = {},
  by = '',
): OverRange {
  const grouped = by === '' ? 'sum' : `sum by (${by})`;
  return (range) => {
    const taken = `${over}(${series(metric, [only])}[${range}])`;
    return but === ''
      ? `${grouped} (${taken})`
      : `${grouped} (${taken} unless ${over}(${series(metric, [but])}[${range}]))`;
  };
}

/** An edge of a bucket as either format writes it: OpenMetrics says 5.0 where the plain one says 5. */
export const edge = (limit: number): string =>
  Number.isInteger(limit) ? `le=~"${limit}|${limit}.0"` : `le="${limit}"`;

const both = (...matchers: readonly string[]): string => matchers.filter((matcher) => matcher !== '').join(', ');

/** A classic histogram whose buckets have an edge at `limit`: what lies above is counted, not interpolated. */
export function histogram(name: string, only = '') {
  return {
    events: summed('rate', `${name}_count`, { only }),
    counted: summed('increase', `${name}_count`, { only }),
    above:
      (limit: number): OverRange =>
      (range) => {
        const within = summed('rate', `${name}_bucket`, { only: both(only, edge(limit)) });
        return `clamp_min(${summed('rate', `${name}_count`, { only })(range)} - ${within(range)}, 0)`;
      },
    quantile:
      (q: number): OverRange =>
      (range) =>
        `histogram_quantile(${q}, ${summed('rate', `${name}_bucket`, { only }, 'le')(range)})`,
  };
}
