import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findEngine, type Engine } from '../../src/environment/containers/engine.ts';
import { imageNames } from '../../src/environment/containers/images.ts';
import { removeLeftoverContainers } from '../../src/environment/containers/leftovers.ts';
import { startEnvironment, type Environment } from '../../src/environment/index.ts';
import { isAlive } from '../../src/environment/processes.ts';
import { removeLeftovers } from '../../src/environment/temp-dir.ts';
import { redisFacts, withDatabase } from '../../src/environment/server-facts.ts';

/** `.ci/run` starts an engine for these alone; elsewhere it is the one that answers, where it has the images. */
const given = process.env['SEGBENCH_TEST_DOCKER_HOST'];
if (given) process.env['DOCKER_HOST'] = given;
const found = await findEngine();
const images = Object.values(imageNames(process.env)) as string[];
const missing =
  typeof found === 'string'
    ? found
    : (
        await Promise.all(
          images.map((image) =>
            found.client.container.dockerode
              .getImage(image)
              .inspect()
              .then(
                () => '',
                () =>
                  `no image ${image}: test/images/make.sh makes some, BENCH_POSTGRES_IMAGE and BENCH_REDIS_IMAGE name them`,
              ),
          ),
        )
      ).find((text) => text !== '');

describe.skipIf(missing !== undefined)(`in containers${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const engine = found as Engine;
  const environments: Environment[] = [];
  const children: ChildProcess[] = [];
  const start = async (log: (line: string) => void = () => {}): Promise<Environment> => {
    const environment = await startEnvironment({ kind: 'testcontainers', log });
    environments.push(environment);
    return environment;
  };
  const listed = async () =>
    await engine.client.container.dockerode.listContainers({ all: true, filters: { label: ['dev.segbench.run'] } });
  const before = new Set<string>();
  /** Containers made since this file began. */
  const ours = async () => (await listed()).filter(({ Id }) => !before.has(Id));
  const noneLeft = () => vi.waitUntil(async () => (await ours()).length === 0, { timeout: 20_000, interval: 100 });

  beforeAll(async () => {
    for (const { Id } of await listed()) before.add(Id);
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
    // An engine behind a socket that can be taken away: for the run it has died.
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    const path = join(folder, 'docker.sock');
    const sockets = new Set<Socket>();
    const target = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '');
    const proxy = createServer((socket) => {
      const upstream = connect(target);
      for (const one of [socket, upstream]) {
        sockets.add(one);
        one.on('error', () => {}).on('close', () => sockets.delete(one));
      }
      socket.pipe(upstream).pipe(socket);
    });
    proxy.listen(path);
    await once(proxy, 'listening');
    vi.stubEnv('DOCKER_HOST', `unix://${path}`);
    const environment = await start();
    const servers = environment.servers.map(({ pid }) => pid);
    proxy.close();
    for (const socket of sockets) socket.destroy();
    const { detail } = await environment.died;
    await environment.stop();
    await sleep(500);
    await rm(folder, { recursive: true, force: true });
    expect(detail).toMatch(/^the Docker engine that runs its container no longer answers \(/);
    expect(servers.filter((pid) => isAlive(pid))).toEqual([]);
    await removeLeftoverContainers(engine);
    await noneLeft();
  });
});
