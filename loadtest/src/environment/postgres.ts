import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from './errors.ts';
import type { Owner } from './paths.ts';
import { withFreePort } from './ports.ts';
import { completeBinaries, nativeDir } from './postgres-binaries.ts';
import { postgresOwner, reachableBinaries } from './postgres-owner.ts';
import { capture } from './processes.ts';
import { startServer, type ServerProcess } from './server-process.ts';

export interface PostgresOptions {
  /** Parent of the data folder `postgres`. */
  dir: string;
  /** Folder of this run; holds copies that are removed with it. */
  tempDir: string;
  /** Data that outlives the run is written with fsync from the first byte on. */
  persistent: boolean;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

export interface RunningServer extends ServerProcess {
  url: string;
  version: string;
  /** Starts it anew on its port and its data, once it has ended. */
  again(): Promise<RunningServer>;
}

/** PostgreSQL prints its messages in the user's language otherwise, and its start is read from them. */
const PLAIN = { LC_ALL: 'C', TZ: 'UTC' };

/** The same wherever it runs: what is measured must not depend on the environment. */
export const POSTGRES_SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.max': '1000',
  max_connections: '200',
  shared_buffers: '256MB',
  checkpoint_timeout: '15min',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};
const WHERE_IT_LISTENS = { listen_addresses: '127.0.0.1', unix_socket_directories: '' };
/** Sorts by bytes like C, and still knows the upper and lower case of all letters. */
export const INITDB_ARGUMENTS = [
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-instructions',
];

export const postgresOptions = (settings: Record<string, string>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

async function initialise(
  bin: string,
  data: string,
  owner: Owner | undefined,
  options: PostgresOptions,
): Promise<string> {
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(options.dir, `.postgres-password-${process.pid}`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  try {
    if (owner) await Promise.all([data, passwordFile].map((path) => chown(path, owner.uid, owner.gid)));
    const args = [
      '-D',
      data,
      '-U',
      'postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      ...INITDB_ARGUMENTS,
    ];
    if (!options.persistent) args.push('--no-sync');
    const env = { ...options.env, ...PLAIN };
    const done = await capture(join(bin, 'initdb'), args, { ...owner, env, cwd: '/', signal: options.signal });
    if (done.code !== 0) throw new EnvironmentError(`initdb failed with code ${done.code}: ${done.stderr.trim()}`);
    return password;
  } catch (error) {
    // A folder that was begun would be taken for a database at the next start.
    await rm(data, { recursive: true, force: true });
    throw error;
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** The data folder's password: made with it, kept beside it for the next start. */
async function preparedPassword(bin: string, data: string, owner: Owner | undefined, options: PostgresOptions) {
  const kept = join(options.dir, 'postgres-password');
  const exists = await stat(join(data, 'PG_VERSION')).catch(() => undefined);
  if (exists) return await readFile(kept, 'utf8');
  options.log('creating a PostgreSQL database');
  await rm(data, { recursive: true, force: true });
  const password = await initialise(bin, data, owner, options);
  if (options.persistent) await writeFile(kept, password, { mode: 0o600 });
  return password;
}

/** Starts the PostgreSQL that npm installed, on a random port of 127.0.0.1, with a random password. */
export async function startPostgres(options: PostgresOptions): Promise<RunningServer> {
  const data = join(options.dir, 'postgres');
  const native = nativeDir();
  await completeBinaries(native);
  const owner = await postgresOwner(data);
  const bin = join(await reachableBinaries(native, options.tempDir, owner), 'bin');
  const version = (await capture(join(bin, 'postgres'), ['--version'], { cwd: '/' })).stdout.match(/\d+(\.\d+)*/)?.[0];
  const password = await preparedPassword(bin, data, owner, options);
  const settings = postgresOptions({ ...WHERE_IT_LISTENS, ...POSTGRES_SETTINGS });
  options.log('starting PostgreSQL');
  const start = async (port: number): Promise<RunningServer> => {
    const server = await startServer({
      what: 'PostgreSQL',
      command: join(bin, 'postgres'),
      args: ['-D', data, '-p', String(port), ...settings],
      options: { ...owner, cwd: '/', env: { ...options.env, ...PLAIN } },
      ready: /database system is ready to accept connections/,
      portTaken: /Address already in use|could not create any TCP\/IP sockets/,
      // SIGINT is its fast shutdown, SIGQUIT the immediate one (recovers from its log at the next start).
      end: [
        { signal: 'SIGINT', waitMs: 8000 },
        { signal: 'SIGQUIT', waitMs: 3000 },
        { signal: 'SIGKILL', waitMs: 2000 },
      ],
      readyWithinMs: 60_000,
      signal: options.signal,
    });
    return {
      ...server,
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      version: version ?? 'unknown',
      again: () => start(port),
    };
  };
  return await withFreePort(start);
}
