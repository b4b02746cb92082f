import { spawn } from 'node:child_process';
import { EXIT } from './exit.ts';
import type { Interrupts } from './interrupt.ts';

/** How long a child may take to end after a signal. */
const END_WITHIN_MS = 25_000;

/**
 * Runs a program of node_modules on this Node, its output where ours goes. A signal that reached only us is handed on to its
 * process group; a channel to it tells it when we are killed. Resolves with its exit code; 130 when interrupted.
 */
export function runTool(script: string, args: readonly string[], interrupts: Interrupts): Promise<number> {
  return new Promise((resolve, reject) => {
    if (interrupts.signal.aborted) return resolve(EXIT.interrupted);
    // A group of its own: the terminal's Ctrl-C comes to us alone, and goes on once.
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    const signalAll = (name: NodeJS.Signals) => {
      try {
        if (child.pid) process.kill(-child.pid, name);
      } catch {
        // Ended in this moment.
      }
    };
    let late: NodeJS.Timeout | undefined;
    const onAbort = () => {
      signalAll('SIGTERM');
      late = setTimeout(() => signalAll('SIGKILL'), END_WITHIN_MS);
    };
    interrupts.signal.addEventListener('abort', onAbort, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(late);
      interrupts.signal.removeEventListener('abort', onAbort);
      signalAll('SIGKILL');
      resolve(interrupts.signal.aborted ? EXIT.interrupted : (code ?? EXIT.failed));
    });
  });
}
