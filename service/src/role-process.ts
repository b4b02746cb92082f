import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Role = 'api' | 'relay' | 'worker';

/** What a role's process says over IPC when it can do its work. */
export interface ReadyMessage {
  type: 'ready';
  role: Role;
  /** Where the API listens; absent for the other roles. */
  url?: string;
  metricsUrl: string;
}

export interface RoleExit {
  role: string;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Its last lines of output. */
  detail: string;
}

export interface RoleProcess {
  role: Role;
  pid: number;
  url: string | undefined;
  metricsUrl: string;
  exited: Promise<RoleExit>;
  stop(): Promise<void>;
}

export interface RoleOptions {
  role: Role;
  env: NodeJS.ProcessEnv;
  log: (role: string, line: string) => void;
  onGroup: (pid: number) => void;
  /** Aborted: the role is not waited for any more, and ended. */
  signal?: AbortSignal | undefined;
}

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;
/** Requests and images in work may end; below the 30 s that a stop may take in all. */
const STOP_WITHIN_MS = 12_000;
const TAIL_LINES = 15;

function isReady(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

/**
 * Starts one role in a process group of its own (Ctrl-C reaches only the supervisor, and a worker's children can be ended
 * with it) and waits until it is ready. Throws with the last lines of its output when it ends before, or says nothing.
 */
export async function startRole({ role, env, log, onGroup, signal }: RoleOptions): Promise<RoleProcess> {
  const child = fork(MAIN, [], {
    detached: true,
    execArgv: [],
    env: { ...env, SEGBENCH_ROLE: role },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      log(role, line);
    });
  }
  const ready = Promise.withResolvers<ReadyMessage>();
  const exited = new Promise<RoleExit>((resolve) => {
    child.once('error', (error) => {
      ready.reject(new Error(`the service's ${role} cannot start: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      // Children of a worker that died would go on alone.
      if (child.pid) killGroup(child.pid);
      // One turn later the last lines have been read.
      setImmediate(() => resolve({ role, code, signal, detail: tail.join('\n') }));
    });
  });
  void exited.then(({ code, signal, detail }) => {
    const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
    ready.reject(new Error(`the service's ${role} ${how} before it was ready:\n${detail || '(no output)'}`));
  });
  child.on('message', (message) => {
    if (isReady(message)) ready.resolve(message);
  });
  if (child.pid) onGroup(child.pid);
  const timer = setTimeout(() => {
    const after = `${READY_WITHIN_MS / 1000} s`;
    ready.reject(new Error(`the service's ${role} was not ready after ${after}:\n${tail.join('\n') || '(no output)'}`));
  }, READY_WITHIN_MS);
  const giveUp = () => ready.reject(signal?.reason);
  signal?.addEventListener('abort', giveUp);
  if (signal?.aborted) giveUp();
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || !child.pid) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.pid && killGroup(child.pid), STOP_WITHIN_MS);
    await exited;
    clearTimeout(late);
  };
  try {
    const { url, metricsUrl } = await ready.promise;
    return { role, pid: child.pid as number, url, metricsUrl, exited, stop };
  } catch (error) {
    if (child.pid) killGroup(child.pid);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}
