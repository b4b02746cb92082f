import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ResultFile } from '../contract.ts';
import { projectRoot } from '../environment/paths.ts';

/** Name, version and commit of this tool; `unknown` where it does not run from a repository. */
export async function describeTool(): Promise<ResultFile['tool']> {
  const manifest = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    /** Of the published package; a repository that it was installed into is another one. */
    commit?: string;
  };
  const { name, version } = manifest;
  if (manifest.commit !== undefined) return { name, version, commit: manifest.commit };
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: projectRoot, timeout: 5_000 });
  const commit = await git('rev-parse', 'HEAD')
    .then(({ stdout }) => stdout.trim())
    .catch(() => 'unknown');
  const changed = await git('status', '--porcelain', '--untracked-files=no')
    .then(({ stdout }) => stdout.trim() !== '')
    .catch(() => false);
  return { name, version, commit: changed ? `${commit}+changes` : commit };
}
