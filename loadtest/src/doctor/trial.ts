import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Provider } from '../../../service/src/inference/providers.ts';

/** What a trial is asked to do; the child's only argument, as JSON. */
export interface Trial {
  modelDir: string;
  provider: Provider;
  /** A file to segment; absent: a generated image of 256 x 256. */
  image?: string;
}
export interface TrialResult {
  loadMs: number;
  /** The first image of a process is slower: kernels are compiled, memory is taken. */
  firstMs: number;
  ms: number;
  width: number;
  height: number;
  cells: number;
  warnings: string[];
}
export type TrialMessage = { result: TrialResult } | { error: string };
export type TrialOutcome = TrialMessage & {
  /** How the process ended when it did not end by itself with code 0; a provider may crash while it is taken down. */
  end?: string;
};

const CHILD = join(import.meta.dirname, 'trial-child.ts');
const LIMIT_MS = 120_000;
/** Of what the child wrote to stderr, the last so many characters: native libraries say there what failed. */
const STDERR_CHARACTERS = 2000;

/**
 * Loads a model and segments one image in a process of its own, which a driver may take down with it. Never rejects.
 * @param module the child; tests give another
 */
export function runTrial(trial: Trial, module = CHILD, limitMs = LIMIT_MS): Promise<TrialOutcome> {
  return new Promise((resolve) => {
    const child = fork(module, [JSON.stringify(trial)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let message: TrialMessage | undefined;
    let stderr = '';
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, limitMs);
    child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_CHARACTERS)));
    child.on('message', (said: TrialMessage) => (message = said));
    child.on('error', (error) => (message ??= { error: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(late);
      const end = isLate ? `killed after ${limitMs / 1000} s` : signal ? `ended by ${signal}` : `ended with ${code}`;
      const last = stderr.trim();
      const outcome = message ?? { error: `the process ${end} without a result${last === '' ? '' : `: ${last}`}` };
      resolve(code === 0 && !isLate ? outcome : { ...outcome, end });
    });
  });
}

export const toldResult = ({ width, height, cells, ms, firstMs, loadMs }: TrialResult): string =>
  `${width} x ${height} in ${ms.toFixed(1)} ms (the first in ${firstMs.toFixed(0)} ms, loaded in ${loadMs.toFixed(0)} ms): ${cells} cells`;
