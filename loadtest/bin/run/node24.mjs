import { spawn } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Refusal, root } from './shared.mjs';

/** Runs .ts files by itself, without a warning. */
const NEEDED = [24, 12];

function isNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

const PROGRAM = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
/**
 * What npm installed as an optional package for this platform: in a clone below the root, of the published package beside it.
 * @param {string} folder @returns {string}
 */
function installedAbove(folder) {
  const file = join(folder, PROGRAM);
  return existsSync(file) || dirname(folder) === folder ? file : installedAbove(dirname(folder));
}

/**
 * Puts that Node on the path of every `npm run`. npm does so by itself, but npm 10 takes the link away again together with the
 * packages for other platforms, which have a program of the same name.
 */
export function linkNode24() {
  const installed = join(root, PROGRAM);
  const link = join(root, 'node_modules/.bin/node');
  if (existsSync(installed) && !existsSync(link)) symlinkSync(relative(dirname(link), installed), link);
}

/** The Node that runs the commands: this one where it is new enough, else the one that npm installed. */
export function node24() {
  if (isNewEnough()) return process.execPath;
  const installed = installedAbove(root);
  if (existsSync(installed)) return installed;
  const here = `${process.platform} ${process.arch}, Node ${process.versions.node}`;
  throw new Refusal(
    `Node ${NEEDED.join('.')} or newer is needed, and npm has none for this platform (${here}): install it from https://nodejs.org or with your package manager`,
  );
}

/**
 * Runs a command's entry on Node 24 and resolves with its exit code. Signals go on to it as messages, for a terminal sends
 * Ctrl-C to it too, and it must be able to tell two presses from one press that came twice.
 * @param {string} entry @param {string[]} args @returns {Promise<number>}
 */
export function startNode24(entry, args) {
  return new Promise((done, fail) => {
    const child = spawn(node24(), [entry, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (child.connected) child.send({ type: 'signal', signal }, () => {});
    };
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.on(signal, () => forward(signal));
    }
    child.once('error', fail);
    child.once('close', (code, signal) => {
      if (signal === 'SIGINT' || signal === 'SIGHUP') done(130);
      else done(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
