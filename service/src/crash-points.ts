import { appendFileSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobQueue } from './batches/queue.ts';
import type { Storage } from './storage.ts';

/**
 * Places where a process can be made to die, for tests of what survives it (`CRASH_POINTS`, refused outside of tests). Whoever
 * tests puts a file of a point's name into that folder, and the process that reaches the point next dies by SIGKILL.
 */
export const CRASH_POINTS = [
  'claimed',
  'inferred',
  'committed',
  'enqueuing',
  'enqueued',
  'numbered',
  'uploading',
  'uploaded',
  'batch-created',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
/** How an execution can be made to go wrong, with one image. */
export const EXECUTION_FAULTS = ['hang', 'crash', 'out-of-memory'] as const;
export type ExecutionFault = (typeof EXECUTION_FAULTS)[number];
export const DISK_FULL = 'disk-full';
const HOLD_POLL_MS = 10;

/**
 * Content of the file of a crash point: how often it is passed before it kills, counted for each id anew. A file `<point>.hold`
 * holds whoever comes after that, until it is removed.
 */
export interface ArmedPoint {
  after: number;
  id: string;
}
/** Content of the file of an execution's fault. */
export interface ArmedExecution {
  /** SHA-256 of the image, hex. */
  image: string;
  times: number;
}

/** What was hit is a line a time in `<name>.hits`: written before the process dies. */
export function createCrashPoints(folder: string) {
  const passed = new Map<string, { id: string; count: number }>();
  const fileOf = (name: string) => join(folder, name);
  const armed = <T>(name: string): T | null => {
    try {
      return JSON.parse(readFileSync(fileOf(name), 'utf8')) as T;
    } catch {
      return null;
    }
  };
  const hit = (name: string) =>
    appendFileSync(fileOf(`${name}.hits`), `${JSON.stringify({ atMs: Date.now(), pid: process.pid })}\n`);
  const hitsOf = (name: string): number => {
    try {
      return readFileSync(fileOf(`${name}.hits`), 'utf8').split('\n').length - 1;
    } catch {
      return 0;
    }
  };
  /** Whether more than what the file lets pass have come by. */
  function isDue(name: string, weight: number): boolean {
    const point = armed<ArmedPoint>(name);
    if (point === null) return false;
    const before = passed.get(name);
    const count = weight + (before?.id === point.id ? before.count : 0);
    passed.set(name, { id: point.id, count });
    return weight > 0 && count > point.after;
  }
  return {
    /** @param weight how many of what the point counts came by together */
    reach(name: CrashPoint, weight = 1): void {
      if (!isDue(name, weight)) return;
      try {
        unlinkSync(fileOf(name));
      } catch {
        return; // another process was faster
      }
      hit(name);
      process.kill(process.pid, 'SIGKILL');
    },
    /** Waits while the point's hold says so. */
    async hold(name: CrashPoint): Promise<void> {
      const file = `${name}.hold`;
      if (!isDue(file, 1)) return;
      hit(file);
      while (armed(file) !== null) await sleep(HOLD_POLL_MS);
    },
    /** How this image's execution shall go wrong now; null: not at all. */
    executionFault(sha256: string): ExecutionFault | null {
      const found = EXECUTION_FAULTS.find((name) => {
        const fault = armed<ArmedExecution>(name);
        return fault !== null && fault.image === sha256 && hitsOf(name) < fault.times;
      });
      if (found === undefined) return null;
      hit(found);
      return found;
    },
    diskIsFull: (): boolean => armed(DISK_FULL) !== null,
  };
}
export type CrashPoints = ReturnType<typeof createCrashPoints>;

/** Null where no folder is given: then nothing is wrapped, and no point costs anything. */
export const crashPointsOf = ({ crashPoints }: { crashPoints: string }): CrashPoints | null =>
  crashPoints === '' ? null : createCrashPoints(crashPoints);

/** `work`, and a crash point behind it. @param weigh how many of what the point counts came of it */
export function reaching<A extends unknown[], R>(
  points: CrashPoints | null,
  name: CrashPoint,
  work: (...args: A) => Promise<R>,
  weigh: (result: R) => number = () => 1,
): (...args: A) => Promise<R> {
  if (points === null) return work;
  return async (...args) => {
    const result = await work(...args);
    points.reach(name, weigh(result));
    await points.hold(name);
    return result;
  };
}

/** `enqueuing`: jobs are chosen, and not yet in Redis; `enqueued`: they are, and not yet out of the outbox. */
export function crashInQueue(queue: JobQueue, points: CrashPoints | null): JobQueue {
  if (points === null) return queue;
  return {
    ...queue,
    async add(jobs) {
      points.reach('enqueuing', jobs.length);
      await queue.add(jobs);
      points.reach('enqueued', jobs.length);
    },
  };
}

/** `uploading`: a file is about to be written. While `disk-full` is there, none can be. */
export function crashInStorage(storage: Storage, points: CrashPoints | null): Storage {
  if (points === null) return storage;
  const refuseWhenFull = () => {
    if (points.diskIsFull())
      throw Object.assign(new Error('ENOSPC: no space left on device (planted)'), { code: 'ENOSPC' });
  };
  return {
    ...storage,
    temporaryPath() {
      points.reach('uploading');
      refuseWhenFull();
      return storage.temporaryPath();
    },
    async commit(files) {
      refuseWhenFull();
      await storage.commit(files);
    },
  };
}
