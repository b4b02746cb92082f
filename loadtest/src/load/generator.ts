import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorReport, GeneratorTask } from './generator-protocol.ts';

const CHILD = fileURLToPath(new URL('generator-child.ts', import.meta.url));

/** Sends a load from a process of its own; ends it when `signal` says so. */
export function generate(task: GeneratorTask, signal: AbortSignal): Promise<GeneratorReport> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = () => child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    let report: GeneratorReport | undefined;
    child.on('message', (message) => (report = message as GeneratorReport));
    child.on('error', reject);
    child.on('exit', (code, how) => {
      signal.removeEventListener('abort', stop);
      if (report) resolve(report);
      else reject(signal.aborted ? (signal.reason as Error) : new Error(`the load generator ended: ${how ?? code}`));
    });
    child.send(task);
  });
}
