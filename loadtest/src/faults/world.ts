import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { ArmedExecution, ArmedPoint, CrashPoint, ExecutionFault } from '../../../service/src/crash-points.ts';
import { SETTINGS } from '../../../service/src/settings.ts';
import type { Addresses, ServerAction } from '../environment/index.ts';
import { EnvironmentError } from '../environment/index.ts';
import { startAll, type Ground, type Services } from '../run/services.ts';
import type { Stop } from '../run/stop.ts';
import { startProxy, targetOf, through, type Proxy } from './proxy.ts';

/** By the names that the environment gives them. */
export const SERVERS = { database: 'PostgreSQL', queue: 'Redis (queue)', cache: 'Redis (cache)' } as const;
export type ServerName = keyof typeof SERVERS;
export type Line = ServerName | 'api';
export type RoleName = 'api' | 'relay' | 'worker';

const HELD = 'inferred.hold';
const HELD_WITHIN_MS = 60_000;

/** Restarts as for a service that a person runs, but that a run of many faults in a row is no reason to give up. */
const RESTART = { limit: 1000, windowMs: 10_000 };

/** What the service runs with by default: nothing here changes it. */
export const LEASE_MS = SETTINGS.leaseMs.fallback ?? 0;

/** What the service runs with, beside what every run gives it. All else is as it is by default. */
export const FAULT_SETTINGS = {
  // a hang costs this long instead of 20 s, and a batch goes to the queue in several parts
  INFERENCE_TIMEOUT_MS: '3000',
  QUEUE_WINDOW: '50',
} as const;

export interface Hit {
  atMs: number;
  pid: number;
}

export interface World {
  services: Services;
  /** The API by way of its proxy. */
  url: string;
  proxies: Readonly<Record<Line, Proxy>>;
  /** Ends or starts a server on purpose. */
  control(server: ServerName, action: ServerAction): Promise<void>;
  /** Signals a role's whole process group. */
  signal(role: RoleName, name: NodeJS.Signals): void;
  /** Asks the queue's Redis directly, not by the proxy. */
  queueRedis(...command: [string, ...string[]]): Promise<unknown>;
  arm(point: CrashPoint, after: number): Promise<void>;
  /** The worker waits behind this many inferences; resolves when it does, with a function that lets it go on. */
  hold(after: number): Promise<() => Promise<void>>;
  armExecution(fault: ExecutionFault, spec: ArmedExecution): Promise<void>;
  fillDisk(full: boolean): Promise<void>;
  hits(name: CrashPoint | ExecutionFault): Promise<Hit[]>;
  /** Disarms everything, forgets the hits, mends every line. */
  heal(): Promise<void>;
  /** Images that the reconciler has found in neither outbox nor queue so far, as the relay said. */
  orphaned(): number;
  close(): Promise<void>;
}

export interface WorldOptions {
  workers: number;
  pool: string;
  queuePrefix: string;
  log: (line: string) => void;
  stop: Stop;
  settings?: Record<string, string> | undefined;
}

/** The service with everything around it in reach: servers that can be ended, lines that can be cut, roles that can be killed. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { workers, pool, queuePrefix, stop, settings } = options;
  const proxies = new Map<Line, Proxy>();
  let crashPoints = '';
  let orphaned = 0;
  const log = (line: string) => {
    orphaned += Number(/reconciled: .*\borphaned (\d+)/.exec(line)?.[1] ?? 0);
    options.log(line);
  };
  async function proxyTo(line: Line, url: string): Promise<string> {
    const proxy = await startProxy(targetOf(url));
    proxies.set(line, proxy);
    return through(url, proxy);
  }
  async function prepare(ground: Ground): Promise<{ addresses: Addresses; settings: Record<string, string> }> {
    crashPoints = join(ground.tempDir, 'crash-points');
    await mkdir(crashPoints, { recursive: true });
    const addresses = {
      databaseUrl: await proxyTo('database', ground.databaseUrl),
      queueRedisUrl: await proxyTo('queue', ground.queueRedisUrl),
      cacheRedisUrl: await proxyTo('cache', ground.cacheRedisUrl),
    };
    return { addresses, settings: { CRASH_POINTS: crashPoints } };
  }
  const closeProxies = () => Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  const services = await startAll({
    environment: 'embedded',
    workers,
    settings: { POOL: pool, QUEUE_PREFIX: queuePrefix, NODE_ENV: 'test', ...FAULT_SETTINGS, ...settings },
    restart: RESTART,
    prepare,
    log,
    stop,
  }).catch(async (error: unknown) => {
    await closeProxies();
    throw error;
  });
  const url = await proxyTo('api', services.url);
  const redis = new Redis(services.environment.queueRedisUrl, { retryStrategy: () => 200, lazyConnect: true });
  redis.on('error', () => {});

  const fileOf = (name: string) => join(crashPoints, name);
  const put = (name: string, value: unknown) => writeFile(fileOf(name), JSON.stringify(value));
  const drop = (name: string) => rm(fileOf(name), { force: true });
  async function hitsOf(name: string): Promise<Hit[]> {
    const text = await readFile(fileOf(`${name}.hits`), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Hit);
  }
  const pidOf = (role: RoleName): number => {
    const found = services.processes.find((one) => one.role === role);
    if (!found) throw new Error(`the service has no ${role}`);
    return found.pid;
  };
  return {
    services,
    url,
    proxies: Object.fromEntries(proxies) as Record<Line, Proxy>,
    async control(server, action) {
      const { control } = services.environment;
      if (!control) throw new EnvironmentError('these servers are not ours to end');
      await control(SERVERS[server], action);
    },
    signal: (role, name) => void process.kill(-pidOf(role), name),
    queueRedis: (command, ...args) => redis.call(command, ...args),
    arm: (point, after) => put(point, { after, id: randomUUID() } satisfies ArmedPoint),
    async hold(after) {
      await put(HELD, { after, id: randomUUID() } satisfies ArmedPoint);
      const until = Date.now() + HELD_WITHIN_MS;
      while ((await hitsOf(HELD)).length === 0) {
        if (Date.now() > until) throw new Error(`the worker did not come to its image ${after}`);
        await sleep(10, undefined, { signal: stop.signal });
      }
      return () => drop(HELD);
    },
    armExecution: (fault, spec) => put(fault, spec),
    fillDisk: (full) => (full ? put('disk-full', {}) : drop('disk-full')),
    hits: hitsOf,
    async heal() {
      for (const proxy of proxies.values()) proxy.heal();
      await rm(crashPoints, { recursive: true, force: true });
      await mkdir(crashPoints, { recursive: true });
    },
    orphaned: () => orphaned,
    async close() {
      redis.disconnect();
      for (const proxy of proxies.values()) proxy.heal();
      await services.close();
      await closeProxies();
    },
  };
}
