import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed, vi } from 'vitest';
import { imageNames } from '../../src/environment/containers/images.ts';
import { removeLeftoverContainers } from '../../src/environment/containers/leftovers.ts';
import { startEnvironment, type Environment } from '../../src/environment/index.ts';
import { isAlive } from '../../src/environment/processes.ts';
import { removeLeftovers } from '../../src/environment/temp-dir.ts';
import { redisFacts, withDatabase } from '../../src/environment/server-facts.ts';
import type { ResultFile } from '../../src/contract.ts';
import { leftOf, startBench } from '../cli/bench-process.ts';
import { engine, given, listRuns, missing, skipped, startProxy } from './fixtures/docker.ts';

it.runIf(given)('has the engine and the images that .ci/run made', () => expect(missing).toBeUndefined());

describe.skipIf(missing)(`in containers${skipped}`, () => {
  const environments: Environment[] = [];
  const children: ChildProcess[] = [];
  const start = async (
    log: (line: string) => void = () => {},
    kind: 'auto' | 'testcontainers' = 'testcontainers',
  ): Promise<Environment> => {
    const environment = await startEnvironment({ kind, log });
    environments.push(environment);
    return environment;
  };
  const before = new Set<string>();
  /** Containers made since this file began. */
  const ours = async () => (await listRuns()).filter(({ Id }) => !before.has(Id));
  const noneLeft = () => vi.waitUntil(async () => (await ours()).length === 0, { timeout: 20_000, interval: 100 });

  beforeAll(async () => {
    for (const { Id } of await listRuns()) before.add(Id);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(environments.splice(0).map((environment) => environment.stop()));
  });
  afterAll(async () => {
    await removeLeftoverContainers(engine);
  });

  it('has the servers on loopback with the embedded ones’ settings, and leaves no container', async () => {
    const environment = await start();
    const { databaseUrl, queueRedisUrl, cacheRedisUrl, kind, versions } = environment;
    expect({ kind, hosts: [databaseUrl, queueRedisUrl, cacheRedisUrl].map((url) => new URL(url).hostname) }).toEqual({
      kind: 'testcontainers',
      hosts: ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    });
    const [settings] = await withDatabase(
      databaseUrl,
      (
        sql,
      ) => sql`SELECT current_setting('shared_preload_libraries') AS preloaded, datlocale, current_setting('jit') AS jit
        FROM pg_database WHERE datname = 'postgres'`,
    );
    expect(settings).toEqual({ preloaded: 'pg_stat_statements', datlocale: 'C.UTF-8', jit: 'off' });
    expect((await redisFacts(queueRedisUrl)).policy).toBe('noeviction');
    expect((await redisFacts(cacheRedisUrl)).policy).toBe('allkeys-lru');
    expect(versions.postgres).toMatch(/^\d+/);
    const published = (await ours()).flatMap(({ Ports }) => Ports.map(({ IP }) => IP));
    expect(published).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    await environment.stop();
    expect(await ours()).toEqual([]);
  });

  it('is what auto takes, and it says why', async () => {
    const lines: string[] = [];
    const { kind, notes } = await start((line) => lines.push(line), 'auto');
    const { postgres, redis } = imageNames(process.env);
    const why = `environment testcontainers: Docker ${engine.version} answers and has ${postgres} and ${redis}`;
    expect({ kind, said: lines.filter((line) => line.startsWith('environment ')) }).toEqual({
      kind: 'testcontainers',
      said: [why],
    });
    expect(notes).toContain(why);
  });

  it('says which container ended, how, and its last lines', async () => {
    const environment = await start();
    const [queue] = (await ours()).filter(({ Image }) => Image === imageNames(process.env).redis);
    await engine.client.container.dockerode.getContainer(queue!.Id).kill({ signal: 'SIGTERM' });
    const { what, detail } = await environment.died;
    expect(what).toMatch(/^Redis/);
    expect(detail).toMatch(/^its container was stopped \(code 0\).*; its last lines:\n.*Redis is now ready to exit/s);
  });

  it('tells the end of the log when a server does not start, and leaves no container', async () => {
    vi.stubEnv('BENCH_REDIS_IMAGE', imageNames(process.env).postgres);
    await expect(start()).rejects.toThrow(/Redis \(\w+\) in a container of .* did not start: .*its last lines:\n.*\w/s);
    await noneLeft();
  });

  async function supervisor(): Promise<{ child: ChildProcess; keeper: number }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/container-supervisor.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, keeper: Number(line) };
  }

  it('leaves no container when the supervisor is killed', async () => {
    const { child } = await supervisor();
    expect((await ours()).length).toBe(3);
    child.kill('SIGKILL');
    await noneLeft();
  });

  it('leaves no container after the next start when supervisor and keeper are both killed', async () => {
    const { child, keeper } = await supervisor();
    process.kill(keeper, 'SIGKILL');
    child.kill('SIGKILL');
    await vi.waitUntil(() => !isAlive(keeper), 20_000);
    await removeLeftovers();
    await removeLeftoverContainers(engine);
    expect(await ours()).toEqual([]);
  });

  it('says that the engine is gone, and ends its servers all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const proxy = await startProxy(join(folder, 'docker.sock'));
    vi.stubEnv('DOCKER_HOST', proxy.host);
    const environment = await start();
    const servers = environment.servers.map(({ pid }) => pid);
    proxy.cut();
    const { detail } = await environment.died;
    await environment.stop();
    await sleep(500);
    await rm(folder, { recursive: true, force: true });
    expect(detail).toMatch(/^the Docker engine that runs its container no longer answers \(/);
    expect(servers.filter((pid) => isAlive(pid))).toEqual([]);
    await removeLeftoverContainers(engine);
    await noneLeft();
  });

  it('ends bench with 3 and one sentence when the engine goes in the middle of a run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const [temp, out] = [join(folder, 'temp'), join(folder, 'out')];
    await mkdir(temp);
    const proxy = await startProxy(join(folder, 'docker.sock'));
    const env = { DOCKER_HOST: proxy.host };
    const args = ['--quick', '--environment', 'testcontainers', '--out', out];
    const { code, said } = startBench(args, { temp, env });
    await vi.waitUntil(() => /^upload: /m.test(said()), { timeout: 120_000, interval: 50 });
    proxy.cut();
    onTestFailed(() => console.error(said()));
    expect(await code).toBe(3);
    // The library has one empty file for all runs of an account.
    await rm(join(temp, `testcontainers-node-${userInfo().uid}.lock`), { force: true });
    expect(await leftOf(temp)).toEqual([]);
    expect(
      said()
        .split('\n')
        .filter((line) => line.startsWith('stopped: ')),
    ).toEqual([
      expect.stringMatching(
        /^stopped: .* is gone: the Docker engine that runs its container no longer answers \(.*\): start it again/,
      ),
    ]);
    const result = JSON.parse(await readFile(join(out, 'latest/result.json'), 'utf8')) as ResultFile;
    expect(result).toMatchObject({ verdict: 'error', environment: { provider: 'testcontainers' } });
    await rm(folder, { recursive: true, force: true });
    await removeLeftoverContainers(engine);
    await noneLeft();
  }, 240_000);
});
