import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

/** One flag. `value` absent: a switch. `value`: how the help names its argument. `many`: each time it is given counts. */
export interface FlagSpec {
  value?: string;
  many?: true;
  help: string;
}
export type FlagTable = Readonly<Record<string, FlagSpec>>;
/** By flag name without dashes: the last value given, `true` for a switch; of one that counts each time all, see `textsOf`. */
export type FlagValues = Readonly<Record<string, string | true>>;

/** No argument can hold it. */
const BETWEEN = '\0';

/**
 * Splits a command line by a table of flags.
 * @throws UsageError for an unknown flag (naming the nearest one), a missing or superfluous value, or a positional argument.
 */
export function parseFlags(args: readonly string[], table: FlagTable): FlagValues {
  const options: Record<string, { type: 'string' | 'boolean' }> = {};
  for (const [name, spec] of Object.entries(table)) options[name] = { type: spec.value ? 'string' : 'boolean' };
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const values: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw unexpected(token.value, table);
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined) throw unknownFlag(token.rawName, table);
    if (spec.value === undefined) {
      if (token.value !== undefined)
        throw new UsageError(`--${token.name} is a switch and takes no value, got "${token.value}"`);
      values[token.name] = true;
      continue;
    }
    // Without "=", the next argument is taken even when it is a flag: `--count --quick` is a forgotten value.
    const forgotten =
      token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('--'));
    if (forgotten) throw new UsageError(`--${token.name} needs a value: --${token.name} ${spec.value}`);
    const before = textsOf(values, token.name);
    values[token.name] = [...(spec.many === true ? before : []), token.value ?? ''].join(BETWEEN);
  }
  return values;
}

/** A whole number within [min, max], or the fallback where the flag is absent. @throws UsageError */
export function wholeNumber(values: FlagValues, name: string, range: { min: number; max: number }): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= range.min && number <= range.max)) {
    throw new UsageError(
      `--${name} "${text}" is not allowed; allowed: a whole number from ${range.min} to ${range.max}`,
    );
  }
  return number;
}

/** One of the allowed words. @throws UsageError that lists them and names the nearest. */
export function oneOf<const T extends string>(values: FlagValues, name: string, allowed: readonly T[]): T | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const found = allowed.find((word) => word === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--${name} "${text}" is not allowed; allowed: ${allowed.join(', ')}${suggestion(String(text), allowed)}`,
  );
}

export function textOf(values: FlagValues, name: string): string | undefined {
  const text = values[name];
  return typeof text === 'string' ? text : undefined;
}

/** Every value of a flag that counts each time. */
export const textsOf = (values: FlagValues, name: string): string[] => textOf(values, name)?.split(BETWEEN) ?? [];

/** ` (did you mean "x"?)` when one word is near enough to be a slip of the fingers, else nothing. */
export function suggestion(text: string, words: readonly string[], prefix = ''): string {
  const bare = text.replace(/^-+/, '').toLowerCase();
  let best: { word: string; distance: number } | undefined;
  for (const word of words) {
    const distance = word.startsWith(bare) && bare.length >= 2 ? 0 : editDistance(bare, word);
    if (best === undefined || distance < best.distance) best = { word, distance };
  }
  const near = best !== undefined && best.distance <= Math.max(1, Math.floor(Math.max(bare.length, 3) / 3));
  return near && best ? ` (did you mean "${prefix}${best.word}"?)` : '';
}

export function helpOf(title: string, usage: string, table: FlagTable): string {
  const rows = Object.entries(table).map(([name, spec]) => [
    `--${name}${spec.value ? ` ${spec.value}` : ''}`,
    spec.help,
  ]);
  const width = Math.max(...rows.map(([flag]) => flag?.length ?? 0));
  return [
    title,
    '',
    `usage: ${usage}`,
    '',
    ...rows.map(([flag, help]) => `  ${(flag ?? '').padEnd(width)}  ${help}`),
  ].join('\n');
}

function unknownFlag(rawName: string, table: FlagTable): UsageError {
  const names = Object.keys(table);
  return new UsageError(
    `unknown flag "${rawName}"${suggestion(rawName, names, '--')}; allowed: ${names.map((name) => `--${name}`).join(', ')}`,
  );
}

function unexpected(value: string, table: FlagTable): UsageError {
  return new UsageError(
    `unexpected argument "${value}"${suggestion(value, Object.keys(table), '--')}; this command takes flags only (see --help)`,
  );
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count 1 each. */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      const row = rows[i];
      if (row === undefined) continue;
      if (i === 0 || j === 0) row[j] = i + j;
      else {
        const cost = a[i - 1] === b[j - 1] ? 0 : 1;
        row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
          row[j] = Math.min(row[j] ?? 0, at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.length, b.length);
}
