import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EnvironmentError } from './errors.ts';
import { reachableBy, type Owner } from './paths.ts';

const USERS = ['postgres', 'nobody'];

/**
 * The user PostgreSQL runs as: it refuses to be root, so root lends it an unprivileged account that is there already.
 * `undefined`: the user who runs us. An existing data folder keeps its owner.
 */
export async function postgresOwner(dataDir: string, passwd = '/etc/passwd'): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(join(dataDir, 'PG_VERSION')).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const lines = (await readFile(passwd, 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  for (const user of USERS) {
    const [, , uid, gid] = lines.find(([name]) => name === user) ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new EnvironmentError(
    'PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody: add one (useradd --system postgres) or run as another user',
  );
}

/** Copies the binaries next to the data where their own place is shut to that user (a clone in /root, say). */
export async function reachableBinaries(
  nativeDir: string,
  privateDir: string,
  owner: Owner | undefined,
): Promise<string> {
  if (!owner || reachableBy(join(nativeDir, 'bin'), owner)) return nativeDir;
  const copy = join(privateDir, 'postgres-binaries');
  await mkdir(dirname(copy), { recursive: true });
  await cp(nativeDir, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}
