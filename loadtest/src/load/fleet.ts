import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { migrate } from '../../../service/src/database/migrate.ts';
import { startRole, type Role, type RoleProcess } from '../../../service/src/role-process.ts';
import { inherited } from '../../../service/src/supervise.ts';
import { EnvironmentError, type Environment } from '../environment/index.ts';
import { signalGroup } from '../environment/processes.ts';
import type { Stop } from '../run/stop.ts';

export type FleetGround = Pick<
  Environment,
  'databaseUrl' | 'queueRedisUrl' | 'cacheRedisUrl' | 'tempDir' | 'env' | 'watchGroup'
>;
export interface FleetOptions {
  ground: FleetGround;
  settings?: Record<string, string> | undefined;
  log: (line: string) => void;
  stop: Stop;
  dataDir?: string;
}

/**
 * The service as single processes, which a scenario starts and ends one by one. One that ends without being asked to ends the
 * run. Rate limits are lifted.
 */
export async function startFleet({ ground, settings, log, stop, dataDir: given }: FleetOptions) {
  const { databaseUrl, queueRedisUrl, cacheRedisUrl, tempDir } = ground;
  const key = randomBytes(24).toString('hex');
  const dataDir = given ?? join(tempDir, 'data');
  await mkdir(dataDir, { recursive: true });
  await migrate(databaseUrl);
  const env = {
    ...inherited(),
    ...ground.env,
    DATABASE_URL: databaseUrl,
    QUEUE_REDIS_URL: queueRedisUrl,
    CACHE_REDIS_URL: cacheRedisUrl,
    QUEUE_PREFIX: `sb${randomBytes(4).toString('hex')}`,
    DATA_DIR: dataDir,
    METRICS_PORT: '0',
    PORT: '0',
    WORKERS: '2',
    RATE_LIMITS: 'off',
    SOCKETS_EACH: '4000',
    LOG_LEVEL: 'warn',
    BOOTSTRAP_API_KEY: key,
    ...settings,
  };
  const running = new Set<RoleProcess>();
  const sql: Sql = postgres(databaseUrl, { max: 4, onnotice: () => {} });

  async function start(role: Role, more: Record<string, string> = {}): Promise<RoleProcess> {
    const process = await startRole({
      role,
      env: { ...env, ...more },
      log: (name, line) => log(`${name}: ${line}`),
      onGroup: (pid) => ground.watchGroup(pid),
    }).catch((error: unknown) => {
      throw new EnvironmentError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    running.add(process);
    void process.exited.then(({ code, signal, detail }) => {
      if (running.delete(process)) stop.lost(`${role} of the service ended: ${signal ?? `code ${code}`}: ${detail}`);
    });
    return process;
  }
  /** SIGTERM, and how it ended. */
  async function end(process: RoleProcess) {
    running.delete(process);
    const began = performance.now();
    await process.stop();
    const { code, signal } = await process.exited;
    return { code, signal, tookMs: performance.now() - began };
  }
  /** As a machine that loses its power: nobody is told, and its children go with it. */
  function kill(process: RoleProcess): void {
    running.delete(process);
    signalGroup(process.pid, 'SIGKILL');
  }
  return {
    key,
    dataDir,
    sql,
    env,
    start,
    end,
    kill,
    running: (): readonly RoleProcess[] => [...running],
    async close(): Promise<void> {
      const all = [...running];
      running.clear();
      await Promise.all(all.map((one) => one.stop()));
      await sql.end({ timeout: 2 });
    },
  };
}
export type Fleet = Awaited<ReturnType<typeof startFleet>>;
