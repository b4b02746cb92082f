/** Where a figure comes from, from the surest on: seen, fitted to what was seen, simulated, taken for granted, or asked for. */
export const ORIGINS = ['measured', 'fitted', 'simulated', 'assumed', 'given'] as const;
export type Origin = (typeof ORIGINS)[number];
export type FigureUnit = 'ms' | 'bytes' | 'count' | 'ratio' | 'per-second' | 'money' | 'bits-per-second';

/** A number of a plan, which never goes without its source. */
export interface Figure {
  /** Null: there is none, and `source` says why. */
  value: number | null;
  unit: FigureUnit;
  /** Ends of a 95 % interval; `high` null where there is no upper end. */
  low?: number;
  high?: number | null;
  origin: Origin;
  /** File, field and how it was come by; of an assumption, what it rests on. */
  source: string;
  /** Why it goes beyond what was measured. */
  outside?: string;
}

export type Sourced = Pick<Figure, 'origin' | 'source' | 'outside'>;

export const figure = (value: number | null, unit: FigureUnit, sourced: Sourced): Figure => ({
  value,
  unit,
  origin: sourced.origin,
  source: sourced.source,
  ...(sourced.outside === undefined ? {} : { outside: sourced.outside }),
});

/** Why one of several is outside, or undefined. */
export const firstOutside = (...reasons: (string | null | undefined)[]): { outside?: string } => {
  const found = reasons.filter((reason) => reason !== null && reason !== undefined);
  return found.length === 0 ? {} : { outside: [...new Set(found)].join('; ') };
};
