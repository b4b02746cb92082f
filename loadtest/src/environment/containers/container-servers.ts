import { randomBytes } from 'node:crypto';
import type { Started } from '../keeper-protocol.ts';
import { INITDB_ARGUMENTS, POSTGRES_SETTINGS, postgresOptions, type RunningServer } from '../postgres.ts';
import { REDIS_ROLES } from '../redis.ts';
import { postgresVersion, redisFacts } from '../server-facts.ts';
import { startContainer, type ContainerSpec } from './container-server.ts';
import { decideOnRyuk, engineLoss, type Engine } from './engine.ts';
import { imageNames } from './images.ts';
import { removeLeftoverContainers } from './leftovers.ts';

export interface ContainerServersOptions {
  engine: Engine;
  runId: string;
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal: AbortSignal;
  onServer: (server: RunningServer) => void;
}

const SHARED_MEMORY_BYTES = 256 * 1024 * 1024;
const REDIS_CONFIG = '/tmp/segbench-redis.conf';

function postgresSpec(image: string): ContainerSpec {
  const password = randomBytes(18).toString('base64url');
  return {
    what: 'PostgreSQL',
    image,
    port: 5432,
    ready: /database system is ready to accept connections/,
    prepare: (container) =>
      container
        .withEnvironment({
          POSTGRES_PASSWORD: password,
          POSTGRES_INITDB_ARGS: [...INITDB_ARGUMENTS, '--no-sync'].join(' '),
          TZ: 'UTC',
        })
        .withSharedMemorySize(SHARED_MEMORY_BYTES)
        .withCommand(['postgres', ...postgresOptions(POSTGRES_SETTINGS)]),
    urlOf: (host, port) => `postgres://postgres:${password}@${host}:${port}/postgres`,
    ask: postgresVersion,
  };
}

function redisSpec(image: string, role: keyof typeof REDIS_ROLES): ContainerSpec {
  const password = randomBytes(18).toString('base64url');
  // In a file: a command line is everybody's to read.
  const config = [`requirepass ${password}`, 'bind 0.0.0.0', 'daemonize no', 'logfile ""', ...REDIS_ROLES[role]];
  return {
    what: `Redis (${role})`,
    image,
    port: 6379,
    ready: /Ready to accept connections/,
    prepare: (container) =>
      container
        .withCopyContentToContainer([{ content: `${config.join('\n')}\n`, target: REDIS_CONFIG, mode: 0o644 }])
        .withCommand(['redis-server', REDIS_CONFIG]),
    urlOf: (host, port) => `redis://:${password}@${host}:${port}`,
    ask: async (url) => (await redisFacts(url)).version,
  };
}

/** Starts PostgreSQL and two Redis in containers, side by side. */
export async function startContainerServers(
  options: ContainerServersOptions,
): Promise<Omit<Started, 'tempDir' | 'kind'>> {
  const { engine, runId, env, log, signal } = options;
  const removed = await removeLeftoverContainers(engine);
  if (removed.length > 0) log(`removed ${removed.length} containers of runs that were killed`);
  const lost = engineLoss(engine);
  const ryuk = await decideOnRyuk(engine);
  const images = imageNames(env);
  log('starting PostgreSQL and two Redis in containers');
  const announce = async (spec: ContainerSpec) => {
    const server = await startContainer(spec, { engine, runId, signal, lost });
    options.onServer(server);
    return server;
  };
  const specs = [postgresSpec(images.postgres), redisSpec(images.redis, 'queue'), redisSpec(images.redis, 'cache')];
  const outcomes = await Promise.allSettled(specs.map(announce));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const [database, queue, cache] = servers as [RunningServer, RunningServer, RunningServer];
  return {
    databaseUrl: database.url,
    queueRedisUrl: queue.url,
    cacheRedisUrl: cache.url,
    versions: { postgres: database.version, redis: queue.version },
    servers: servers.filter(({ pid }) => pid > 0).map(({ what, pid }) => ({ what, pid })),
    notes: [
      `containers of ${images.postgres} and ${images.redis} on Docker ${engine.version}, swept up by ${ryuk ? 'Ryuk and the keeper' : 'the keeper'}`,
    ],
  };
}
