/** One line of the doctor. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was found, or what is wrong. */
  found: string;
  /** What to do about it; only where something is wrong. */
  remedy?: string;
}

export const ok = (name: string, found: string): Check => ({ name, ok: true, found });
export const failed = (name: string, found: string, remedy: string): Check => ({ name, ok: false, found, remedy });

export function linesOf(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, ok: isOk, found, remedy }) => {
      const indent = ' '.repeat(8 + width + 2);
      const text = found.trimEnd().replaceAll('\n', `\n${indent}`);
      const line = `${isOk ? 'ok' : 'failed'}`.padEnd(8) + `${name.padEnd(width)}  ${text}`;
      return remedy === undefined ? line : `${line}\n${indent}-> ${remedy.replaceAll('\n', `\n${indent}   `)}`;
    })
    .join('\n');
}
