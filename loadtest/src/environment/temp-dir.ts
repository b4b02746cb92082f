import { writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reachableBy } from './paths.ts';
import { isAlive, startTicks, strays } from './processes.ts';

const PREFIX = 'segbench-run-';
const OWNER_FILE = 'owner.json';

interface OwnerFile {
  pid: number;
  ticks?: string;
  runId: string;
  /** The servers by id and start: Redis overwrites its environment, so `strays` does not find it. */
  servers: { pid: number; ticks?: string }[];
}

function identity(pid: number): { pid: number; ticks?: string } {
  const ticks = startTicks(pid);
  return ticks ? { pid, ticks } : { pid };
}

/** Another account (PostgreSQL's, where we are root) must be able to enter: a private TMPDIR is no place then. */
function parentDir(): string {
  if (process.getuid?.() !== 0) return tmpdir();
  const anybody = { uid: 65534, gid: 65534 };
  return [tmpdir(), '/tmp', '/var/tmp'].find((dir) => reachableBy(dir, anybody)) ?? tmpdir();
}

/** Notes whose folder it is and which servers belong to it, for a later start to tidy up. */
export function writeOwner(dir: string, runId: string, serverPids: readonly number[]): void {
  const owner: OwnerFile = { ...identity(process.pid), runId, servers: serverPids.map(identity) };
  writeFileSync(join(dir, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/** A private folder for one run, with a note of whose it is. */
export async function createTempDir(runId: string): Promise<string> {
  const dir = await mkdtemp(join(parentDir(), PREFIX));
  writeOwner(dir, runId, []);
  if (process.getuid?.() === 0) await chmod(dir, 0o711);
  return dir;
}

function killAll(pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
}

/** Ends every process that carries the run's id, but for the spared ones (the servers, which are stopped in order). */
export function killStrays(runId: string, spared: readonly number[] = []): void {
  killAll(strays(runId).filter((found) => !spared.includes(found)));
}

/**
 * Removes folders and processes of runs whose keeper was killed itself (kill -9, out of memory), so that even those are
 * gone with the next start. Folders of other users are left alone.
 */
export async function removeLeftovers(): Promise<void> {
  const parent = parentDir();
  for (const name of (await readdir(parent)).filter((entry) => entry.startsWith(PREFIX))) {
    const dir = join(parent, name);
    try {
      if ((await stat(dir)).uid !== process.getuid?.()) continue;
      const owner = JSON.parse(await readFile(join(dir, OWNER_FILE), 'utf8')) as OwnerFile;
      if (isAlive(owner.pid, owner.ticks)) continue;
      killAll(owner.servers.filter(({ pid, ticks }) => isAlive(pid, ticks)).map(({ pid }) => pid));
      killStrays(owner.runId);
      // PostgreSQL's own processes see that the first of them is gone and follow it.
      await sleep(300);
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // Half-made by a start at this moment, or just removed by its owner.
    }
  }
}
