#!/usr/bin/env node
/**
 * Builds `dist/`, the part of the published package that runs: the same tree as here with the types taken out of it (Node refuses
 * to do that below `node_modules`), the built pages, and what both need beside them. `npm pack` and `npm publish` call it.
 * Usage: node release/build.mjs [--out DIR]
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDashboards } from '../loadtest/bin/run/dashboards.mjs';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } });
const dist = resolve(values.out);

/** What goes in, and what of it stays out. */
const PARTS = [
  'loadtest/bin',
  'loadtest/src',
  'loadtest/noise',
  'scenarios',
  'service/src',
  'service/migrations',
  'service/models',
  'dashboards/dist',
  'bench-results/reference/fairness.json',
];
/** Commands of a clone: they work on the sources. */
const OUT = [
  'loadtest/src/cli/test.ts',
  'loadtest/src/cli/check.ts',
  'loadtest/src/cli/report.ts',
  'loadtest/src/cli/screenshots.ts',
  'loadtest/src/cli/scale.ts',
  'loadtest/src/scale',
  'loadtest/src/faults/plants.ts',
  'loadtest/src/plants',
  'scenarios/test',
  'service/models/nuclei/train',
  'service/models/statistics/statistics_of_images.py',
];

/** @param {string} path relative to the root @returns {string[]} */
function filesBelow(path) {
  if (OUT.includes(path)) return [];
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/**
 * Names of files in quotes: of imports, and of programs that are started as processes or threads.
 * @param {string} code
 */
const renamed = (code) => code.replace(/(['"])((?:[\w#.-]+\/)*[\w.-]+)\.ts\1/g, '$1$2.js$1');

/** @param {string} path */
function write(path) {
  const target = join(dist, path.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  if (path.endsWith('.ts')) {
    const code = stripTypeScriptTypes(readFileSync(join(root, path), 'utf8'), { mode: 'strip' });
    // stripping leaves blanks where types were
    writeFileSync(target, renamed(code).replace(/[ \t]+$/gm, ''));
  } else cpSync(join(root, path), target);
}

/** @param {string} command @param {string[]} args */
const said = (command, ...args) => execFileSync(command, args, { cwd: root, encoding: 'utf8' }).trim();

function commit() {
  try {
    return said('git', 'rev-parse', 'HEAD') + (said('git', 'status', '--porcelain', '-uno') ? '+changes' : '');
  } catch {
    return 'unknown';
  }
}

process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'ExperimentalWarning') process.stderr.write(`${name}: ${message}\n`);
});
await buildDashboards(new AbortController().signal);
rmSync(dist, { recursive: true, force: true });
const files = PARTS.flatMap(filesBelow);
files.forEach(write);
const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifest = {
  name,
  version,
  license,
  type: 'module',
  commit: commit(),
  imports: { '#contract/*': './service/src/contract/*' },
};
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
process.stderr.write(`dist: ${files.length} files of ${manifest.commit}\n`);
