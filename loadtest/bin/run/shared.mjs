import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Whether this is the published package: then everything is installed and built, and there are no types left. */
export const isBuilt = !existsSync(join(root, 'service/src/main.ts'));

/** Ends the command with a message and an exit code of the contract: 3 environment missing, 130 interrupted. */
export class Refusal extends Error {
  /** @param {string} message @param {number} exitCode */
  constructor(message, exitCode = 3) {
    super(message);
    this.exitCode = exitCode;
  }
}

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Turns signals into an abort for as long as something is installed; `release` gives them back. */
export function interruption() {
  const controller = new AbortController();
  const abort = () => controller.abort(new Refusal('interrupted', 130));
  for (const signal of SIGNALS) process.on(signal, abort);
  return {
    signal: controller.signal,
    release() {
      for (const signal of SIGNALS) process.off(signal, abort);
    },
  };
}

/**
 * Runs a program to its end with all its output on stderr. Rejects with the signal's reason once an aborted program is gone.
 * @param {string} command @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, signal: AbortSignal }} options
 * @returns {Promise<number | null>} its exit code
 */
export function runToStderr(command, args, { env, signal }) {
  return new Promise((done, fail) => {
    signal.throwIfAborted();
    const child = spawn(command, args, { cwd: root, env: env ?? process.env, stdio: ['ignore', 2, 2], detached: true });
    // An installer outlives a launcher that is killed by -9: the next start waits for it too.
    if (child.pid && existsSync(lockDir)) writeFileSync(join(lockDir, 'child'), String(child.pid));
    // A group of its own: npm's children end with it, and the lock is given back only when all of them are gone.
    const kill = (/** @type {NodeJS.Signals} */ how) => {
      try {
        if (child.pid) process.kill(-child.pid, how);
      } catch {
        // Gone already.
      }
    };
    const abort = () => {
      kill('SIGTERM');
      setTimeout(() => kill('SIGKILL'), 3000).unref();
    };
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', fail);
    child.once('close', (code) => {
      signal.removeEventListener('abort', abort);
      kill('SIGKILL');
      if (signal.aborted) fail(signal.reason);
      else done(code);
    });
  });
}

const lockDir = join(root, '.segbench/install.lock');

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    // Ended and not yet collected counts as gone.
    return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} name @returns {number | undefined} */
function pidIn(name) {
  try {
    return Number(readFileSync(join(lockDir, name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {string} path a folder made ready; takes its new name only where none stands there */
function renamed(path) {
  try {
    renameSync(path, lockDir);
    return true;
  } catch {
    return false;
  }
}

/**
 * Does the work while no other start of this clone installs or builds. A dead holder's lock is taken over.
 * @template T @param {AbortSignal} signal @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function underLock(signal, work) {
  // Made under another name and moved into place with its content: it is never seen half-made.
  const draft = `${lockDir}-${process.pid}-${randomBytes(3).toString('hex')}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'pid'), String(process.pid));
  try {
    for (let told = false; !renamed(draft);) {
      const holder = pidIn('pid');
      const installer = pidIn('child');
      const isHeld = holder === undefined || isAlive(holder) || (installer !== undefined && isAlive(installer));
      if (!isHeld) {
        // Moved away first, so that of two who see a dead holder only one removes its lock.
        try {
          renameSync(lockDir, `${draft}-dead`);
        } catch {
          // The other one was faster.
        }
        rmSync(`${draft}-dead`, { recursive: true, force: true });
        continue;
      }
      if (!told && holder !== undefined) process.stderr.write(`waiting for process ${holder}, which installs here\n`);
      told ||= holder !== undefined;
      await sleep(200, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  try {
    return await work();
  } finally {
    rmSync(lockDir, { recursive: true, force: true });
  }
}
