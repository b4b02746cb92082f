#!/usr/bin/env node
/**
 * Entry of every command. Plain JavaScript without dependencies, for it runs before anything is installed and on Node 20:
 * installs what is missing, builds the pages, then hands over to `loadtest/src/cli/<command>.ts` on Node 24.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildDashboards } from './run/dashboards.mjs';
import { ensureInstalled } from './run/install.mjs';
import { watchAncestors } from './run/ancestors.mjs';
import { node24, startNode24 } from './run/node24.mjs';
import { Refusal, interruption, isBuilt, root } from './run/shared.mjs';

const COMMANDS = {
  bench: 'brings up the environment, replays a scenario, judges its budgets',
  start: 'the service with database, queue, workers and pages at one address',
  compare: 'this working tree against another commit, paired and interleaved',
  test: 'the whole test suite; arguments go to vitest',
  backup: 'copies the data of a running start, to go on from',
  worker: 'inference for a service that runs elsewhere',
  plan: 'how many workers a load needs, from what was measured',
  calibrate: 'measures what batches cost on a backend, and writes a profile to simulate it by',
  report: 'makes BENCHMARKS.md from the result files that are kept',
  screenshots: 'pictures of every page, from a service of its own with real data',
  check: 'types, lint, format, and that BENCHMARKS.md is up to date',
  doctor: 'checks a model of your own, and which execution providers can run here',
  scale: 'workers and API replicas of the composed system, while it runs',
};
/** These need the pages; the checks read only their source. */
const WITH_PAGES = ['bench', 'start', 'test', 'screenshots'];

/** @param {string} command */
const entryOf = (command) => join(root, 'loadtest/src/cli', `${command}${isBuilt ? '.js' : '.ts'}`);
/** Of the published package some are left out: they work on the sources. */
const known = Object.keys(COMMANDS).filter((command) => existsSync(entryOf(command)));
const caller = isBuilt ? 'segbench <command>' : 'npm run <command> --';

function usage() {
  const lines = Object.entries(COMMANDS)
    .filter(([name]) => known.includes(name))
    .map(([name, what]) => `  ${name.padEnd(13)}${what}`);
  return [`usage: ${caller} [options]`, '', ...lines, '', `${caller} --help tells more.`].join('\n');
}

/** @param {string} command @param {string[]} args */
async function run(command, args) {
  watchAncestors(() => process.kill(process.pid, 'SIGHUP'));
  const stopInstalling = interruption();
  if (!isBuilt) await ensureInstalled(stopInstalling.signal);
  const onlyHelp = args.includes('--help');
  if (!isBuilt && WITH_PAGES.includes(command) && !onlyHelp) await buildDashboards(stopInstalling.signal);
  stopInstalling.release();
  const entry = entryOf(command);
  if (node24() === process.execPath) {
    process.argv = [process.execPath, entry, ...args];
    await import(pathToFileURL(entry).href);
  } else {
    process.exitCode = await startNode24(entry, args);
  }
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined || command === '--help' || command === '-h') {
  process.stdout.write(`${usage()}\n`);
  process.exitCode = command === undefined ? 2 : 0;
} else if (!known.includes(command)) {
  process.stderr.write(`unknown command "${command}"; allowed: ${known.join(', ')}\n`);
  process.exitCode = 2;
} else {
  try {
    await run(command, args);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

// Nothing is left to do then. Node's own end waits for each request that it counts as open, and one such never came: a finished command
// stood there with a whole CPU (Node 24.21, `Environment::CleanupHandles`).
process.once('beforeExit', () => process.exit());
