import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Name of the variable that every process of a run inherits; its value is the run's id. */
export const RUN_VARIABLE = 'SEGBENCH_RUN';

/** Full path of a program on PATH (or of a path that contains a slash), `undefined` where there is none. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const candidates = name.includes('/') ? [name] : (env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end and collects its output. Never rejects because of its exit code; rejects when it cannot be
 * started, and with the signal's reason when aborted (the program is killed first).
 */
export function capture(command: string, args: string[], options: SpawnOptions = {}): Promise<Finished> {
  const { signal, ...rest } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const abort = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve({ code, stdout, stderr });
    });
  });
}

/** Sends each signal in turn until the child has ended, waiting `waitMs` after each but the last. */
export async function endChild(
  child: ChildProcess,
  steps: { signal: NodeJS.Signals; waitMs: number }[],
): Promise<void> {
  const ended = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const { signal, waitMs } of steps) {
    if (ended()) return;
    child.kill(signal);
    const timer = new AbortController();
    await Promise.race([exit, sleep(waitMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  }
}

/** Fields of /proc/<pid>/stat from the third on (state), proc(5); `undefined` where there is none. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name (field 2) may hold blanks and brackets: count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** When a process started, in clock ticks since boot; tells a process from a later one with the same id. Linux only. */
export function startTicks(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

/** Whether a process runs (one that has ended and waits to be collected does not), and is the one that started then. */
export function isAlive(pid: number, ticks?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const fields = statFields(pid);
  if (!fields) return true;
  return fields[0] !== 'Z' && (ticks === undefined || fields[19] === ticks);
}

/** Sends a signal to a process group; false when no such group is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Processes that carry a run's id in their environment, whatever group they moved to. Empty where there is no /proc. */
export function strays(runId: string): number[] {
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  return entries
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`${RUN_VARIABLE}=${runId}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
