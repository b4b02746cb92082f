import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withFreePort } from './ports.ts';
import type { RunningServer } from './postgres.ts';
import type { RedisProgram } from './redis-program.ts';
import { startServer } from './server-process.ts';

/** The policy is per server, so queue and cache are two: jobs must never be evicted, cached replies must be. */
export const REDIS_ROLES = {
  queue: ['maxmemory-policy noeviction', 'appendonly yes', 'appendfsync everysec', 'save ""'],
  cache: ['maxmemory 256mb', 'maxmemory-policy allkeys-lru', 'appendonly no', 'save ""'],
};

export interface RedisOptions {
  role: keyof typeof REDIS_ROLES;
  program: RedisProgram;
  /** Parent of the data folder `redis-<role>`. */
  dir: string;
  runId: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/** Starts one Redis on a random port of 127.0.0.1 with a random password, which goes by stdin so that `ps` does not show it. */
export async function startRedis({ role, program, dir, runId, env, signal }: RedisOptions): Promise<RunningServer> {
  const data = join(dir, `redis-${role}`);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const password = randomBytes(18).toString('base64url');
  const name = `segbench-${runId}-${role}`;
  const start = async (port: number): Promise<RunningServer> => {
    const listen = program.native
      ? ['bind 127.0.0.1', `port ${port}`, `dir ${JSON.stringify(data)}`]
      : ['port 6379', 'dir /data'];
    const config = [...listen, `requirepass ${password}`, 'daemonize no', 'logfile ""', ...REDIS_ROLES[role]];
    const server = await startServer({
      what: `Redis (${role})`,
      command: program.command,
      args: program.args({ port, dir: data, name }),
      options: { env: { ...env, ...program.env } },
      input: `${config.join('\n')}\n`,
      ready: /Ready to accept connections/,
      portTaken: /Address already in use|port is already allocated/,
      end: [
        { signal: 'SIGTERM', waitMs: 8000 },
        { signal: 'SIGKILL', waitMs: 2000 },
      ],
      readyWithinMs: 60_000,
      signal,
    });
    const stop = async () => {
      await server.stop();
      await program.remove?.(name);
    };
    const again = async () => {
      await program.remove?.(name);
      return start(port);
    };
    return { ...server, stop, again, url: `redis://:${password}@127.0.0.1:${port}`, version: program.version };
  };
  try {
    return await withFreePort(start);
  } catch (error) {
    await program.remove?.(name);
    throw error;
  }
}
