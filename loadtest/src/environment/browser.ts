import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { EnvironmentError } from './errors.ts';
import { findBrowser, type FoundBrowser } from './find-browser.ts';
import { signalGroup } from './processes.ts';

export { findBrowser, type FoundBrowser } from './find-browser.ts';

export interface LaunchOptions {
  /** Folder of the run: the profile lies in it. */
  tempDir: string;
  /** Variables that every process of the run has (`Environment.env`). */
  env: Record<string, string>;
  log: (line: string) => void;
  /** Receives the browser's process group, for the watchdog. */
  onGroup?: (pid: number) => void;
  signal?: AbortSignal | undefined;
  /** Hears when it ended without being asked to. */
  onLost?: (cause: string) => void;
  /** False: its debugger notes no requests. What it notes lies in the page's own heap, half a kilobyte a request, and stays. */
  notesRequests?: boolean;
}

export interface LaunchedBrowser {
  browser: Browser;
  /** Program and version, for the result. */
  version: string;
  source: FoundBrowser['source'];
  close(): Promise<void>;
}

/** Nothing of the browser's own may run beside what is measured, and hidden or covered pages must not be slowed down. */
const QUIET = [
  '--disable-background-networking',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
  '--mute-audio',
  // Software compositing everywhere: the same frames on machines with and without a GPU.
  '--disable-gpu',
];

/** Starts a headless browser with a fresh profile, spoken to over a pipe. Throws an EnvironmentError when none starts. */
export async function launchBrowser(options: LaunchOptions): Promise<LaunchedBrowser> {
  const { tempDir, env, log, onGroup, signal, onLost, notesRequests = true } = options;
  const found = await findBrowser({ env: { ...process.env, ...env }, log, signal });
  const profile = await mkdtemp(join(tempDir, 'browser-'));
  const launch = (sandbox: boolean) =>
    puppeteer.launch({
      executablePath: found.executablePath,
      headless: found.headless === 'new' ? true : 'shell',
      pipe: true,
      networkEnabled: notesRequests,
      userDataDir: profile,
      // The supervisor decides what a signal means.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [...QUIET, ...(sandbox ? [] : ['--no-sandbox'])],
      env: { ...process.env, ...env, ...found.env, TMPDIR: profile },
      ...(signal ? { signal } : {}),
    });
  // Chromium's sandbox refuses to run as root, and cannot where the system forbids user namespaces; the pages are our own.
  const first = process.getuid?.() === 0 ? launch(false) : launch(true).catch(() => launch(false));
  const browser = await first.catch(async (error: unknown) => {
    await rm(profile, { recursive: true, force: true });
    signal?.throwIfAborted();
    throw new EnvironmentError(`the browser ${found.executablePath} does not start: ${String(error)}`);
  });
  const pid = browser.process()?.pid;
  if (pid) onGroup?.(pid);
  let closing = false;
  browser.on('disconnected', () => closing || onLost?.('the browser ended'));
  return {
    browser,
    version: await browser.version(),
    source: found.source,
    async close() {
      closing = true;
      await browser.close().catch(() => {});
      // A renderer that hangs survives a polite close.
      if (pid) signalGroup(pid, 'SIGKILL');
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
