import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from './errors.ts';
import { isAlive, startTicks } from './processes.ts';

interface Holder {
  pid: number;
  ticks?: string | undefined;
  /** The process that asked for the folder: while it lives, the folder is in use; after it, it is being tidied up. */
  supervisorPid: number;
  since: string;
}

/** The watchdog's longest tidying, with a margin. */
const TIDYING_MS = 40_000;
/** Who stops the service sees npm end at once; the service notices within half a second, and then takes a few to stop. */
const ENDING_MS = 10_000;

/** 'nobody': the lock is there and says nothing, as a machine that lost its power leaves it; who lives never shows it so. */
async function holderOf(file: string): Promise<Holder | 'nobody' | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new EnvironmentError(`the lock of the data folder cannot be read: ${error.message}`);
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return 'nobody';
  }
}

/**
 * Takes a data folder for this process; two databases on the same files would destroy them. A dead holder's lock is taken
 * over; one whose supervisor is gone is waited for, and one that may just be ending for `endingMs`. Returns the function that
 * gives it back.
 */
export async function lockDataDir(
  dir: string,
  log: (line: string) => void,
  endingMs: number = ENDING_MS,
): Promise<() => Promise<void>> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const file = join(dir, 'lock');
  const own: Holder = {
    pid: process.pid,
    ticks: startTicks(process.pid),
    supervisorPid: process.ppid,
    since: new Date().toISOString(),
  };
  // Written apart and linked into place: the lock is never seen empty, and only one of two can make the link.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(own));
  try {
    for (let waitedMs = 0; ;) {
      const taken = await link(draft, file).then(
        () => true,
        () => false,
      );
      if (taken) return () => rm(file, { force: true });
      const holder = await holderOf(file);
      if (!holder) continue;
      if (holder === 'nobody' || !isAlive(holder.pid, holder.ticks)) await rm(file, { force: true });
      else if (waitedMs >= (isAlive(holder.supervisorPid) ? endingMs : TIDYING_MS)) {
        const who = `process ${holder.supervisorPid} (since ${holder.since})`;
        throw new EnvironmentError(
          `the data folder ${dir} is in use by ${who}: stop it, or choose another with --data`,
        );
      } else {
        if (waitedMs === 0) log(`waiting for process ${holder.supervisorPid}, which uses ${dir}, to stop`);
        waitedMs += 200;
        await sleep(200);
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}
