import { descendants } from '../measure/proc.ts';

/** Times that the tree is read again until nothing new is found in it: what forks between the reading and its signal is caught by the next. */
const MOST_ROUNDS = 20;

function send(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended since.
  }
}

async function everyProcess(root: number, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const done = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const fresh = [root, ...(await descendants(root))].filter((pid) => !done.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) send(pid, signal);
    for (const pid of fresh) done.add(pid);
  }
}

/**
 * Stops a side where it stands: every process below its root, its database, its queues and their keeper included. PostgreSQL puts each of
 * its processes into a group of its own, so the tree is walked and not the groups. From the root down: who is stopped starts nothing.
 */
export const suspend = (root: number): Promise<void> => everyProcess(root, 'SIGSTOP');

/** Lets it go on. */
export const resume = (root: number): Promise<void> => everyProcess(root, 'SIGCONT');
