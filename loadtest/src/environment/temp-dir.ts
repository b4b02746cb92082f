import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reachableBy } from './paths.ts';
import { isAlive, startTicks, strays } from './processes.ts';

const PREFIX = 'segbench-run-';
const OWNER_FILE = 'owner.json';

interface OwnerFile {
  pid: number;
  ticks?: string;
  runId: string;
}

/** Another account (PostgreSQL's, where we are root) must be able to enter: a private TMPDIR is no place then. */
function parentDir(): string {
  if (process.getuid?.() !== 0) return tmpdir();
  const anybody = { uid: 65534, gid: 65534 };
  return [tmpdir(), '/tmp', '/var/tmp'].find((dir) => reachableBy(dir, anybody)) ?? tmpdir();
}

/** A private folder for one run, with a note of whose it is. */
export async function createTempDir(runId: string): Promise<string> {
  const dir = await mkdtemp(join(parentDir(), PREFIX));
  const owner: OwnerFile = { pid: process.pid, runId };
  const ticks = startTicks(process.pid);
  if (ticks) owner.ticks = ticks;
  await writeFile(join(dir, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
  if (process.getuid?.() === 0) await chmod(dir, 0o711);
  return dir;
}

/** Ends every process that carries the run's id, but for the spared ones (the servers, which are stopped in order). */
export function killStrays(runId: string, spared: readonly number[] = []): void {
  for (const pid of strays(runId).filter((found) => !spared.includes(found))) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
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
      killStrays(owner.runId);
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // Half-made by a start at this moment, or just removed by its owner.
    }
  }
}
