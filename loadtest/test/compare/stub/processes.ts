import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const readOr = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/** Living processes that run in this folder, or in a clone that names it as its origin. */
export function processesIn(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const cwd = readOr(() => readlinkSync(`/proc/${pid}/cwd`));
      if (cwd === '') return false;
      const origin = readOr(() => readFileSync(`${cwd}/.git/config`, 'utf8'));
      return cwd.startsWith(directory) || origin.includes(directory) || cwd.includes(`${directory} (deleted)`);
    })
    .filter((pid) => !/\) Z /.test(readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))))
    .map((pid) => readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' '));
}
