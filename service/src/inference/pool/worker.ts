import type { ChildProcess } from 'node:child_process';
import type { InferenceRequest, WorkerStats } from './backend.ts';
import { InferenceFailure } from './backend.ts';
import type { LeaseToParent } from '../kserve/child-leases.ts';
import type { Leases } from '../kserve/leases.ts';
import { createStarts } from './starts.ts';
import { closedFailure, type ExecutedImage, type Executor, type Measured } from './executor.ts';
import type { Failed, FromChild, ToChild } from './protocol.ts';

export interface WorkerOptions {
  id: string;
  /** Starts a child with this model. */
  fork(modelDir: string): ChildProcess;
  modelDir: string;
  startTimeoutMs: number;
  log(level: 'info' | 'warn', message: string): void;
  /** Where the child gets its inference servers from. */
  leases?: Leases;
  /** Something changed: a place is free, or the state is another. */
  onChange(): void;
}
interface Running {
  id: number;
  limitMs: number;
  signal: AbortSignal | undefined;
  resolve(results: (ExecutedImage | InferenceFailure)[]): void;
  reject(failure: InferenceFailure): void;
}

/** Sessions cannot be unloaded without a leak: with more models than this a child is ended. */
const MAX_MODELS = 4;
/**
 * A child is silent about progress for this long. Most images are done sooner, and so cost one message instead of three; the clock
 * of the execution runs longer by as much, so that none is ended early.
 */
const quietMsOf = (limitMs: number): number => Math.min(1_000, limitMs / 10);
const failureFrom = ({ code, message }: Failed) => new InferenceFailure(code, message);

/** One child process: runs one batch at a time, is killed past the deadline and started again. */
export function createWorker(options: WorkerOptions): Executor {
  let child: ChildProcess | null = null;
  let state: WorkerStats['state'] = 'stopped';
  let running: Running | null = null;
  let deadline: NodeJS.Timeout | undefined;
  let killedAfterMs: number | null = null;
  /** Taken out of use by us: what ends now did not crash. */
  let recycling: Promise<void> | null = null;
  let { modelDir } = options;
  let models = new Set<string>();
  let nextId = 1;
  let measured: readonly Measured[] = [];
  let changes: (() => void)[] = [];
  let exited = Promise.resolve();
  const born = performance.now();
  let runningSince = 0;
  const counts = { busyMs: 0, imagesDone: 0, restarts: 0, rssBytes: 0, lastError: null as string | null };
  const starts = createStarts(spawn);

  const send = (message: ToChild) => child?.send(message, () => {}); // a lost channel is followed by 'exit'
  const kill = (afterMs: number) => {
    killedAfterMs = afterMs;
    child?.kill('SIGKILL');
  };
  const changed = () => {
    const due = changes;
    changes = [];
    for (const wake of due) wake();
    options.onChange();
  };
  const nextChange = () => new Promise<void>((resolve) => changes.push(resolve));

  function spawn(): void {
    state = 'starting';
    killedAfterMs = null;
    models = new Set([modelDir]);
    try {
      watch(options.fork(modelDir));
    } catch (error) {
      notStarted(error as Error);
    }
  }
  function watch(started: ChildProcess): void {
    child = started;
    deadline = setTimeout(kill, options.startTimeoutMs, options.startTimeoutMs);
    started.on('message', (message: FromChild) => onMessage(message));
    exited = new Promise((resolve) => {
      started.once('exit', (code, signal) => {
        onEnd(`exit code ${code}, signal ${signal}`);
        resolve();
      });
      started.on('error', (error) => {
        if (started.pid !== undefined) return void (counts.lastError = error.message);
        // no process came of it (no memory for one, no file descriptors), and no 'exit' will
        notStarted(error);
        resolve();
      });
    });
  }
  function notStarted(error: Error): void {
    counts.lastError = error.message;
    onEnd(error.message);
  }

  function onMessage(message: FromChild): void {
    if ('rssBytes' in message) counts.rssBytes = message.rssBytes;
    if (message.type === 'ready') {
      clearTimeout(deadline);
      state = 'idle';
      ({ measured } = message);
      starts.succeeded();
    } else if (message.type === 'broken') counts.lastError = message.message;
    else if (message.type === 'progress') return restartClock(message.id);
    else if (message.type === 'lease' || message.type === 'lease-end') return onLease(message);
    else return finish(message);
    changed();
  }

  /** A request to a server has its own limit: the clock of the execution starts anew with each. */
  function onLease(message: LeaseToParent): void {
    const { leases } = options;
    if (message.type === 'lease-end') return leases?.end(message.lease, message.outcome, message.detail);
    if (running !== null) restartClock(running.id);
    send({ type: 'leased', ask: message.ask, lease: leases?.lease(options.id, message.excluding) ?? null });
  }

  function restartClock(id: number): void {
    if (running === null || running.id !== id) return;
    clearTimeout(deadline);
    const { limitMs } = running;
    deadline = setTimeout(kill, limitMs + quietMsOf(limitMs), limitMs);
  }

  function finish(message: Extract<FromChild, { id: number }>): void {
    if (running === null || running.id !== message.id) return;
    const ended = running;
    end();
    const isError = ended.signal?.aborted !== true;
    if (message.type === 'failed') {
      if (isError) counts.lastError = message.message;
      ended.reject(failureFrom(message));
    } else if (message.type === 'done') {
      const failed = message.results.find((result) => 'code' in result);
      if (failed && isError) counts.lastError = failed.message;
      counts.imagesDone += message.results.filter((result) => !('code' in result)).length;
      const worker = `${options.id}/${child?.pid}`;
      ended.resolve(message.results.map((result) => ('code' in result ? failureFrom(result) : { ...result, worker })));
    }
    changed();
  }

  function end(): void {
    clearTimeout(deadline);
    counts.busyMs += performance.now() - runningSince;
    running = null;
    state = 'idle';
  }

  function onEnd(how: string): void {
    const started = state !== 'starting';
    const lost = running;
    if (lost !== null) end();
    clearTimeout(deadline);
    options.leases?.drop(options.id);
    [child, state] = [null, 'stopped'];
    lost?.reject(starts.closed() ? closedFailure() : lossOf(how));
    if (recycling === null && !starts.closed()) restart(started, how);
    changed();
  }

  function lossOf(how: string): InferenceFailure {
    if (killedAfterMs !== null)
      return new InferenceFailure('TIMEOUT', `killed after ${killedAfterMs} ms without progress`, { crashed: true });
    return new InferenceFailure('CRASHED', `process died (${how})`, { crashed: true });
  }

  function restart(started: boolean, how: string): void {
    if (!started && killedAfterMs !== null) counts.lastError = `not ready after ${killedAfterMs} ms`;
    else if (counts.lastError === null || started) counts.lastError = how;
    options.log('warn', `inference worker ${options.id} ended: ${how}`);
    if (!starts.again(started)) return;
    counts.restarts++;
    state = 'starting';
  }

  async function bringUp(): Promise<boolean> {
    spawn();
    while (state === 'starting') await nextChange();
    return state === 'idle';
  }
  /** Waits for what runs, then ends the child and starts another. @throws Error when a new model does not load: it has the old one then */
  async function renew(dir: string): Promise<void> {
    while (running !== null) await nextChange();
    starts.cancel();
    child?.kill('SIGKILL');
    await exited;
    if (starts.closed()) return;
    const before = modelDir;
    modelDir = dir;
    counts.restarts++;
    if (await bringUp()) return;
    if (starts.closed()) return;
    const why = counts.lastError ?? 'unknown';
    modelDir = before;
    restart(false, why);
    if (dir !== before) throw new Error(`${dir} does not load: ${why}`);
  }

  async function recycle(dir?: string): Promise<void> {
    while (recycling !== null) await recycling.catch(() => {});
    recycling = renew(dir ?? modelDir).finally(() => {
      recycling = null;
      changed();
    });
    await recycling;
  }

  return {
    id: options.id,
    start: spawn,
    ready: () => state === 'idle' || state === 'busy',
    idle: () => state === 'idle' && recycling === null,
    broken: () => starts.broken(),
    run(requests: readonly InferenceRequest[], limitMs, signal) {
      return new Promise((resolve, reject) => {
        const id = nextId++;
        running = { id, limitMs, signal, resolve, reject };
        runningSince = performance.now();
        state = 'busy';
        send({ type: 'run', id, requests, limitMs, quietMs: quietMsOf(limitMs) });
        signal?.addEventListener('abort', () => send({ type: 'give-up', id }), { once: true });
        restartClock(id);
        models.add(requests[0]!.modelDir);
        if (models.size > MAX_MODELS) void recycle();
      });
    },
    measured: () => measured,
    recycle,
    async close(): Promise<void> {
      starts.close();
      child?.kill('SIGKILL');
      await exited;
      state = 'stopped';
    },
    stats(): WorkerStats {
      const busyMs = counts.busyMs + (running === null ? 0 : performance.now() - runningSince);
      const busyRatio = Math.min(1, busyMs / Math.max(1, performance.now() - born));
      return { ...counts, id: options.id, pid: child?.pid ?? null, state, busyMs, busyRatio };
    },
  };
}
