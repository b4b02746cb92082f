import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase } from './database/client.ts';
import { createKeyStore } from './database/keys.ts';
import { migrate } from './database/migrate.ts';
import { createRestarts, NO_RESTART, type RestartPolicy } from './restart-policy.ts';
import { startRole, type Role, type RoleExit, type RoleProcess } from './role-process.ts';
import { SETTINGS } from './settings.ts';

export interface ServiceOptions {
  databaseUrl: string;
  queueRedisUrl: string;
  cacheRedisUrl: string;
  /** Blobs, exports and derived pictures; made where it is missing. */
  dataDir: string;
  /** Of the first API replica; 0 (default): any free one. */
  port?: number;
  /** Inference child processes of the one worker role. */
  workers: number;
  apiReplicas?: number;
  /** Further settings by their names, and whatever else the processes shall inherit. */
  env?: Record<string, string>;
  log?: (role: string, line: string) => void;
  /** Receives the process group of every role, for a watchdog. */
  onGroup?: (pid: number) => void;
  restart?: RestartPolicy;
  /** Aborted: roles that are not ready are ended, instead of waited for. */
  signal?: AbortSignal;
}

export interface Service {
  url: string;
  /** One a role process; the entries of restarted roles change in place. */
  processes: { role: string; pid: number; metricsUrl: string }[];
  /** The first end that nobody asked for and no restart mended; never rejects. */
  exited: Promise<RoleExit>;
  /** The key made because there was none; shown once, kept nowhere. */
  bootstrapKey?: string;
  stop(): Promise<void>;
}

/** Settings reach the roles only by `options`: what happens to be set in a shell must not change what is measured. NODE_ENV is no setting of this service alone. */
export function inherited(given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const settings = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
  settings.delete('NODE_ENV');
  return Object.fromEntries(Object.entries(given).filter(([name]) => !settings.has(name)));
}

async function prepareDatabase(
  databaseUrl: string,
  givenKey: string,
  role: string | undefined,
): Promise<string | null> {
  await migrate(databaseUrl, undefined, role);
  const sql = createDatabase(databaseUrl, { max: 1, name: 'segbench-supervise' });
  try {
    return await createKeyStore(sql).ensureBootstrap(givenKey);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Migrates the database and starts the service's roles: API (or several), relay, worker. Resolves when all are ready.
 * Throws when one of them is not; the others are stopped then.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { workers, port = 0, apiReplicas = 1, log = () => {}, onGroup = () => {}, restart = NO_RESTART } = options;
  await mkdir(options.dataDir, { recursive: true });
  const bootstrapKey = await prepareDatabase(
    options.databaseUrl,
    options.env?.['BOOTSTRAP_API_KEY'] ?? '',
    options.env?.['DATABASE_ROLE'],
  );
  const env = {
    ...inherited(),
    ...options.env,
    DATABASE_URL: options.databaseUrl,
    QUEUE_REDIS_URL: options.queueRedisUrl,
    CACHE_REDIS_URL: options.cacheRedisUrl,
    DATA_DIR: options.dataDir,
    WORKERS: String(workers),
  };
  const metricsPort = options.env?.['METRICS_PORT'] ?? '0';
  const apis = Array.from({ length: apiReplicas }, (_, index) => ({
    role: 'api' as const,
    port: index === 0 ? port : 0,
  }));
  const plan: { role: Role; port: number }[] = [...apis, { role: 'relay', port: 0 }, { role: 'worker', port: 0 }];
  const running: (RoleProcess | undefined)[] = [];
  const processes: Service['processes'] = [];
  const final = Promise.withResolvers<RoleExit>();
  let stopping = false;

  async function start(index: number, role: Role, listenPort: number): Promise<void> {
    const ports = { PORT: String(listenPort), METRICS_PORT: index === 0 ? metricsPort : '0' };
    const started = await startRole({ role, env: { ...env, ...ports }, log, onGroup, signal: options.signal });
    running[index] = started;
    processes[index] = { role, pid: started.pid, metricsUrl: started.metricsUrl };
    if (stopping) await started.stop();
  }

  /** Follows one role through its restarts. A replacement listens where its predecessor did. */
  async function follow(index: number, role: Role): Promise<void> {
    const restarts = createRestarts(restart);
    for (;;) {
      const current = running[index];
      if (!current) return;
      let exit = await current.exited;
      const listenPort = current.url ? Number(new URL(current.url).port) : 0;
      for (let replaced = false; !replaced;) {
        if (stopping) return;
        const delayMs = restarts.nextDelayMs();
        if (delayMs === undefined) return final.resolve(exit);
        log(role, `ended (${exit.signal ?? `code ${exit.code}`}), starting again in ${delayMs} ms`);
        await sleep(delayMs);
        if (stopping) return;
        await start(index, role, listenPort).then(
          () => (replaced = true),
          (error: unknown) => (exit = { ...exit, detail: String(error) }),
        );
      }
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    await Promise.all(running.map(async (role) => role?.stop()));
  }

  const outcomes = await Promise.allSettled(plan.map((entry, index) => start(index, entry.role, entry.port)));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  for (const [index, { role }] of plan.entries()) void follow(index, role);
  const url = running[0]?.url;
  if (!url) throw new Error('the API reported no address');
  return { url, processes, exited: final.promise, stop, ...(bootstrapKey ? { bootstrapKey } : {}) };
}
