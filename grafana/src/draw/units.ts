/** Text of a value with so many digits after the point; as many as tell it apart where that is not said. */
type Format = (value: number, decimals?: number) => string;

/** Three digits that mean something, none after the point of a whole number: as `getDecimalsForValue` of @grafana/data finds them. */
const decimalsOf = (value: number): number =>
  Number.isInteger(value) ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
const fixed: Format = (value, decimals = decimalsOf(value)) => value.toFixed(decimals);

/** Steps up while the value is as large as the next one. */
function scaled(factor: number, names: readonly string[]): Format {
  return (value, decimals) => {
    let step = 0;
    let left = value;
    while (Math.abs(left) >= factor && step < names.length - 1) {
      left /= factor;
      step++;
    }
    return `${fixed(left, decimals)}${names[step]!}`;
  };
}
const SECONDS: readonly (readonly [from: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
];
const seconds: Format = (value, decimals) => {
  if (value === 0) return '0 s';
  const [from, name] = SECONDS.find(([least]) => Math.abs(value) >= least) ?? SECONDS.at(-1)!;
  return `${fixed(value / from, decimals)} ${name}`;
};
const short = scaled(1000, ['', ' K', ' Mil', ' Bil', ' Tri']);
const rate =
  (name: string): Format =>
  (value, decimals) =>
    `${short(value, decimals)} ${name}`;

/** By Grafana's names. */
const UNITS: Readonly<Record<string, Format>> = {
  short,
  s: seconds,
  ms: (value, decimals) => (value === 0 ? '0 ms' : seconds(value / 1000, decimals)),
  bytes: scaled(1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']),
  decbytes: scaled(1000, [' B', ' kB', ' MB', ' GB', ' TB']),
  percentunit: (value, decimals) => `${fixed(value * 100, decimals)}%`,
  reqps: rate('req/s'),
  cps: rate('c/s'),
  cpm: rate('c/m'),
};

/** @throws Error for a unit that is not drawn here */
export function unitOf(name: string): Format {
  const format = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
  if (format === undefined)
    throw new Error(`the unit "${name}" is not drawn; there are ${Object.keys(UNITS).join(', ')}`);
  return format;
}

const MOST_DECIMALS = 4;
const unitIn = (label: string): string => label.replace(/[-\d.]+/, '');

/** Of the marks of an axis: exact, with as few digits as that takes, and with as many as the others of the same unit. */
export function labelsOf(marks: readonly number[], unit: string): string[] {
  const format = unitOf(unit);
  const exact = (mark: number, decimals: number): boolean =>
    Number.parseFloat(format(mark, decimals)) === Number.parseFloat(format(mark, MOST_DECIMALS));
  const least = marks.map((mark) => {
    for (let decimals = 0; decimals < MOST_DECIMALS; decimals++) if (exact(mark, decimals)) return decimals;
    return MOST_DECIMALS;
  });
  const most: Record<string, number> = {};
  for (const [index, mark] of marks.entries()) {
    const name = unitIn(format(mark, 0));
    most[name] = Math.max(most[name] ?? 0, least[index]!);
  }
  return marks.map((mark) => format(mark, most[unitIn(format(mark, 0))]));
}
