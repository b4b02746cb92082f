import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../../environment/errors.ts';
import { isAlive, signalGroup, startTicks } from '../../environment/processes.ts';
import { orStop, type Stop } from '../../run/stop.ts';
import type { SideInfo } from '../contract.ts';
import { metricsAddresses } from './metrics-addresses.ts';
import { outerEnvironment, startCommand } from './npm.ts';
import { resume, suspend } from '../../environment/suspend.ts';
import { isServer, readTree, type KnownRoles, type TreeProcess } from './tree.ts';

/** Building the pages and an initdb beside another side that does the same. */
const READY_WITHIN_MS = 180_000;
/** The contract: everything is stopped within 30 s of SIGTERM. */
const STOP_WITHIN_MS = 32_000;
/** What its own watchdog needs to tidy up after a root that died. */
const ORPHANS_WITHIN_MS = 15_000;
const POLL_MS = 50;
const TAIL_LINES = 12;

export interface SideOptions {
  info: SideInfo;
  /** Its clone. */
  directory: string;
  dataDir: string;
  workers: number;
  /** `POOL` of the service, such as `sim:rtx-a5000-unet`. */
  pool: string;
  /** Settings of its own. */
  settings?: Readonly<Record<string, string>>;
  /** Receives its process group before it can start anything. */
  onGroup: (pid: number) => void;
  log: (line: string) => void;
  stop: Stop;
}

export const sideLabel = ({ name, ref }: Pick<SideInfo, 'name' | 'ref'>): string => `${name} (${ref})`;

/**
 * One side of a comparison: `npm start` of its clone, known by nothing but what the contract promises of every commit. It runs until it
 * is suspended or stopped; when it ends by itself, the comparison does.
 */
export async function startSide(options: SideOptions) {
  const { info, directory, dataDir, workers, pool, onGroup, log, stop } = options;
  const label = sideLabel(info);
  const key = randomBytes(24).toString('hex');
  const settings = { RATE_LIMITS: 'off', LOG_LEVEL: 'warn', POOL: pool, BOOTSTRAP_API_KEY: key, ...options.settings };
  const { command, args } = startCommand(['--port', '0', '--data', dataDir, '--workers', String(workers)]);
  const child = spawn(command, args, {
    cwd: directory,
    env: { ...outerEnvironment(), ...settings },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid;
  if (pid !== undefined) onGroup(pid);
  const tail: string[] = [];
  const ready = Promise.withResolvers<string>();
  const lines = (stream: NodeJS.ReadableStream, onLine: (line: string) => void) =>
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine(line);
    });
  lines(child.stderr, (line) => log(`${info.name}: ${line}`));
  lines(child.stdout, (line) => {
    const url = /^ready (http:\/\/\S+)$/.exec(line)?.[1];
    if (url) ready.resolve(url);
  });
  let stopping = false;
  const exited = new Promise<void>((resolve) => {
    const end = (how: string): void => {
      const why = `${label} ended ${how}; its last lines:\n${tail.join('\n') || '(none)'}`;
      ready.reject(new EnvironmentError(why));
      if (!stopping) stop.lost(why);
      resolve();
    };
    child.once('error', (error) => end(`before it began: ${error.message}`));
    // Not "close": what npm started may hold its output open. One turn later the last lines have been read.
    child.once('exit', (code, signal) => setImmediate(end, signal ? `by ${signal}` : `with code ${code}`));
  });
  const known: KnownRoles = new Map();
  /** By id, when it started: whatever was ever seen of it, since a root that died hides the rest. */
  const seen = new Map<number, string | undefined>();
  async function tree(): Promise<TreeProcess[]> {
    const found = pid === undefined ? [] : await readTree(pid, known);
    for (const one of found) if (!seen.has(one.pid)) seen.set(one.pid, startTicks(one.pid));
    return found;
  }

  /** SIGTERM and the time that the contract gives it, then whatever is left of it by force. */
  async function end(): Promise<void> {
    if (pid === undefined || stopping) return exited;
    stopping = true;
    await tree();
    const left = () => [...seen].filter(([id, ticks]) => isAlive(id, ticks)).map(([id]) => id);
    await Promise.all([pid, ...left()].map(resume));
    signalGroup(pid, 'SIGTERM');
    const hasDied = child.exitCode !== null || child.signalCode !== null;
    const withinMs = hasDied ? ORPHANS_WITHIN_MS : STOP_WITHIN_MS;
    for (let waitedMs = 0; waitedMs < withinMs && left().length > 0; waitedMs += POLL_MS) await sleep(POLL_MS);
    for (const id of left()) process.kill(id, 'SIGKILL');
    await exited;
  }

  const timer = setTimeout(() => {
    const after = `${READY_WITHIN_MS / 1000} s`;
    ready.reject(new EnvironmentError(`${label} was not ready after ${after}; its last lines:\n${tail.join('\n')}`));
  }, READY_WITHIN_MS);
  try {
    const url = await orStop(stop.signal, ready.promise);
    const processes = (await tree()).filter(({ role }) => !isServer(role));
    const addresses = await metricsAddresses(processes.map((one) => one.pid));
    const metrics = processes.flatMap(({ pid: id, role }) => {
      const metricsUrl = addresses.get(id);
      return metricsUrl ? [{ pid: id, role, metricsUrl }] : [];
    });
    return {
      info,
      label,
      url,
      key,
      metrics,
      tree,
      suspend: () => (pid === undefined ? Promise.resolve() : suspend(pid)),
      resume: () => (pid === undefined ? Promise.resolve() : resume(pid)),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
export type Side = Awaited<ReturnType<typeof startSide>>;
