import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { node24 } from './node24.mjs';
import { Refusal, root, runToStderr, underLock } from './shared.mjs';

const dist = join(root, 'dashboards/dist');
const stampFile = join(dist, '.segbench-build');
/** What the pages are made from. */
const SOURCES = [
  'dashboards',
  'service/src/contract',
  'service/src/exports/cells.ts',
  'service/src/exports/texts.ts',
  'scenarios',
  'vite.config.ts',
  'package-lock.json',
];

/** @param {string} path @returns {string[]} files below it, without what a build or a test makes */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name !== 'dist' && name !== 'test' && !name.startsWith('.'));
  return names.sort().flatMap((name) => filesBelow(join(path, name)));
}

function wantedStamp() {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesBelow(join(root, source)))) {
    const content = readFileSync(file);
    hash.update(`${file.slice(root.length)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function isFresh() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wantedStamp();
}

/** @param {AbortSignal} signal */
async function build(signal) {
  const stamp = wantedStamp();
  const fresh = join(root, `dashboards/.dist-${process.pid}`);
  const old = `${fresh}-old`;
  try {
    process.stderr.write('building the pages\n');
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const args = [vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'];
    const code = await runToStderr(node24(), args, { signal, env: { ...process.env, NODE_ENV: 'production' } });
    if (code !== 0)
      throw new Refusal(`the pages cannot be built: vite build failed with code ${code} (its messages are above)`);
    writeFileSync(join(fresh, '.segbench-build'), stamp);
    // Changed by renaming: a service that runs, and an interrupted build, never see half of the pages.
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    for (const path of [fresh, old]) rmSync(path, { recursive: true, force: true });
  }
}

/** Builds the pages where their sources changed since the last build. @param {AbortSignal} signal */
export async function buildDashboards(signal) {
  if (!existsSync(join(root, 'dashboards/index.html')) || isFresh()) return;
  await underLock(signal, async () => {
    if (!isFresh()) await build(signal);
  });
}
