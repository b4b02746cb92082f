import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, signalGroup, startTicks } from './processes.ts';
import { resume } from './suspend.ts';
import { killStrays } from './temp-dir.ts';

const POLL_MS = 50;

/** Process groups to be ended when the supervisor is gone, each known by its leader's id and start. */
export function createGroupWatch() {
  const leaders = new Map<number, string | undefined>();
  // An id may have been given to another process since; a group's id stays taken while a member lives.
  const isOurs = ([pid, ticks]: [number, string | undefined]) =>
    signalGroup(pid, 0) && (startTicks(pid) === undefined || isAlive(pid, ticks));
  const living = () => [...leaders].filter(isOurs).map(([pid]) => pid);
  return {
    add(pid: number): void {
      leaders.set(pid, startTicks(pid));
    },
    /** SIGTERM, up to `graceMs` for an orderly end, SIGKILL; then whatever of the run escaped from its group. */
    async end(runId: string, graceMs: number, spared: readonly number[]): Promise<void> {
      // Who is suspended hears no SIGTERM, and neither does what it started.
      await Promise.all(living().map(resume));
      for (const pid of living()) signalGroup(pid, 'SIGTERM');
      for (let waitedMs = 0; waitedMs < graceMs && living().length > 0; waitedMs += POLL_MS) await sleep(POLL_MS);
      for (const pid of living()) signalGroup(pid, 'SIGKILL');
      killStrays(runId, spared);
    },
  };
}
