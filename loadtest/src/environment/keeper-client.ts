import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { removeLeftoverContainers } from './containers/leftovers.ts';
import { EnvironmentError } from './errors.ts';
import type { FromKeeper, Started, ToKeeper, WantedServers } from './keeper-protocol.ts';
import { RUN_VARIABLE } from './processes.ts';
import { removeLeftovers } from './temp-dir.ts';
import type { Death, ServerAction } from './types.ts';

export interface Keeper {
  started: Started;
  env: Record<string, string>;
  died: Promise<Death>;
  watchGroup: (pid: number) => void;
  control: (what: string, action: ServerAction) => Promise<number>;
  stop: () => Promise<void>;
}

export interface KeeperOptions {
  servers: WantedServers;
  dataDir?: string | undefined;
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** What a keeper that was killed could not remove. */
async function removeAfterKeeper(servers: WantedServers): Promise<void> {
  await removeLeftovers();
  if (servers === 'auto' || servers === 'testcontainers') await removeLeftoverContainers();
}

/** Starts a keeper and waits until its servers run. Rejects with an EnvironmentError; nothing is left then. */
export async function startKeeper({ servers, dataDir, log, signal }: KeeperOptions): Promise<Keeper> {
  signal?.throwIfAborted();
  const runId = randomBytes(8).toString('hex');
  const child = fork(join(import.meta.dirname, 'keeper.ts'), [], {
    detached: true,
    cwd: '/',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const send = (message: ToKeeper) => {
    if (child.connected) child.send(message, () => {});
  };
  const death = Promise.withResolvers<Death>();
  const start = Promise.withResolvers<Started>();
  const controls = new Map<number, PromiseWithResolvers<number>>();
  let stopping = false;
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4096)));
  child.on('message', (message: FromKeeper) => {
    if (message.type === 'log') log(message.line);
    else if (message.type === 'died') death.resolve(message.death);
    else if (message.type === 'controlled') settle(message);
    else if (message.type === 'started') start.resolve(message.started);
    else start.reject(message.expected ? new EnvironmentError(message.message) : new Error(message.message));
  });
  function settle({ id, pid, problem }: Extract<FromKeeper, { type: 'controlled' }>): void {
    if (problem === undefined) controls.get(id)?.resolve(pid);
    else controls.get(id)?.reject(new EnvironmentError(problem));
    controls.delete(id);
  }
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => start.reject(new EnvironmentError(`the keeper cannot start: ${error.message}`)));
    child.once('close', (code, how) => {
      const detail = `ended ${how ? `by ${how}` : `with code ${code}`}${errors ? `: ${errors.trim()}` : ''}`;
      start.reject(new EnvironmentError(`the keeper ${detail}`));
      for (const { reject } of controls.values()) reject(new EnvironmentError(`the keeper ${detail}`));
      if (stopping) return resolve();
      // A keeper that was killed cannot tidy up: its servers and folder are ended from here.
      death.resolve({ what: 'the keeper of the servers', detail });
      void removeAfterKeeper(servers).then(resolve, resolve);
    });
  });
  const stop = async () => {
    stopping = true;
    send({ type: 'stop' });
    await exited;
  };
  const abort = () => start.reject(signal?.reason as Error);
  signal?.addEventListener('abort', abort, { once: true });
  send({ type: 'start', runId, servers, dataDir });
  try {
    const started = await start.promise;
    const watchGroup = (pid: number) => send({ type: 'watch', pid });
    let controlId = 0;
    const control = (what: string, action: ServerAction) => {
      const outcome = Promise.withResolvers<number>();
      controls.set(++controlId, outcome);
      send({ type: 'control', id: controlId, what, action });
      return outcome.promise;
    };
    return { started, env: { [RUN_VARIABLE]: runId }, died: death.promise, watchGroup, control, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
