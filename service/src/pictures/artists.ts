import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { ApiError } from '../errors.ts';
import type { DrawReply } from './child.ts';
import type { Drawing, DrawFailure } from './draw.ts';

const CHILD = path.join(import.meta.dirname, 'child.ts');
/** A child that nobody needed for this long gives its memory back. */
const IDLE_MS = 60_000;
const RETRY_AFTER = { headers: { 'retry-after': '2' } };

export interface ArtistsOptions {
  /** Child processes at most; each draws one picture at a time. */
  workers: number;
  /** Drawings that may wait for a child. */
  queue: number;
  timeoutMs: number;
  log?: (message: string) => void;
  idleMs?: number;
  /** Another entry for the children: how tests make them hang and crash. */
  module?: string;
}
interface Task {
  drawing: Drawing;
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}
interface Artist {
  child: ChildProcess;
  task: Task | null;
  timer: NodeJS.Timeout | undefined;
}

const FAILURES: Record<DrawFailure, (message: string) => ApiError> = {
  'too-large': () => new ApiError('IMAGE_TOO_LARGE', 'the image has more pixels than MAX_IMAGE_PIXELS of this server'),
  gone: () => new ApiError('NOT_FOUND', 'the image was deleted'),
  damaged: (message) => new ApiError('IMAGE_DAMAGED', `the image cannot be decoded: ${message.slice(0, 200)}`),
};

/**
 * Draws pictures in child processes: neither the event loop nor the thread pool of this process, on which its files and hashes
 * wait, sees anything of it. A child past its deadline is killed (libvips cannot be interrupted), a dead one replaced; only its
 * picture fails.
 */
export function createArtists(options: ArtistsOptions) {
  const { workers, queue: queueMax, timeoutMs, idleMs = IDLE_MS, log = () => {} } = options;
  const artists = new Set<Artist>();
  const queue: Task[] = [];
  const counts = { drawn: 0, failed: 0, refused: 0, killed: 0, cpuMs: 0 };
  let closed = false;

  function end(artist: Artist, outcome: (task: Task) => void): void {
    clearTimeout(artist.timer);
    const { task } = artist;
    artist.task = null;
    if (task) outcome(task);
  }
  function rest(artist: Artist): void {
    artist.timer = setTimeout(() => {
      artists.delete(artist);
      artist.child.disconnect();
    }, idleMs).unref();
  }
  function give(artist: Artist, task: Task): void {
    clearTimeout(artist.timer);
    artist.task = task;
    artist.timer = setTimeout(() => {
      counts.killed++;
      log(`a picture took longer than ${timeoutMs} ms: its process ${artist.child.pid} is killed`);
      artist.child.kill('SIGKILL');
    }, timeoutMs);
    artist.child.send(task.drawing, (error) => {
      if (error) artist.child.kill('SIGKILL');
    });
  }
  function hire(): Artist {
    // No execArgv: the parent's flags (a debugger's port, a test runner's loader) are not for the children.
    const child = fork(options.module ?? CHILD, { serialization: 'advanced', execArgv: [] });
    const artist: Artist = { child, task: null, timer: undefined };
    artists.add(artist);
    child.on('message', (reply: DrawReply) => {
      end(artist, (task) => {
        if ('failure' in reply) {
          counts.failed++;
          return task.reject(FAILURES[reply.failure](reply.message));
        }
        counts.drawn++;
        counts.cpuMs += reply.cpuMs;
        const { buffer, byteOffset, byteLength } = reply.bytes;
        task.resolve(Buffer.from(buffer, byteOffset, byteLength));
      });
      rest(artist);
      dispatch();
    });
    child.on('error', (error) => log(`picture process: ${error.message}`));
    child.on('exit', (code, signal) => {
      artists.delete(artist);
      end(artist, (task) => {
        counts.failed++;
        const cause = new Error(`picture process ended with ${signal ?? code}`);
        task.reject(new ApiError('PICTURE_FAILED', undefined, { ...RETRY_AFTER, cause }));
      });
      if (!closed) dispatch();
    });
    return artist;
  }
  function dispatch(): void {
    while (queue.length > 0) {
      const idle = [...artists].find(({ task, child }) => task === null && child.connected);
      if (!idle && artists.size >= workers) return;
      give(idle ?? hire(), queue.shift()!);
    }
  }

  return {
    /** @throws ApiError PICTURES_BUSY, PICTURE_FAILED, IMAGE_TOO_LARGE, IMAGE_DAMAGED, NOT_FOUND */
    draw(drawing: Drawing): Promise<Buffer> {
      const free = workers - [...artists].filter(({ task }) => task !== null).length;
      if (closed || queue.length >= queueMax + free) {
        counts.refused++;
        return Promise.reject(new ApiError('PICTURES_BUSY', undefined, RETRY_AFTER));
      }
      return new Promise((resolve, reject) => {
        queue.push({ drawing, resolve, reject });
        dispatch();
      });
    },
    stats: () => ({
      ...counts,
      waiting: queue.length,
      processes: artists.size,
      pids: [...artists].flatMap(({ child }) => child.pid ?? []),
    }),
    async close(): Promise<void> {
      closed = true;
      for (const task of queue.splice(0)) task.reject(new ApiError('PICTURES_BUSY'));
      await Promise.all(
        [...artists].map(
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
export type Artists = ReturnType<typeof createArtists>;
