import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One endpoint, asked again and again over `connections` that each wait for their answer (a closed loop). */
export interface CannonTask {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
  connections: number;
  durationMs: number;
}
export interface CannonReport {
  /** Answered, whatever the status. */
  requests: number;
  ok: number;
  failed: Record<'not 2xx' | 'errors' | 'timeouts', number>;
  /** Read, heads included. */
  bytes: number;
  tookMs: number;
  /** autocannon counts whole milliseconds. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** CPU of the generator by wall time: 1 is one core. */
  cpuShare: number;
}

const CHILD = fileURLToPath(new URL('autocannon-child.ts', import.meta.url));

/** From here on the generator is what is measured: it runs in one thread. */
export const BUSY_SHARE = 0.9;

export const cannonFailures = ({ failed }: CannonReport): number =>
  Object.values(failed).reduce((sum, count) => sum + count, 0);

/** Why the throughput says nothing of the service; undefined where it does. */
export const whyWeak = ({ cpuShare, requests }: CannonReport): string | undefined => {
  if (requests === 0) return 'nothing was answered';
  return cpuShare >= BUSY_SHARE ? `the generator was busy for ${Math.round(cpuShare * 100)} % of the time` : undefined;
};

/** Sends a load from a process of its own; ends it when `signal` says so. */
export function cannon(task: CannonTask, signal: AbortSignal): Promise<CannonReport> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = fork(CHILD, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = () => child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    let report: CannonReport | undefined;
    child.on('message', (message) => (report = message as CannonReport));
    child.on('error', reject);
    child.on('exit', (code, how) => {
      signal.removeEventListener('abort', stop);
      if (report) resolve(report);
      else reject(signal.aborted ? (signal.reason as Error) : new Error(`autocannon ended: ${how ?? code}`));
    });
    child.send(task);
  });
}
