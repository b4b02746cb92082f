import type { FileVariable } from './file.ts';
import { durationText, intervalMs, rateIntervalMs, type TimeRange } from './time.ts';

export type Values = Readonly<Record<string, string>>;

const REFERENCE = /\$\{(\w+)(:\w+)?\}|\$(\w+)|\[\[(\w+)\]\]/g;

/** Fills in `$name`, `${name}` and `[[name]]`. @throws Error for a name that has no value, or one that asks for a format */
export function interpolate(text: string, values: Values): string {
  return text.replaceAll(REFERENCE, (whole, braced?: string, format?: string, bare?: string, old?: string) => {
    const name = braced ?? bare ?? old ?? '';
    if (format !== undefined) throw new Error(`the variable ${whole} asks for a format, which is not drawn here`);
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`the variable $${name} has no value: ${text}`);
    return value;
  });
}

/** Of a panel that is so many pixels wide. */
export function timeValues(range: TimeRange, pixels: number, scrapeMs: number): Values {
  const step = intervalMs(range, pixels, scrapeMs);
  const rate = rateIntervalMs(step, scrapeMs);
  const span = range.toMs - range.fromMs;
  return {
    __interval: durationText(step),
    __interval_ms: String(step),
    __rate_interval: durationText(rate),
    __rate_interval_ms: String(rate),
    __range: durationText(Math.round(span / 1000) * 1000),
    __range_s: String(Math.round(span / 1000)),
    __range_ms: String(span),
  };
}

const ALL = '$__all';
const quoted = (text: string): string => text.replaceAll(/[\\^$*+?.()|[\]{}]/g, String.raw`\\$&`);

/** What a variable stands for in a query, and how a reader is told. `chosen` wins over what the file has. @throws Error */
export function chosenValue(
  { name, allValue, current }: FileVariable,
  chosen: readonly string[] = [],
): { value: string; shown: string } {
  const picked = chosen.length > 0 ? chosen : [current?.value ?? []].flat();
  if (picked.length === 0) throw new Error(`the variable $${name} has no value in the file: choose one`);
  if (!picked.includes(ALL)) return { value: orOf(picked), shown: picked.join(', ') };
  if (allValue === undefined || allValue === '')
    throw new Error(`the variable $${name} stands for all, and the file does not say how all is asked for`);
  return { value: allValue, shown: 'All' };
}
/** As Grafana writes several values into a Prometheus query. */
const orOf = (picked: readonly string[]): string =>
  picked.length === 1 ? quoted(picked[0]!) : `(${picked.map(quoted).join('|')})`;
