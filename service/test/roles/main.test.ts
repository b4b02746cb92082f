import { fork, type ChildProcess } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { testServers } from '../../../test/servers.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const servers = testServers();
let database: Awaited<ReturnType<typeof servers.createMigrated>>;
let dataDir: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  database = await servers.createMigrated();
  dataDir = await mkdtemp(join(tmpdir(), 'segbench-main-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

function startRole(role: string, env: Record<string, string> = {}) {
  const child = fork(MAIN, [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      SEGBENCH_ROLE: role,
      DATABASE_URL: database.url,
      QUEUE_REDIS_URL: servers.queueRedisUrl,
      CACHE_REDIS_URL: servers.cacheRedisUrl,
      QUEUE_PREFIX: servers.prefix(),
      DATA_DIR: dataDir,
      PORT: '0',
      WORKERS: '1',
      ...env,
    },
  });
  children.push(child);
  let output = '';
  child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
  // not 'close', which does not come after the parent has disconnected
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const drained = new Promise((resolve) => child.stderr?.on('end', resolve));
  const ended = Promise.all([exit, drained]).then(([code]) => ({
    code,
    lastLine: output.trim().split('\n').at(-1) ?? '',
  }));
  const ready = new Promise<Record<string, string>>((resolve, reject) => {
    child.on('message', (message) => {
      const one = message as Record<string, string>;
      if (one['type'] === 'ready') resolve(one);
    });
    void ended.then(({ lastLine }) => reject(new Error(`ended before it was ready: ${lastLine}`)));
  });
  ready.catch(() => {});
  return { child, ended, ready };
}

/** A way to PostgreSQL that can be cut without touching the server that all tests share. */
async function proxyTo(url: string): Promise<{ url: string; cut(): void }> {
  const target = new URL(url);
  const { port, hostname } = target;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  target.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: target.href,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

it.each(['api', 'relay', 'worker'])(
  '%s says that it is ready, serves metrics, and ends with 0 on SIGTERM',
  async (role) => {
    const { child, ended, ready } = startRole(role);
    const message = await ready;
    expect(message).toMatchObject({
      type: 'ready',
      role,
      metricsUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/),
    });
    expect('url' in message).toBe(role === 'api');
    const metrics = await (await fetch(message['metricsUrl']!)).text();
    expect(metrics).toContain('segbench_db_query_duration_seconds_bucket');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  },
);

it.each(['api', 'relay', 'worker'])('%s ends with 0 when its supervisor is gone', async (role) => {
  const { child, ended, ready } = startRole(role);
  await ready;
  child.disconnect();
  expect((await ended).code).toBe(0);
});

it.each(['api', 'relay', 'worker'])('%s ends with 1 and says so last when PostgreSQL is lost', async (role) => {
  const proxy = await proxyTo(database.url);
  const { ended, ready } = startRole(role, { DATABASE_URL: proxy.url, DATABASE_LOST_MS: '1500' });
  await ready;
  proxy.cut();
  const { code, lastLine } = await ended;
  expect(code).toBe(1);
  expect(lastLine).toMatch(new RegExp(`^${role} ended: PostgreSQL has not answered for \\d+\\.\\d s: .*ECONNREFUSED`));
});

it('ends with 1 and names every bad setting', async () => {
  const { ended } = startRole('relay', { LEASE_MS: 'soon' });
  const { code, lastLine } = await ended;
  expect(code).toBe(1);
  expect(lastLine).toContain('LEASE_MS is "soon": expected an integer');
});
