/**
 * The composed system for real: brought up by `npm run scale -- deploy`, looked at from outside, scaled and rolled out anew in the middle of
 * a batch, and taken down. Takes eight to ten minutes, so it is no part of `npm test`:
 *   node test/acceptance/compose-smoke.ts [--build] [--keep]
 * Needs a Docker engine (DOCKER_HOST) with compose, and images: SEGBENCH_IMAGE and its kin, else those of test/images/make.sh and
 * segbench:1, which --build makes. Exit codes: 0 all passed, 1 something failed, 3 what it needs is not there.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import type { Batch } from '#contract/batches.ts';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { freePort } from '../../loadtest/src/environment/ports.ts';
import { capture } from '../../loadtest/src/environment/processes.ts';
import { openResumingSocket } from '../../loadtest/src/load/resuming-socket.ts';
import { timerPool } from '../../loadtest/src/load/simulated.ts';
import { createCommands } from './commands.ts';
import { createSteps, endWithout, expect, startClient, uploadFiles, wrongEvents } from './kit.ts';

const IMAGE_MS = 1000;
/**
 * By the seconds of the first deploy, which starts half the containers that start later on: twice what three workers do until the batch may end. On a busy
 * machine containers take longer, and simulated images do not.
 */
const IMAGES_PER_SECOND_OF_DEPLOY = 20;
/** For what is left then. */
const LAST_WORKERS = 6;
let count = 0;
const { values: options } = parseArgs({
  options: { build: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});
const root = resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(join(tmpdir(), 'segbench-smoke-'));
const projectName = basename(folder).toLowerCase();
const key = randomBytes(24).toString('hex');
const [port, statsPort, prometheusPort] = await Promise.all([freePort(), freePort(), freePort()]);
const images = {
  SEGBENCH_IMAGE: 'segbench:1',
  POSTGRES_IMAGE: 'segbench-postgres:local',
  REDIS_IMAGE: 'segbench-redis:local',
  HAPROXY_IMAGE: 'segbench-haproxy:local',
  PROMETHEUS_IMAGE: 'segbench-prometheus:local',
};
const env: NodeJS.ProcessEnv = {
  ...images,
  ...process.env,
  COMPOSE_PROJECT_NAME: projectName,
  COMPOSE_FILE: [join(root, 'docker-compose.yml'), join(import.meta.dirname, 'compose/simulated.yml')].join(':'),
  POSTGRES_PASSWORD: randomBytes(12).toString('hex'),
  REDIS_PASSWORD: randomBytes(12).toString('hex'),
  GRAFANA_PASSWORD: randomBytes(12).toString('hex'),
  BOOTSTRAP_API_KEY: key,
  SEGBENCH_ADDRESS: '127.0.0.1',
  SEGBENCH_PORT: String(port),
  BALANCER_STATS_PORT: String(statsPort),
  PROMETHEUS_PORT: String(prometheusPort),
  API_REPLICAS: '2',
  WORKER_REPLICAS: '1',
  SMOKE_PROFILE: (await timerPool(folder, IMAGE_MS)).replace(/^sim:/, ''),
};
const url = `http://127.0.0.1:${port}`;

const { run, docker, succeeds, withoutDocker, containersOf: containers, leftOf } = createCommands({ cwd: root, env });
const containersOf = (service: string) => containers(projectName, service);
let composeWords: string[] | undefined;
async function compose(...args: string[]): Promise<string> {
  composeWords ??= (await succeeds('compose', 'version')) ? ['docker', 'compose'] : ['docker-compose'];
  return run(composeWords[0]!, [...composeWords.slice(1), ...args]);
}
/** The command itself, as an operator runs it. */
const scale = (...args: string[]) => run(process.execPath, [join(root, 'loadtest/bin/run.mjs'), 'scale', ...args]);
/** What is missing, in one sentence; images of Prometheus and Grafana may be. */
async function missing(): Promise<string | undefined> {
  const none = await withoutDocker();
  if (none) return none;
  if (options.build) {
    await run('bash', ['test/images/make.sh', 'postgres redis haproxy base']);
    const base = ['--build-arg', 'BASE=segbench-base:local'];
    await docker('build', '-q', '--network', 'host', ...base, '-t', env['SEGBENCH_IMAGE']!, '.');
  }
  const without: string[] = ['grafana'];
  for (const [name, image] of Object.entries({ ...images, ...env }).filter(([one]) => one in images)) {
    if (await succeeds('image', 'inspect', image ?? '')) continue;
    if (name !== 'PROMETHEUS_IMAGE') return `no image ${image} (${name}): --build makes those of this machine`;
    without.push('prometheus');
  }
  env['SCALE_WITHOUT'] = without.join(',');
  return undefined;
}

await endWithout(await missing(), folder);

const { step, close } = createSteps();
const client = createHttpClient({ baseUrl: url, key, connections: 4 });

async function hardened(): Promise<string> {
  const seen: string[] = [];
  for (const service of ['postgres', 'queue', 'cache', 'haproxy', 'api', 'relay', 'worker']) {
    for (const id of await containersOf(service)) {
      const [one] = JSON.parse(await docker('inspect', id)) as {
        Config: { User: string };
        HostConfig: { ReadonlyRootfs: boolean; Memory: number; CapDrop: string[] };
        NetworkSettings: { Ports: Record<string, { HostIp: string }[] | null> };
      }[];
      const { User, HostConfig, NetworkSettings } = { User: one!.Config.User, ...one! };
      expect(HostConfig.ReadonlyRootfs, `${service}: the root can be written`);
      expect(User !== '' && !User.startsWith('0'), `${service} runs as ${User || 'root'}`);
      expect(HostConfig.Memory > 0, `${service} has no memory limit`);
      expect(HostConfig.CapDrop.includes('ALL'), `${service} keeps capabilities`);
      const open = Object.values(NetworkSettings.Ports).flatMap((list) => list ?? []);
      expect(service === 'haproxy' || open.length === 0, `${service} is published`);
      expect(
        open.every(({ HostIp }) => HostIp === '127.0.0.1'),
        `${service} is published beyond this host`,
      );
      seen.push(service);
    }
  }
  const [api = ''] = await containersOf('api');
  const write = await capture('docker', ['exec', api, 'sh', '-c', 'echo x >/app/x'], { env });
  expect(write.code !== 0 && /Read-only/i.test(write.stderr), `a file was written into the image: ${write.stderr}`);
  const who = (await docker('exec', api, 'sh', '-c', 'echo $(id -u)')).trim();
  expect(who === '10001', `the API runs as user ${who}`);
  return `${seen.length} containers`;
}

/** Files that differ in one pixel's value and so in their content. */
async function upload(projectId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let first = 0; first < count; first += 100) {
    const files = await Promise.all(
      Array.from({ length: Math.min(100, count - first) }, async (_, index) => {
        const pixels = Buffer.alloc(64 * 64, 20);
        pixels.writeUInt32LE(first + index, 0);
        const bytes = await sharp(pixels, { raw: { width: 64, height: 64, channels: 1 } })
          .png()
          .toBuffer();
        return { name: `${first + index}.png`, bytes };
      }),
    );
    ids.push(...(await uploadFiles(client, projectId, files)).map(({ id }) => id));
  }
  return ids;
}

try {
  const began = Date.now();
  await step('deploy 1 --api 2 from nothing', async () => void (await scale('deploy', '1', '--api', '2')), true);
  count = Math.round(((Date.now() - began) / 1000) * IMAGES_PER_SECOND_OF_DEPLOY);
  await step('pages, liveness and readiness through the balancer', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/healthz', 'application/json'],
      ['/readyz', 'application/json'],
      ['/docs', 'text/html'],
    ] as const) {
      const reply = await fetch(url + path);
      const got = `${reply.status} ${reply.headers.get('content-type')}`;
      expect(reply.status === 200 && got.includes(type), `${path}: ${got}`);
    }
  });
  await step('nothing can be written, nobody is root, all is bounded', hardened);
  const project = await client.json<{ id: string }>('/api/projects', { method: 'POST', body: { name: 'smoke' } });
  const imageIds = await upload(project.id);
  const target = { url, key, projectId: project.id, imageIds };
  const socket = openResumingSocket(target);
  await sleep(500);
  const stopClient = startClient(target);
  const batch = await client.json<Batch>(`/api/projects/${project.id}/batches`, {
    method: 'POST',
    body: { all: true },
  });
  const state = () => client.json<Batch>(`/api/batches/${batch.id}`);
  await step('3 workers and 3 replicas, in the middle of a batch', async () => void (await scale('3', '--api', '3')));
  await step('a new deploy: every replica and worker replaced, one after the other', async () => {
    const before = await Promise.all(['api', 'worker'].map(containersOf));
    await scale('deploy', '2', '--api', '2');
    const after = await Promise.all(['api', 'worker'].map(containersOf));
    expect(
      after.flat().every((id) => !before.flat().includes(id)),
      'a container of before is still there',
    );
    expect(
      after[0]!.length === 2 && after[1]!.length === 2,
      `${after.map((ids) => ids.length).join(' and ')} containers`,
    );
  });
  await step("HAProxy's configuration loaded again", async () => void (await compose('kill', '-s', 'USR2', 'haproxy')));
  await step('back to 1 worker', async () => void (await scale('1')));
  const before = await state();
  const stillOpen = before.finishedAt === null ? 'it was open until then' : 'it had ended before: this shows little';
  await step(`${LAST_WORKERS} workers`, async () => void (await scale(String(LAST_WORKERS))));
  await step('the batch ends, each image once', async () => {
    for (let tries = 0; (await state()).status !== 'completed'; tries++) {
      expect(tries < 1200, `still ${JSON.stringify((await state()).counts)} after 10 minutes`);
      await sleep(500);
    }
    await sleep(1500);
    const { counts } = await state();
    const wrong = wrongEvents(socket.log, batch.id, imageIds);
    expect(counts.completed === count && wrong.length === 0, `${JSON.stringify(counts)}; ${wrong.join(', ')}`);
    expect(before.finishedAt === null, stillOpen);
    return `${count} images (simulated, ${IMAGE_MS} ms each); sockets closed with ${socket.codes().join(', ') || 'nothing'}; ${stillOpen}`;
  });
  socket.close();
  await step('no request of a client failed', async () => {
    const { sent, ok, failed } = await stopClient();
    expect(ok === sent && sent > 100, `${ok} of ${sent} answered: ${JSON.stringify(failed)}`);
    return `${ok} of ${sent}`;
  });
  await step('status and metrics say so', async () => {
    const said = JSON.parse(await scale('status', '--json')) as {
      services: { service: string; running: number; healthy: number }[];
      balancer: { status: string }[] | null;
    };
    const of = (name: string) => said.services.find(({ service }) => service === name);
    expect(of('worker')?.healthy === LAST_WORKERS && of('api')?.healthy === 2, JSON.stringify(said.services));
    expect(
      said.balancer?.filter(({ status }) => status === 'UP').length === 2,
      `the balancer has ${JSON.stringify(said.balancer)}`,
    );
    const pace = JSON.parse(await scale('metrics', '--json')) as { waiting: number; workers: number };
    expect(pace.waiting === 0 && pace.workers === LAST_WORKERS, JSON.stringify(pace));
  });
  await step('backup, every volume removed, restore: batch and files are there', async () => {
    const volume = (name: string) => `${projectName}_${name}`;
    const tar = (mounts: string[], ...args: string[]) => {
      const volumes = mounts.flatMap((mount) => ['-v', mount]);
      return docker('run', '--rm', '--user', '0', ...volumes, env['SEGBENCH_IMAGE']!, 'tar', ...args);
    };
    await compose('stop', '-t', '20');
    for (const name of ['database', 'files'])
      await tar([`${volume(name)}:/from:ro`, `${folder}:/to`], '-C', '/from', '-cf', `/to/${name}.tar`, '.');
    await compose('down', '-v', '-t', '20');
    await compose('up', '--no-start', 'postgres', 'api');
    for (const name of ['database', 'files'])
      await tar([`${volume(name)}:/to`, `${folder}:/from:ro`], '-C', '/to', '-xf', `/from/${name}.tar`);
    await scale('deploy', '1', '--api', '2');
    const { counts } = await state();
    expect(counts.completed === count, JSON.stringify(counts));
    const file = await client.request(`/api/images/${imageIds[0]}/file`);
    expect(file.status === 200 && file.body.subarray(1, 4).toString() === 'PNG', `the file: ${file.status}`);
    const again = await client.json<Batch>(`/api/projects/${project.id}/batches`, {
      method: 'POST',
      body: { imageIds: imageIds.slice(0, 3), force: true },
    });
    for (let tries = 0; (await client.json<Batch>(`/api/batches/${again.id}`)).counts.completed < 3; tries++) {
      expect(tries < 120, 'a new batch does not end');
      await sleep(500);
    }
  });
  if (!env['SCALE_WITHOUT']?.includes('prometheus'))
    await step('Prometheus reaches every process', async () => {
      const up = new Map<string, number>();
      for (let tries = 0; tries < 60; tries++) {
        const reply = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/query?query=up==1`).catch(() => null);
        const { data } = ((await reply?.json()) ?? {}) as { data?: { result: { metric: { job: string } }[] } };
        up.clear();
        for (const { metric } of data?.result ?? []) up.set(metric.job, (up.get(metric.job) ?? 0) + 1);
        const of = (role: string) => up.get(`segbench-${role}`) ?? 0;
        if (of('api') >= 2 && of('relay') === 1 && of('worker') === 1 && up.has('haproxy'))
          return JSON.stringify([...up]);
        await sleep(1000);
      }
      throw new Error(`seen: ${JSON.stringify([...up])}`);
    });
} catch {
  // the step has told it
} finally {
  client.close();
  if (options.keep) console.log(`kept: ${projectName} at ${url}, key ${key}`);
  else {
    await step('down, and nothing is left', async () => {
      await compose('down', '-v', '-t', '20', '--remove-orphans');
      const left = await leftOf(projectName);
      expect(left === '', `left: ${left}`);
    });
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(close());
