import { accessSync, constants, existsSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/**
 * A folder that can be written, or made where it is missing: told now, not after the servers have started. The first that is missing is
 * made and taken away again, since under /proc Node's recursive `mkdir` never returns.
 * @throws UsageError naming flag, value and what is allowed
 */
export function newFolder(flag: string, path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`--${flag} "${path}" is a file; allowed: a folder, made where it is missing`);
  let missing: string | undefined;
  let parent = resolve(path);
  for (; !existsSync(parent); parent = dirname(parent)) missing = parent;
  try {
    accessSync(parent, constants.W_OK);
    if (!statSync(parent).isDirectory()) throw new Error('it is a file');
    if (missing !== undefined) {
      mkdirSync(missing);
      rmdirSync(missing);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `--${flag} "${path}" cannot be made in "${parent}": ${why}; allowed: a folder that can be written`,
    );
  }
  return path;
}
