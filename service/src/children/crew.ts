import { fork, type ChildProcess } from 'node:child_process';
import { confined, isSpent, type ChildLimits } from './confine.ts';
import type { Answer } from './serve.ts';

/** A child that nobody needed for this long gives its memory back. */
const IDLE_MS = 60_000;

export interface CrewOptions {
  /** Entry of the children: calls `serveTasks`. */
  module: string;
  /** Child processes at most; each does one task at a time, so that a dead one says which task killed it. */
  workers: number;
  /** Tasks that may wait for a child. */
  queue: number;
  timeoutMs: number;
  limits: ChildLimits;
  /** `advanced` where tasks or replies carry bytes; for small ones `json` costs less (0.5 ms of CPU a task). */
  serialization: 'json' | 'advanced';
  /** What a task is called in the log. */
  noun: string;
  log?: ((message: string) => void) | undefined;
  idleMs?: number | undefined;
}

/** Why a task has no reply. `busy`: the queue is full, or closed; `late`: past its deadline; `died`: its process ended under it. */
export class CrewError extends Error {
  readonly reason: 'busy' | 'late' | 'died';
  constructor(reason: CrewError['reason'], message: string) {
    super(message);
    this.name = 'CrewError';
    this.reason = reason;
  }
}

interface Waiting<Task, Reply> {
  task: Task;
  resolve(answer: Answer<Reply>): void;
  reject(error: CrewError): void;
}
interface Member<Task, Reply> {
  child: ChildProcess;
  work: Waiting<Task, Reply> | null;
  timer: NodeJS.Timeout | undefined;
  late: boolean;
}

/**
 * Work on untrusted bytes in confined child processes: neither the event loop, nor the thread pool, nor the memory of this process
 * sees anything of it. A child past its deadline is killed (libvips cannot be interrupted), a dead one replaced, one whose CPU time
 * is nearly spent retired; only the task at hand fails.
 */
export function createCrew<Task extends object, Reply>(options: CrewOptions) {
  const { module, workers, queue: queueMax, timeoutMs, limits, noun, idleMs = IDLE_MS, log = () => {} } = options;
  const members = new Set<Member<Task, Reply>>();
  const queue: Waiting<Task, Reply>[] = [];
  const counts = { done: 0, failed: 0, refused: 0, killed: 0, died: 0, retired: 0, cpuMs: 0 };
  let closed = false;

  function finish(member: Member<Task, Reply>): Waiting<Task, Reply> | null {
    clearTimeout(member.timer);
    const { work } = member;
    member.work = null;
    return work;
  }
  function retire(member: Member<Task, Reply>): void {
    members.delete(member);
    member.child.disconnect();
  }
  function give(member: Member<Task, Reply>, work: Waiting<Task, Reply>): void {
    clearTimeout(member.timer);
    member.work = work;
    member.timer = setTimeout(() => {
      counts.killed++;
      member.late = true;
      log(`a ${noun} took longer than ${timeoutMs} ms: its process ${member.child.pid} is killed`);
      member.child.kill('SIGKILL');
    }, timeoutMs);
    member.child.send(work.task, (error) => {
      if (error) member.child.kill('SIGKILL');
    });
  }
  function hire(): Member<Task, Reply> {
    const child = fork(module, confined(limits, options.serialization));
    const member: Member<Task, Reply> = { child, work: null, timer: undefined, late: false };
    members.add(member);
    child.on('message', (answer: Answer<Reply>) => {
      counts.done++;
      counts.cpuMs += answer.cpuMs;
      finish(member)?.resolve(answer);
      if (isSpent(answer.totalCpuMs, limits)) {
        counts.retired++;
        retire(member);
      } else member.timer = setTimeout(() => retire(member), idleMs).unref();
      dispatch();
    });
    child.on('error', (error) => log(`${noun} process: ${error.message}`));
    child.on('exit', (code, signal) => {
      members.delete(member);
      const work = finish(member);
      if (work) {
        counts.failed++;
        if (!member.late) counts.died++;
        const how = member.late ? `was killed after ${timeoutMs} ms` : `ended with ${signal ?? code}`;
        work.reject(new CrewError(member.late ? 'late' : 'died', `${noun} process ${how}`));
      }
      if (!closed) dispatch();
    });
    return member;
  }
  function dispatch(): void {
    while (queue.length > 0) {
      const idle = [...members].find(({ work, child }) => work === null && child.connected);
      if (!idle && members.size >= workers) return;
      give(idle ?? hire(), queue.shift()!);
    }
  }

  return {
    /** @throws CrewError */
    run(task: Task): Promise<Answer<Reply>> {
      const free = workers - [...members].filter(({ work }) => work !== null).length;
      if (closed || queue.length >= queueMax + free) {
        counts.refused++;
        return Promise.reject(new CrewError('busy', `${queue.length} wait already, at most ${queueMax} may`));
      }
      return new Promise((resolve, reject) => {
        queue.push({ task, resolve, reject });
        dispatch();
      });
    },
    stats: () => ({
      ...counts,
      waiting: queue.length,
      processes: members.size,
      pids: [...members].flatMap(({ child }) => child.pid ?? []),
    }),
    async close(): Promise<void> {
      closed = true;
      for (const work of queue.splice(0)) work.reject(new CrewError('busy', 'this server ends'));
      await Promise.all(
        [...members].map(
          ({ child }) =>
            new Promise<void>((resolve) => {
              child.once('exit', () => resolve());
              child.kill('SIGKILL');
            }),
        ),
      );
    },
  };
}
export type Crew<Task extends object, Reply> = ReturnType<typeof createCrew<Task, Reply>>;
