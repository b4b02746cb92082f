import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../src/environment/paths.ts';

const run = promisify(execFile);
let folder: string;
let dist: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-dist-'));
  dist = join(folder, 'dist');
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  await run(process.execPath, [join(projectRoot, 'release/build.mjs'), '--out', dist]);
  files = (await readdir(dist, { recursive: true, withFileTypes: true })).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Files that a program names beside itself: imports, and what it starts as processes and threads. */
const NAMED = [
  /\bfrom\s+'([^']+)'/g,
  /\bimport\('([^']+)'\)/g,
  /\bimport\s+'([^']+)'/g,
  /new URL\('([^']+\.[jt]s)', import\.meta\.url\)/g,
  /import\.meta\.dirname, '([^']+)'\)/g,
];
const targetOf = (file: string, name: string) =>
  name.startsWith('#contract/')
    ? join(dist, 'service/src/contract', name.slice('#contract/'.length))
    : join(dirname(file), name);

it('has no types, and every file that one of its programs names', async () => {
  expect(files.filter((file) => /\.tsx?$/.test(file))).toEqual([]);
  const programs = files.filter((file) => /\.m?js$/.test(file) && !file.includes('/dashboards/'));
  expect(programs.length).toBeGreaterThan(400);
  const missing: string[] = [];
  let named = 0;
  for (const file of programs) {
    const code = await readFile(file, 'utf8');
    for (const [, name = ''] of NAMED.flatMap((pattern) => [...code.matchAll(pattern)])) {
      if (!/^(\.|#contract\/|[\w-]+\.[jt]s$)/.test(name)) continue;
      named++;
      if (!existsSync(targetOf(file, name))) missing.push(`${file.slice(dist.length)}: ${name}`);
    }
  }
  expect(named).toBeGreaterThan(1_000);
  expect(missing).toEqual([]);
});

it('starts, and offers what works without the sources', async () => {
  const program = join(dist, 'loadtest/bin/run.mjs');
  const [usage, list, help] = await Promise.all(
    [['--help'], ['bench', '--list'], ['start', '--help']].map(async (args) =>
      run(process.execPath, [program, ...args]).then(({ stdout }) => stdout),
    ),
  );
  expect(usage).toMatch(/^usage: segbench <command> \[options\]/);
  expect(usage).not.toMatch(/^ {2}(test|check|report) /m);
  expect(list).toContain('bulk-1000');
  expect(help).toContain('DATABASE_URL');
});
