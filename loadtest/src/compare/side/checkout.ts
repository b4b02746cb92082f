import { cp, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../cli/usage-error.ts';
import { EnvironmentError } from '../../environment/errors.ts';
import { projectRoot } from '../../environment/paths.ts';
import { capture } from '../../environment/processes.ts';
import type { SideInfo } from '../contract.ts';
import { outerEnvironment, startCommand } from './npm.ts';

const LAST_LINES = 8;
const lastLines = (text: string): string => text.trim().split('\n').slice(-LAST_LINES).join('\n');

/** The commit that a name stands for. @throws UsageError where there is none, or no repository */
export async function resolveRef(ref: string, repository = projectRoot): Promise<string> {
  const found = await capture('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], {
    cwd: repository,
  }).catch((error: unknown) => {
    throw new EnvironmentError(`git cannot be run, and base is checked out by it: ${String(error)}`);
  });
  if (found.code === 0) return found.stdout.trim();
  const isRepository = (await capture('git', ['rev-parse', '--git-dir'], { cwd: repository })).code === 0;
  if (!isRepository)
    throw new UsageError(`--against "${ref}": ${repository} is no git repository, so it has no commits`);
  throw new UsageError(
    `--against "${ref}" names no commit here; allowed: a branch, tag or commit (a shallow clone lacks most: git fetch --unshallow)`,
  );
}

/** The commit of head, `+changes` where files differ from it: what runs is the working tree as it is. */
export async function describeHead(repository = projectRoot): Promise<SideInfo> {
  const git = async (...args: string[]) => (await capture('git', args, { cwd: repository })).stdout.trim();
  const commit = await git('rev-parse', 'HEAD');
  const changed = (await git('status', '--porcelain', '--untracked-files=no')) !== '';
  return { name: 'head', ref: 'working tree', commit: changed ? `${commit}+changes` : commit };
}

interface CheckoutOptions {
  ref: string;
  commit: string;
  /** Made here; must not exist. */
  directory: string;
  signal: AbortSignal;
  repository?: string;
}

/**
 * A clone of this repository at the commit, in a folder that can be thrown away. No `git worktree`: that notes the folder in the
 * repository, where it stays when we are killed.
 */
export async function checkOut({
  ref,
  commit,
  directory,
  signal,
  repository = projectRoot,
}: CheckoutOptions): Promise<void> {
  const steps = [
    ['clone', '--quiet', '--shared', '--no-checkout', repository, directory],
    ['-C', directory, 'checkout', '--quiet', '--detach', commit],
  ];
  for (const args of steps) {
    const { code, stderr } = await capture('git', args, { signal });
    if (code !== 0) throw new EnvironmentError(`base (${ref}) cannot be checked out: ${lastLines(stderr)}`);
  }
}

/**
 * Installs base as anybody would: by its own first `npm start`, which runs `npm ci`. Where its lockfile is ours, our packages are
 * linked in first, and it finds them installed.
 * @throws EnvironmentError that names the ref
 */
export async function install({ ref, directory, signal, repository = projectRoot }: CheckoutOptions): Promise<void> {
  if (await hasSameLockfile(directory, repository)) await linkPackages(repository, directory, signal);
  const { command, args } = startCommand(['--help']);
  const { code, stdout, stderr } = await capture(command, args, { cwd: directory, env: outerEnvironment(), signal });
  if (code !== 0)
    throw new EnvironmentError(
      `base (${ref}) does not install: npm start -- --help ended with code ${code}:\n${lastLines(stdout + stderr)}`,
    );
}

async function hasSameLockfile(directory: string, repository: string): Promise<boolean> {
  const [theirs, ours] = await Promise.all(
    [directory, repository].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => undefined)),
  );
  return theirs !== undefined && theirs === ours;
}

/** Hard links where both lie on one file system; a copy is slower than npm's own cache, so elsewhere npm installs. */
async function linkPackages(repository: string, directory: string, signal: AbortSignal): Promise<void> {
  const from = join(repository, 'node_modules');
  const [ours, theirs] = await Promise.all([stat(from).catch(() => undefined), stat(directory)]);
  if (!ours || ours.dev !== theirs.dev) return;
  const { code } = await capture('cp', ['-al', from, join(directory, 'node_modules')], { signal });
  if (code !== 0) await cp(from, join(directory, 'node_modules'), { recursive: true, verbatimSymlinks: true });
}
