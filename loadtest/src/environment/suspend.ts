import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants } from '../measure/proc.ts';

/** A signal is heard when the kernel next runs the process: on a busy machine that takes a while. */
const POLL_MS = 5;
const WITHIN_MS = 10_000;

function send(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended since.
  }
}

/** Stopped, or not there (any more). */
async function stands(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' || /\) [TZX] /.test(stat);
}

/**
 * Stops a side where it stands: every process below its root, its database, its queues and their keeper included. PostgreSQL puts each of
 * its processes into a group of its own, so the tree is walked and not the groups; it is read again until all that is in it stands,
 * so that what forked in between is caught.
 */
export async function suspend(root: number): Promise<void> {
  for (const untilMs = Date.now() + WITHIN_MS; Date.now() < untilMs; await sleep(POLL_MS)) {
    const pids = [root, ...descendants(root)];
    const standing = await Promise.all(pids.map(stands));
    const moving = pids.filter((_, at) => standing[at] !== true);
    if (moving.length === 0) return;
    for (const pid of moving) send(pid, 'SIGSTOP');
  }
}

/** Lets a tree go on. Nothing in it forks while it stands, so one walk is enough. */
export async function resume(root: number): Promise<void> {
  for (const pid of [root, ...descendants(root)]) send(pid, 'SIGCONT');
}
