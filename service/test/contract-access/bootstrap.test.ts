import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testServers } from '../../../test/servers.ts';
import type { Key } from '#contract/admin.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const servers = testServers();
let database: Awaited<ReturnType<typeof servers.createMigrated>>;
let dataDir: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  database = await servers.createMigrated();
  dataDir = await mkdtemp(join(tmpdir(), 'segbench-bootstrap-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

interface Started {
  /** Null when the process ended instead. */
  url: string | null;
  exitCode: number | null;
  /** What it printed, to the end of its start. */
  output: string;
  /** Keys that it told its supervisor. */
  told: string[];
  stop(): Promise<void>;
}
/** An API process of its own. */
async function start(env: Record<string, string> = {}): Promise<Started> {
  const child = fork(MAIN, [], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      SEGBENCH_ROLE: 'api',
      DATABASE_URL: database.url,
      QUEUE_REDIS_URL: servers.queueRedisUrl,
      CACHE_REDIS_URL: servers.cacheRedisUrl,
      QUEUE_PREFIX: servers.prefix(),
      DATA_DIR: dataDir,
      PORT: '0',
      ...env,
    },
  });
  children.push(child);
  let output = '';
  const told: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const ready = new Promise<string>((resolve) =>
    child.on('message', (message: { type: string; url: string; key: string }) => {
      if (message.type === 'bootstrap-key') told.push(message.key);
      if (message.type === 'ready') resolve(message.url);
    }),
  );
  const outcome = await Promise.race([ready, ended]);
  const url = typeof outcome === 'string' ? outcome : null;
  return {
    url,
    exitCode: typeof outcome === 'string' ? null : outcome,
    get output() {
      return output;
    },
    told,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
const ask = (url: string | null, key: string, path = '/api/session', method = 'GET') =>
  fetch(url + path, { method, headers: { authorization: `Bearer ${key}` } });
const printed = ({ output }: Started) => [...output.matchAll(/[\da-f-]{36}\.[\w-]{43}/g)].map(([key]) => key);
const SCOPES = ['read', 'write', 'admin', 'metrics'];

it.each([
  ['of 31 characters', 'k'.repeat(31)],
  ['with a blank', `${'k'.repeat(20)} ${'k'.repeat(20)}`],
  ['over 512 characters', 'k'.repeat(513)],
])('ends the start when BOOTSTRAP_API_KEY is one %s, and does not show it', async (_, key) => {
  const { exitCode, output } = await start({ BOOTSTRAP_API_KEY: key });
  expect(exitCode).toBe(1);
  expect(output).toContain(`BOOTSTRAP_API_KEY is (${key.length} characters): expected 32 to 512`);
  expect(output).not.toContain(key);
});

it('takes BOOTSTRAP_API_KEY of 32 characters verbatim, with all scopes, prints nothing, and keeps it', async () => {
  const key = 'v3rbatim/+=~!"#$%&()*,-.:;<>?@[]';
  expect(key).toHaveLength(32);
  const first = await start({ BOOTSTRAP_API_KEY: key });
  expect(await (await ask(first.url, key)).json()).toMatchObject({ name: 'bootstrap', scopes: SCOPES });
  expect((await ask(first.url, `${key}x`)).status).toBe(401);
  expect((await ask(first.url, key.toUpperCase())).status).toBe(401);
  await first.stop();
  const second = await start({ BOOTSTRAP_API_KEY: key });
  const { total } = (await (await ask(second.url, key, '/api/keys')).json()) as { total: number };
  expect(total).toBe(1);
  await second.stop();
  for (const run of [first, second])
    expect([run.output.includes(key), run.told, printed(run)]).toEqual([false, [], []]);
});

it('prints a new key once, at the first start and at no later one', async () => {
  const first = await start();
  const [key] = first.told;
  expect(await (await ask(first.url, key!)).json()).toMatchObject({ scopes: SCOPES });
  await first.stop();
  expect([printed(first), first.told]).toEqual([[key], [key]]);
  const second = await start();
  expect((await ask(second.url, key!)).status).toBe(200);
  await second.stop();
  expect([printed(second), second.told]).toEqual([[], []]);
});

it('makes one key when several processes start at once on an empty database', async () => {
  const all = await Promise.all([start(), start(), start()]);
  const keys = all.flatMap(({ told }) => told);
  expect(keys).toHaveLength(1);
  for (const { url } of all) expect((await ask(url, keys[0]!)).status).toBe(200);
  await Promise.all(all.map((run) => run.stop()));
  expect(all.flatMap(printed)).toEqual(keys);
});

it('lets the owner in again by a new BOOTSTRAP_API_KEY when the last key was revoked', async () => {
  const [lost, found] = ['l'.repeat(40), 'f'.repeat(40)];
  const first = await start({ BOOTSTRAP_API_KEY: lost });
  const { items } = (await (await ask(first.url, lost, '/api/keys')).json()) as { items: Key[] };
  expect((await ask(first.url, lost, `/api/keys/${items[0]!.id}`, 'DELETE')).status).toBe(204);
  await first.stop();
  // Neither the revoked key nor a start without one opens the service again.
  const same = await start({ BOOTSTRAP_API_KEY: lost });
  expect((await ask(same.url, lost)).status).toBe(401);
  await same.stop();
  const none = await start();
  await none.stop();
  expect(printed(none)).toEqual([]);
  const second = await start({ BOOTSTRAP_API_KEY: found });
  expect(await (await ask(second.url, found)).json()).toMatchObject({ scopes: SCOPES });
  expect((await ask(second.url, lost)).status).toBe(401);
});
