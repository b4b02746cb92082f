import type { ChildProcess } from 'node:child_process';
import type { InferenceOutput, InferenceRequest, WorkerStats } from './backend.ts';
import { InferenceFailure } from './backend.ts';
import type { FromChild, ToChild } from './protocol.ts';

export interface Task {
  request: InferenceRequest;
  /** Wall clock of the execution without a sign of progress. */
  limitMs: number;
  settled: boolean;
  resolve(output: InferenceOutput): void;
  reject(error: unknown): void;
}
export interface WorkerOptions {
  id: string;
  fork(): ChildProcess;
  startTimeoutMs: number;
  log(level: 'info' | 'warn', message: string): void;
  /** Something changed: a place is free, or the state is another. */
  onChange(): void;
}
interface Slot {
  id: number;
  task: Task;
}

/** Starts that may fail in a row before the worker counts as broken, and gives up if it never was ready. */
const MAX_FAILED_STARTS = 3;
const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;

/** One child process: runs one request at a time, is killed past the deadline and started again. */
export function createWorker(options: WorkerOptions) {
  let child: ChildProcess | null = null;
  let state: WorkerStats['state'] = 'stopped';
  let running: Slot | null = null;
  let deadline: NodeJS.Timeout | undefined;
  let respawn: NodeJS.Timeout | undefined;
  let killedAfterMs: number | null = null;
  let closing = false;
  let failedStarts = 0;
  let everReady = false;
  let nextId = 1;
  let warm = () => {};
  let exited = Promise.resolve();
  const born = performance.now();
  let runningSince = 0;
  const counts = { busyMs: 0, imagesDone: 0, restarts: 0, rssBytes: 0, lastError: null as string | null };

  const send = (message: ToChild) => child?.send(message, () => {}); // a lost channel is followed by 'exit'
  const kill = (afterMs: number) => {
    killedAfterMs = afterMs;
    child?.kill('SIGKILL');
  };

  function spawn(): void {
    state = 'starting';
    killedAfterMs = null;
    const started = options.fork();
    child = started;
    deadline = setTimeout(kill, options.startTimeoutMs, options.startTimeoutMs);
    started.on('message', (message: FromChild) => onMessage(message));
    started.on('error', (error) => (counts.lastError = error.message));
    exited = new Promise((resolve) => {
      started.once('exit', (code, signal) => {
        onExit(code, signal);
        resolve();
      });
    });
  }

  function onMessage(message: FromChild): void {
    if ('rssBytes' in message) counts.rssBytes = message.rssBytes;
    if (message.type === 'ready') {
      clearTimeout(deadline);
      state = 'idle';
      failedStarts = 0;
      everReady = true;
    } else if (message.type === 'broken') counts.lastError = message.message;
    else if (message.type === 'warm') warm();
    else if (message.type === 'progress') return restartClock(message.id);
    else finish(message);
    options.onChange();
  }

  function restartClock(id: number): void {
    if (running === null || running.id !== id) return;
    clearTimeout(deadline);
    deadline = setTimeout(kill, running.task.limitMs, running.task.limitMs);
  }

  function finish(message: Extract<FromChild, { id: number }>): void {
    if (running === null || running.id !== message.id) return;
    const { task } = running;
    end();
    if (message.type === 'done') {
      counts.imagesDone++;
      task.resolve({ ...message.output, worker: `${options.id}/${child?.pid}` });
    } else if (message.type === 'failed') {
      counts.lastError = message.message;
      task.reject(new InferenceFailure(message.code, message.message));
    }
  }

  function begin(task: Task): void {
    running = { id: nextId++, task };
    runningSince = performance.now();
    state = 'busy';
    send({ type: 'run', id: running.id, request: task.request });
    restartClock(running.id);
  }

  function end(): void {
    clearTimeout(deadline);
    counts.busyMs += performance.now() - runningSince;
    running = null;
    state = 'idle';
  }

  function onExit(code: number | null, signal: NodeJS.Signals | null): void {
    const started = state !== 'starting';
    const lost = running;
    if (lost !== null) end();
    clearTimeout(deadline);
    [child, state] = [null, 'stopped'];
    warm();
    lost?.task.reject(closing ? closedFailure() : lossOf(code, signal));
    if (!closing) restart(started, `exit code ${code}, signal ${signal}`);
    options.onChange();
  }

  function lossOf(code: number | null, signal: NodeJS.Signals | null): InferenceFailure {
    if (killedAfterMs !== null)
      return new InferenceFailure('TIMEOUT', `killed after ${killedAfterMs} ms without progress`, { crashed: true });
    return new InferenceFailure('CRASHED', `process died (code ${code}, signal ${signal})`, { crashed: true });
  }

  function restart(started: boolean, how: string): void {
    failedStarts = started ? 0 : failedStarts + 1;
    if (!started && killedAfterMs !== null) counts.lastError = `not ready after ${killedAfterMs} ms`;
    else if (counts.lastError === null || started) counts.lastError = how;
    options.log('warn', `inference worker ${options.id} ended: ${how}`);
    if (failedStarts >= MAX_FAILED_STARTS && !everReady) return;
    counts.restarts++;
    state = 'starting';
    const delayMs = failedStarts === 0 ? 0 : BACKOFF_MS * 2 ** failedStarts;
    respawn = setTimeout(spawn, Math.min(MAX_BACKOFF_MS, delayMs));
  }

  return {
    id: options.id,
    start: spawn,
    idle: () => state === 'idle',
    /** Only when idle. */
    run: begin,
    warmup: () =>
      new Promise<void>((resolve) => {
        if (state !== 'idle') return resolve();
        warm = resolve;
        send({ type: 'warmup' });
      }),
    broken: () => !closing && failedStarts >= MAX_FAILED_STARTS,
    async close(): Promise<void> {
      closing = true;
      clearTimeout(respawn);
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
export type Worker = ReturnType<typeof createWorker>;

export const closedFailure = () => new InferenceFailure('CRASHED', 'the inference pool was closed');
