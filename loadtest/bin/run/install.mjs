import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { linkNode24 } from './node24.mjs';
import { Refusal, root, runToStderr, underLock } from './shared.mjs';

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.segbench-install');

function wantedStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`;
}

/** @param {string} path @returns {string} */
function contentOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * Whether somebody's own `npm ci` made what the lockfile says: npm notes what it installed in a hidden lockfile, last of all.
 * Optional packages for other platforms are missing there by right; those for this one are asked for where they are used.
 */
function installedByHand() {
  const hidden = contentOf(join(modules, '.package-lock.json'));
  if (hidden === '') return false;
  const installed = JSON.parse(hidden).packages ?? {};
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);
  return wanted.every(([path, entry]) => {
    const found = installed[path];
    if (path === '' || (found === undefined && (entry.optional || entry.devOptional))) return true;
    return found?.version === entry.version && found?.integrity === entry.integrity;
  });
}

/** PATH without this project's own programs: `npm ci` removes them while it runs. */
function outerPath() {
  const own = join(modules, '.bin');
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== own)
    .join(delimiter);
}

/** @param {string} name @param {string} path */
function onPath(name, path) {
  return path
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** How npm is called: the one that runs us, on a Node that the installation does not remove; else the one on PATH. */
function npmCommand() {
  const path = outerPath();
  const isOwn = realpathSync(process.execPath).startsWith(modules + sep);
  const node = isOwn ? onPath('node', path) : process.execPath;
  const npmCli = process.env.npm_execpath;
  if (node && npmCli && npmCli.endsWith('npm-cli.js') && existsSync(npmCli)) return { command: node, args: [npmCli] };
  const npm = onPath('npm', path);
  if (!npm)
    throw new Refusal('npm is not on PATH: install Node.js with npm (https://nodejs.org), version 20.19 or newer');
  return { command: npm, args: [] };
}

/** @param {AbortSignal} signal */
async function install(signal) {
  const { command, args } = npmCommand();
  process.stderr.write('installing packages (npm ci)\n');
  // A shell set up for production or without scripts would leave out what the commands need.
  const env = { ...process.env, PATH: outerPath(), NODE_ENV: '', npm_config_ignore_scripts: 'false' };
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const code = await runToStderr(command, [...args, ...flags], { env, signal });
  if (code !== 0) {
    throw new Refusal(
      `npm ci failed with code ${code} (its messages are above): the packages of package-lock.json must be reachable`,
    );
  }
}

/** Brings node_modules to what the lockfile says, once for several starts at the same time. @param {AbortSignal} signal */
export async function ensureInstalled(signal) {
  const stamp = wantedStamp();
  if (contentOf(stampFile) === stamp) return;
  await underLock(signal, async () => {
    if (contentOf(stampFile) === stamp) return;
    if (!installedByHand()) await install(signal);
    linkNode24();
    writeFileSync(stampFile, stamp);
  });
}
