import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a commit of the stub does; see `start.mjs`. */
export interface Plant {
  burnMs?: number;
  queries?: number;
  bytes?: number;
  dieAtBatch?: number;
  doesNotInstall?: boolean;
  twice?: boolean;
}

export interface StubRepository {
  directory: string;
  /** Of base, which has no plant unless one was given. */
  base: string;
}

/** A git repository whose commits are stub services: base, then head, which is checked out. */
export function createStubRepository(head: Plant, base: Plant = {}): StubRepository {
  const directory = mkdtempSync(join(tmpdir(), 'segbench-stub-'));
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      cwd: directory,
      encoding: 'utf8',
    });
  const write = (plant: Plant): void =>
    writeFileSync(join(directory, 'plant.json'), JSON.stringify({ modules: import.meta.filename, ...plant }));
  git('init', '-q');
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ scripts: { start: 'node start.mjs' } }));
  copyFileSync(join(import.meta.dirname, 'start.mjs'), join(directory, 'start.mjs'));
  write(base);
  git('add', '-A');
  git('commit', '-qm', 'base');
  const commit = git('rev-parse', 'HEAD').trim();
  write(head);
  git('commit', '-qam', 'head', '--allow-empty');
  return { directory, base: commit };
}
