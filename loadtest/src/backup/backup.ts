import { chmod, copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../environment/errors.ts';
import { databaseDir } from '../environment/embedded-servers.ts';
import { baseBackup, copyFiles, renewEpochs } from './base-backup.ts';

/** In the data folder of `npm start` that came from a backup and was not started since. */
const RESTORED = 'restored';

/** Address of the PostgreSQL that runs on a data folder, from what that writes there itself. */
async function runningDatabase(postgresParent: string): Promise<string> {
  const pidFile = await readFile(join(postgresParent, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const port = pidFile.split('\n')[3];
  if (!port)
    throw new EnvironmentError(
      `no PostgreSQL runs on ${postgresParent}: start the service on this folder (npm start -- --data DIR), or, since it stands still, copy the folder as it is`,
    );
  const password = await readFile(join(postgresParent, 'postgres-password'), 'utf8');
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}

/**
 * Backs up the folder of an `npm start` while it runs; what results is such a folder again. The database goes first: a row's file is
 * there before its row, so no row of the backup lacks its file.
 * @param to a folder that does not exist, or is empty
 */
export async function backUp({ dataDir, to }: { dataDir: string; to: string }): Promise<void> {
  if ((await readdir(to).catch(() => [])).length > 0)
    throw new EnvironmentError(`${to} is not empty: a backup goes into a folder of its own`);
  await mkdir(to, { recursive: true });
  // PostgreSQL's own account must be able to enter, as it can where it is now.
  await chmod(to, (await stat(dataDir)).mode & 0o777);
  const [from, target] = [await databaseDir(dataDir, []), await databaseDir(to, [])];
  await baseBackup({ databaseUrl: await runningDatabase(from), to: join(target, 'postgres') });
  await copyFile(join(from, 'postgres-password'), join(target, 'postgres-password'));
  await copyFiles({ dataDir: join(dataDir, 'files'), to: join(to, 'files') });
  await writeFile(join(to, RESTORED), `a backup of ${dataDir}, ${new Date().toISOString()}\n`);
}

/** On the first start on a backup: see `renewEpochs`. @returns whether it was one */
export async function finishRestore({
  dataDir,
  databaseUrl,
}: {
  dataDir: string;
  databaseUrl: string;
}): Promise<boolean> {
  const mark = join(dataDir, RESTORED);
  const isRestored = await stat(mark).then(
    () => true,
    () => false,
  );
  if (!isRestored) return false;
  await renewEpochs(databaseUrl);
  await rm(mark);
  return true;
}
