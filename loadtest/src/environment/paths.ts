import { accessSync, constants, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The project's root folder. */
export const projectRoot = resolve(import.meta.dirname, '../../..');

/**
 * Folder for what is costly to unpack and the same for every run (XDG cache). Where the home folder cannot be written, a
 * folder of this user under the temporary folder takes its place.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'segbench');
  const home = env['HOME'] || homedir();
  try {
    accessSync(home, constants.W_OK);
    return join(home, '.cache', 'segbench');
  } catch {
    return join(tmpdir(), `segbench-cache-${process.getuid?.() ?? 0}`);
  }
}

export interface Owner {
  uid: number;
  gid: number;
}

function enters(folder: string, { uid, gid }: Owner): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  return (mode & (group === gid ? 0o010 : 0o001)) !== 0;
}

/** Whether that user may pass through every folder of an existing path (a clone in /root, mode 700, is shut to others). */
export function reachableBy(path: string, owner: Owner): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (!enters(folder, owner)) return false;
    if (folder === dirname(folder)) return true;
  }
}
