import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { EnvironmentError } from './errors.ts';
import { endChild } from './processes.ts';

/** A server that this process started and owns. */
export interface ServerProcess {
  what: string;
  pid: number;
  /** Resolves with a sentence when the process ends, asked or not. */
  exited: Promise<string>;
  stop(): Promise<void>;
}

export interface ServerCommand {
  what: string;
  command: string;
  args: string[];
  options: SpawnOptions;
  /** Written to stdin, which is then closed. */
  input?: string;
  /** Found in the output when the server takes connections. */
  ready: RegExp;
  /** Found in the output when its port was taken between choosing and binding it. */
  portTaken: RegExp;
  /** Signals that end it, gentlest first. */
  end: { signal: NodeJS.Signals; waitMs: number }[];
  readyWithinMs: number;
  signal?: AbortSignal | undefined;
}

export class PortTakenError extends Error {
  override name = 'PortTakenError';
}

const TAIL_LINES = 12;

function endOf(text: string): string {
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

/** Starts a server and waits until it says that it is ready. A start that fails or is aborted leaves no process. */
export async function startServer(spec: ServerCommand): Promise<ServerProcess> {
  spec.signal?.throwIfAborted();
  const child: ChildProcess = spawn(spec.command, spec.args, {
    ...spec.options,
    stdio: [spec.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const outcome = Promise.withResolvers<void>();
  const collect = (text: string) => {
    output = (output + text).slice(-16_384);
    if (spec.ready.test(output)) outcome.resolve();
  };
  child.stdout?.setEncoding('utf8').on('data', collect);
  child.stderr?.setEncoding('utf8').on('data', collect);
  child.stdin?.on('error', () => {}).end(spec.input);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `exited with code ${code}`;
      resolve(`${how}; its last lines:\n${endOf(output) || '(none)'}`);
    });
  });
  void exited.then((how) => {
    const failure = spec.portTaken.test(output) ? PortTakenError : EnvironmentError;
    outcome.reject(new failure(`${spec.what} ${how}`));
  });
  const abort = () => outcome.reject(spec.signal?.reason as Error);
  spec.signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => {
    const after = `${spec.readyWithinMs / 1000} s`;
    outcome.reject(
      new EnvironmentError(`${spec.what} was not ready after ${after}; its last lines:\n${endOf(output)}`),
    );
  }, spec.readyWithinMs);
  const stop = () => endChild(child, spec.end);
  try {
    await outcome.promise;
  } catch (error) {
    await endChild(child, [{ signal: 'SIGKILL', waitMs: 5000 }]);
    throw error;
  } finally {
    clearTimeout(timer);
    spec.signal?.removeEventListener('abort', abort);
  }
  return { what: spec.what, pid: child.pid as number, exited, stop };
}
