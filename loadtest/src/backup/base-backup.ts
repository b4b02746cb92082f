import { chmod, chown, copyFile, lstat, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';

/** What a backup must not hold, or need not (PostgreSQL 18, section 25.3.4.3). */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify']);
const EMPTY = ['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify'];

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Copies a folder that is in use: what goes in the meantime is not missed, since the log says what became of it. */
async function copyTree(from: string, to: string, leftOut: ReadonlySet<string> = new Set()): Promise<void> {
  const info = await lstat(from);
  await mkdir(to, { recursive: true, mode: info.mode & 0o777 });
  await chown(to, info.uid, info.gid).catch(() => {});
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (leftOut.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    try {
      if (entry.isDirectory()) await copyTree(source, target);
      else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
      else if (entry.isFile()) await copyOwned(source, target);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}
async function copyOwned(source: string, target: string): Promise<void> {
  const { uid, gid, mode } = await lstat(source);
  await copyFile(source, target);
  await Promise.all([chown(target, uid, gid).catch(() => {}), chmod(target, mode & 0o777)]);
}

/**
 * A base backup of a running PostgreSQL by its low-level functions (section 25.3.4.2 of its documentation), for servers without
 * `pg_basebackup` and `pg_dump`, such as the one that npm installs. Everything committed before this resolves is in it. A server
 * that is started on `to` recovers by itself.
 * @param to a folder that does not exist yet
 */
export async function baseBackup({ databaseUrl, to }: { databaseUrl: string; to: string }): Promise<void> {
  // One session from start to stop: the backup ends with it.
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [setting] = await sql<{ from: string }[]>`SELECT current_setting('data_directory') AS from`;
    const from = setting!.from;
    // Keeps the log that the backup needs, whatever checkpoints come meanwhile; goes with the session.
    await sql`SELECT pg_create_physical_replication_slot(${`segbench_backup_${process.pid}`}, true, true)`;
    await sql`SELECT pg_backup_start('segbench', fast => true)`;
    await copyTree(from, to, LEFT_OUT);
    const [stop] = await sql<{ labelfile: string }[]>`SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)`;
    const { uid, gid } = await lstat(from);
    for (const name of EMPTY) {
      const folder = join(to, name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chown(folder, uid, gid).catch(() => {});
    }
    // Last of all: it must reach to the end of the backup.
    await copyTree(join(from, 'pg_wal'), join(to, 'pg_wal'));
    const label = join(to, 'backup_label');
    await writeFile(label, stop!.labelfile, { mode: 0o600 });
    await chown(label, uid, gid).catch(() => {});
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The folder of files, after the database: a row's file is there before its row, so no row of the backup lacks one. */
export async function copyFiles({ dataDir, to }: { dataDir: string; to: string }): Promise<void> {
  // Half-written files, and pictures that are drawn again.
  await copyTree(dataDir, to, new Set(['tmp', 'derived']));
}

/**
 * After a restore: numbers of events that clients have seen may be given out a second time, so every client begins anew with a
 * snapshot instead of taking new events for old ones.
 */
export async function renewEpochs(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`UPDATE event_streams SET epoch = gen_random_uuid()`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
