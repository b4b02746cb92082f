import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedChromium, type UnpackOptions } from './chromium-package.ts';
import { EnvironmentError } from './errors.ts';
import { capture, onPath } from './processes.ts';

export interface FoundBrowser {
  executablePath: string;
  source: 'system' | 'npm';
  /** As the program names itself. */
  version: string;
  /** The npm package has only the headless shell; a system browser has the real one without a window. */
  headless: 'shell' | 'new';
  /** Variables it needs beside ours. */
  env: Record<string, string>;
}

const NAMES = [
  'chromium',
  'google-chrome',
  'google-chrome-stable',
  'chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** A snap sees neither our temporary folder nor our pipe; Ubuntu's `chromium-browser` is a script that starts one. */
function isSnap(path: string): boolean {
  const real = realpathSync(path);
  if (real.includes('/snap')) return true;
  return statSync(real).size < 65_536 && readFileSync(real, 'latin1').includes('/snap/');
}

async function versionOf(path: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const signal = AbortSignal.timeout(20_000);
  const done = await capture(path, ['--version', '--no-sandbox'], { env, signal }).catch(() => undefined);
  return done?.code === 0 ? done.stdout.match(/\d+(\.\d+){1,3}/)?.[0] : undefined;
}

async function fromSystem(env: NodeJS.ProcessEnv): Promise<FoundBrowser | undefined> {
  const named = env['CHROME_BIN'];
  const candidates = named ? [named] : NAMES;
  for (const candidate of candidates) {
    const executablePath = onPath(candidate, env);
    if (!executablePath || isSnap(executablePath)) continue;
    const version = await versionOf(executablePath, env);
    if (version) return { executablePath, source: 'system', version, headless: 'new', env: {} };
  }
  if (named)
    throw new EnvironmentError(`CHROME_BIN is ${JSON.stringify(named)}, which is no Chromium that starts here`);
  return undefined;
}

async function fromPackage(options: UnpackOptions): Promise<FoundBrowser> {
  const dir = await unpackedChromium(options);
  const executablePath = join(dir, 'chromium');
  const fonts = { FONTCONFIG_PATH: join(dir, 'fonts') };
  // Its own libraries only where the system lacks them: they come from another distribution.
  for (const env of [fonts, { ...fonts, LD_LIBRARY_PATH: join(dir, 'al2023/lib') }]) {
    const version = await versionOf(executablePath, { ...options.env, ...env });
    if (version) return { executablePath, source: 'npm', version, headless: 'shell', env };
  }
  throw new EnvironmentError(
    `the Chromium of the npm package does not start on this machine (${process.platform} ${process.arch}): install Chromium or Chrome, or name one in CHROME_BIN`,
  );
}

/** A system Chromium or Chrome (CHROME_BIN, else PATH), else the npm package's. Throws an EnvironmentError where neither starts. */
export async function findBrowser(options: UnpackOptions): Promise<FoundBrowser> {
  return (await fromSystem(options.env)) ?? (await fromPackage(options));
}
