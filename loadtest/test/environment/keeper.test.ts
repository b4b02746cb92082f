import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEnvironment, type Environment } from '../../src/environment/index.ts';
import { isAlive } from '../../src/environment/processes.ts';
import { removeLeftovers } from '../../src/environment/temp-dir.ts';

interface Running {
  pids: number[];
  tempDir: string;
}

const children: ChildProcess[] = [];
const environments: Environment[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(environments.splice(0).map((environment) => environment.stop()));
});

async function startSupervisor(): Promise<{ child: ChildProcess; running: Running }> {
  const script = join(import.meta.dirname, 'fixtures/supervisor.ts');
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, running: JSON.parse(line) as Running };
}

const keeperOf = ({ tempDir }: Running): number =>
  (JSON.parse(readFileSync(join(tempDir, 'owner.json'), 'utf8')) as { pid: number }).pid;

/** What is still there after at most 30 s, the time the contract gives. */
async function remains({ pids, tempDir }: Running): Promise<(number | string)[]> {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const left = [...pids.filter((pid) => isAlive(pid)), ...(existsSync(tempDir) ? [tempDir] : [])];
    if (left.length === 0 || waitedMs >= 30_000) return left;
    await sleep(100);
  }
}

async function start(): Promise<Environment> {
  const environment = await startEnvironment({ kind: 'embedded', log: () => {} });
  environments.push(environment);
  return environment;
}

describe('keeper', () => {
  it('leaves no process and no folder when the supervisor is killed', async () => {
    const { child, running } = await startSupervisor();
    const keeper = keeperOf(running);
    child.kill('SIGKILL');
    expect(await remains({ ...running, pids: [...running.pids, keeper] })).toEqual([]);
  });

  it('leaves nothing after the next start when supervisor and keeper are both killed', async () => {
    const { child, running } = await startSupervisor();
    const [deaf] = running.pids.slice(-1);
    const keeper = keeperOf(running);
    process.kill(keeper, 'SIGKILL');
    child.kill('SIGKILL');
    // A signal is sent before it has acted, and a folder whose keeper lives is nobody's to remove.
    await vi.waitUntil(() => !isAlive(keeper), 20_000);
    await removeLeftovers();
    process.kill(deaf as number, 'SIGKILL');
    expect(await remains(running)).toEqual([]);
  });

  it('leaves nothing when it is stopped', async () => {
    const environment = await start();
    const pids = environment.servers.map(({ pid }) => pid);
    await environment.stop();
    expect(await remains({ pids, tempDir: environment.tempDir })).toEqual([]);
  });

  it('rejects and leaves nothing when the start is aborted', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'keeper-test-'));
    vi.stubEnv('TMPDIR', parent);
    try {
      // PostgreSQL's own account must be able to enter, or another folder is taken.
      await chmod(parent, 0o755);
      const aborting = new AbortController();
      const log = (line: string) => {
        if (line.startsWith('creating')) aborting.abort(new Error('enough'));
      };
      await expect(startEnvironment({ kind: 'embedded', log, signal: aborting.signal })).rejects.toThrow('enough');
      expect(await readdir(parent)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      await rm(parent, { recursive: true, force: true });
    }
  });

  it('tells what ended and its last lines when a server is killed', async () => {
    const environment = await start();
    const database = environment.servers.find(({ what }) => what === 'PostgreSQL');
    process.kill(database?.pid as number, 'SIGKILL');
    const death = await environment.died;
    expect(death.what).toBe('PostgreSQL');
    expect(death.detail).toMatch(/^was ended by SIGKILL; its last lines:\n.*ready to accept connections/s);
  });

  it('ends and starts servers on purpose: on their ports, with their data, and without a death', async () => {
    const environment = await start();
    let death: unknown = null;
    void environment.died.then((one) => (death = one));
    const sql = postgres(environment.databaseUrl, { max: 1, onnotice: () => {} });
    const queue = new Redis(environment.queueRedisUrl, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    queue.on('error', () => {});
    try {
      await sql`create table kept as select 42 as n`;
      await queue.set('kept', '42');
      // the append-only file is synced each second, and a process that is killed loses nothing that it has written
      for (const [what, action] of [
        ['PostgreSQL', 'end'],
        ['PostgreSQL', 'start'],
        ['Redis (queue)', 'kill'],
        ['Redis (queue)', 'start'],
      ] as const)
        expect(await environment.control?.(what, action)).toBeGreaterThan(0);
      expect(await sql`select n from kept`).toEqual([{ n: 42 }]);
      expect(await queue.get('kept')).toBe('42');
      await expect(environment.control?.('MySQL', 'end')).rejects.toThrow('no server is named "MySQL"');
      expect(death).toBeNull();
    } finally {
      queue.disconnect();
      await sql.end({ timeout: 1 });
    }
  });

  it('starts servers with the settings that the service relies on', async () => {
    const environment = await start();
    const sql = postgres(environment.databaseUrl, { max: 1, onnotice: () => {} });
    const queue = new Redis(environment.queueRedisUrl);
    const cache = new Redis(environment.cacheRedisUrl);
    try {
      await sql`create extension pg_stat_statements`;
      const [row] = await sql<{ max: string; lower: string }[]>`
        select current_setting('max_connections') as max, lower('ÄÉ') as lower`;
      expect(row).toEqual({ max: '200', lower: 'äé' });
      const policies = await Promise.all([queue, cache].map((redis) => redis.config('GET', 'maxmemory-policy')));
      expect(policies).toEqual([
        ['maxmemory-policy', 'noeviction'],
        ['maxmemory-policy', 'allkeys-lru'],
      ]);
      expect(await queue.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    } finally {
      queue.disconnect();
      cache.disconnect();
      await sql.end();
    }
  });

  it('refuses strangers when they know no password', async () => {
    const environment = await start();
    const url = new URL(environment.databaseUrl);
    url.password = 'wrong';
    const sql = postgres(url.href, { max: 1 });
    await expect(sql`select 1`).rejects.toThrow(/password authentication failed/);
    await sql.end();
  });
});
