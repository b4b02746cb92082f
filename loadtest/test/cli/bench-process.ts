import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BENCH = join(import.meta.dirname, '../../src/cli/bench.ts');

interface Given {
  /** Temporary folder of everything that the run starts; what is left is looked for by it. */
  temp: string;
  env?: Record<string, string>;
  /** Program, with its arguments, that runs the command. */
  under?: readonly string[];
}

/** `bench` as a process of its own; `said` has its messages so far. */
export function startBench(args: readonly string[], { temp, env = {}, under = [] }: Given) {
  const [command = '', ...rest] = [...under, process.execPath, BENCH, ...args];
  const child = spawn(command, rest, {
    env: { ...process.env, TMPDIR: temp, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, said: () => stderr };
}

const readOr = (read: () => string): string => {
  try {
    return read();
  } catch {
    return '';
  }
};

/** Processes that work in a folder or were started with it in their environment (Redis overwrites its own). */
function processesOf(folder: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const marks = (pid: string) =>
    readOr(() => readlinkSync(`/proc/${pid}/cwd`)) + readOr(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
  return pids
    .filter((pid) => marks(pid).includes(folder))
    .map((pid) => `${pid} ${readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')}`);
}

/** What is left of runs with this temporary folder after at most 15 s: processes, and files in it. */
export async function leftOf(temp: string): Promise<string[]> {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const left = [...processesOf(temp), ...readdirSync(temp)];
    if (left.length === 0 || waitedMs >= 15_000) return left;
    await sleep(100);
  }
}
