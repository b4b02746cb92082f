import { createHash } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { findRedis } from './find-redis.ts';
import { reachableBy } from './paths.ts';
import { startPostgres, type RunningServer } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Started } from './keeper-protocol.ts';

export interface EmbeddedOptions {
  runId: string;
  tempDir: string;
  dataDir?: string | undefined;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal: AbortSignal;
  /** Called with each server as soon as it runs, so that it can be stopped even if the next one fails. */
  onServer: (server: RunningServer) => void;
}

const SOURCES = {
  path: 'redis-server from PATH',
  packages: "redis-server from the distribution's packages, unpacked privately",
  docker: 'redis-server in Docker',
};

/** Where PostgreSQL's files go: with the other data, but for root in a folder that PostgreSQL's own account can enter. */
export async function databaseDir(dataDir: string, notes: string[]): Promise<string> {
  const anybody = { uid: 65534, gid: 65534 };
  if (process.getuid?.() !== 0 || reachableBy(dataDir, anybody)) return dataDir;
  const id = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const place = join('/var/lib/segbench', id);
  await mkdir(place, { recursive: true, mode: 0o711 });
  notes.push(`${dataDir} is shut to other accounts and PostgreSQL cannot run as root: its files are in ${place}`);
  return place;
}

async function folders(options: EmbeddedOptions, notes: string[]): Promise<{ postgres: string; redis: string }> {
  if (!options.dataDir) return { postgres: options.tempDir, redis: options.tempDir };
  return { postgres: await databaseDir(options.dataDir, notes), redis: options.dataDir };
}

/** Starts PostgreSQL and two Redis; all three side by side, since an initdb takes seconds. */
export async function startEmbeddedServers(options: EmbeddedOptions): Promise<Omit<Started, 'tempDir' | 'kind'>> {
  const { runId, tempDir, env, log, signal, dataDir } = options;
  const notes: string[] = [];
  const dirs = await folders(options, notes);
  // The cache is never worth keeping, and its folder is empty anyway.
  const cacheDir = await mkdtemp(join(tempDir, 'cache-'));
  const announce = async (starting: Promise<RunningServer>) => {
    const server = await starting;
    options.onServer(server);
    return server;
  };
  const program = findRedis({ env, log, signal });
  const redis = async (role: 'queue' | 'cache', dir: string) =>
    await startRedis({ role, dir, program: await program, runId, env, signal });
  const outcomes = await Promise.allSettled([
    announce(startPostgres({ dir: dirs.postgres, tempDir, persistent: dataDir !== undefined, env, log, signal })),
    announce(redis('queue', dirs.redis)),
    announce(redis('cache', cacheDir)),
  ]);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const [database, queue, cache] = servers as [RunningServer, RunningServer, RunningServer];
  notes.push(`PostgreSQL from npm, ${SOURCES[(await program).source]}`);
  return {
    databaseUrl: database.url,
    queueRedisUrl: queue.url,
    cacheRedisUrl: cache.url,
    versions: { postgres: database.version, redis: queue.version },
    servers: servers.map(({ what, pid }) => ({ what, pid })),
    notes,
  };
}
