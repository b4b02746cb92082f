/**
 * The commands of docs/operations.md as they stand there, on a clone of this repository's last commit and with real inference: a first deploy, more of it,
 * an upgrade to a version with one migration more, both backups, both restores from nothing, a worker beside the composed system, rollback. A block of the
 * page that is neither run here nor named as one that cannot be is a failure, too.
 *   node test/acceptance/operations.ts [--keep] [--build-network host] [--without more]
 * Takes a quarter of an hour. Needs a Docker engine of its own (DOCKER_HOST), for it removes the project `segbench` there with all volumes, and in it the
 * images of test/images/make.sh, which stand for the official ones: postgres (with WITH_CLIENTS=1), redis, haproxy, prometheus, base. There is no Grafana
 * among them. --build-network: the network in which `docker build` reaches npm. --without more: six workers and four replicas are not tried. Exit codes: 0 all passed, 1 something failed, 3 what it needs is not there.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, parseEnv } from 'node:util';
import type { Batch } from '#contract/batches.ts';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { freePort } from '../../loadtest/src/environment/ports.ts';
import { capture, onPath } from '../../loadtest/src/environment/processes.ts';
import { planSet } from '../../loadtest/src/images/plan.ts';
import { synthesise } from '../../loadtest/src/images/synthesise.ts';
import { blocksOf } from '../../service/test/docs/blocks.ts';
import { createCommands } from './commands.ts';
import { createSteps, endWithout, expect, startClient, uploadFiles } from './kit.ts';

const IMAGES = 12;
const SECRETS = ['POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'BOOTSTRAP_API_KEY', 'GRAFANA_PASSWORD'];

const { values: options } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    'build-network': { type: 'string' },
    without: { type: 'string', multiple: true, default: [] as string[] },
  },
});
const root = resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(join(tmpdir(), 'segbench-operations-'));
const clone = join(folder, 'segbench');
const origin = join(folder, 'origin.git');
const bin = join(folder, 'bin');
const ports = await Promise.all(Array.from({ length: 4 }, () => freePort()));
const [port, statsPort, prometheusPort, workerPort] = ports;
const url = `http://127.0.0.1:${port}`;
const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${bin}:${process.env['PATH']}`,
  SEGBENCH_PORT: String(port),
  BALANCER_STATS_PORT: String(statsPort),
  PROMETHEUS_PORT: String(prometheusPort),
  SCALE_WITHOUT: 'grafana',
};

const { run, docker, succeeds, withoutDocker, withoutStandIns, containersOf, leftOf } = createCommands({
  cwd: root,
  env,
});
const git = (cwd: string, ...args: string[]) =>
  run('git', ['-c', 'user.name=operations', '-c', 'user.email=operations@example.org', ...args], { cwd });

/** Blocks of the page by section; each is taken once. */
const page = await readFile(join(root, 'docs/operations.md'), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), blocksOf(text).map(({ code }) => code)]),
);
function take(section: string): string {
  const code = sections.get(section)?.shift();
  if (code === undefined) throw new Error(`docs/operations.md has no further block under "${section}"`);
  return code;
}
/** As a person would type it, line by line, ending at the first failure. */
const enter = (code: string, more: NodeJS.ProcessEnv = {}, cwd = clone) =>
  run('bash', ['-euo', 'pipefail', '-c', code], { cwd, env: { ...env, ...more } });

async function missing(): Promise<string | undefined> {
  if (!process.env['DOCKER_HOST']) return 'DOCKER_HOST names no engine of its own';
  const none = await withoutDocker();
  if (none) return none;
  if (!(await succeeds('compose', 'version'))) return 'docker has no compose plugin';
  if ((await leftOf('segbench')) !== '') return 'this engine has a project "segbench" already, which would be removed';
  return await withoutStandIns();
}
await endWithout(await missing(), folder);

await mkdir(bin);
if (options['build-network']) {
  const program = onPath('docker')!;
  const script = `#!/bin/sh\n[ "$1" != build ] || { shift; set -- build --network ${options['build-network']} "$@"; }\nexec ${program} "$@"\n`;
  await writeFile(join(bin, 'docker'), script, { mode: 0o755 });
}
const { step, close } = createSteps();
let client = createHttpClient({ baseUrl: url, key: '', connections: 2 });
let key = '';
let project = '';
let imageIds: string[] = [];
let sha256 = '';
let batch = '';

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
async function segment(body: Record<string, unknown>): Promise<string> {
  const { id, total } = await client.json<Batch>(`/api/projects/${project}/batches`, { method: 'POST', body });
  for (let tries = 0; ; tries++) {
    const { status, counts } = await client.json<Batch>(`/api/batches/${id}`);
    if (status === 'completed') {
      expect(counts.completed === total, `${JSON.stringify(counts)} of ${total}`);
      return id;
    }
    expect(tries < 360, `a batch of ${total} is at ${JSON.stringify(counts)} after 3 minutes`);
    await sleep(500);
  }
}
async function fillProject(): Promise<string> {
  ({ id: project } = await client.json<{ id: string }>('/api/projects', { method: 'POST', body: { name: 'plate' } }));
  const files = await Promise.all(
    planSet(1, IMAGES).map(async (plan) => ({
      name: `${plan.index}.${plan.format}`,
      bytes: (await synthesise(1, plan)).file,
    })),
  );
  const images = await uploadFiles(client, project, files);
  imageIds = images.map(({ id }) => id);
  sha256 = images[0]!.sha256;
  batch = await segment({ all: true });
  const { polygonCount } = await client.json<{ polygonCount: number }>(`/api/images/${imageIds.at(-1)}`);
  return `${IMAGES} images by real inference, ${polygonCount} cells in the last one`;
}
/** What was there before is there, and work goes on. */
async function asBefore(): Promise<string> {
  const { counts } = await client.json<Batch>(`/api/batches/${batch}`);
  expect(counts.completed === IMAGES, `the batch of before: ${JSON.stringify(counts)}`);
  const file = await client.request(`/api/images/${imageIds[0]}/file`);
  expect(file.status === 200 && hashOf(file.body) === sha256, `the file of before: ${file.status}`);
  await segment({ imageIds: imageIds.slice(0, 2), force: true });
  return 'the batch and the file of before are there, and a new batch ended';
}
/** Versions of the image that run, by role. */
async function imagesOf(...services: string[]): Promise<string> {
  const all = await Promise.all(services.map((service) => containersOf('segbench', service, '{{.Image}}')));
  return [...new Set(all.flat())].sort().join(', ');
}
const latestMigration = async (at: string) =>
  Math.max(
    ...(await readdir(join(at, 'service/migrations')))
      .map((name) => Number.parseInt(name, 10))
      .filter(Number.isInteger),
  );

let stopClient: ReturnType<typeof startClient> | undefined;
let older = 0;
try {
  await step(
    'One host',
    async () => {
      await run('git', ['clone', '-q', '--bare', root, origin]);
      const code = take('One host')
        .replace('REPOSITORY', origin)
        // what the comment beside it asks for
        .replace(
          /^(cp .env.example .env).*$/m,
          `$1\nfor name in ${SECRETS.join(' ')}; do sed -i "s/^$name=$/$name=$(openssl rand -hex 24)/" .env; done`,
        );
      const said = await enter(code, {}, folder);
      expect(/balancer: \S+ UP .*, \S+ UP /.test(said), said.slice(-800));
      key = parseEnv(await readFile(join(clone, '.env'), 'utf8'))['BOOTSTRAP_API_KEY'] ?? '';
      client = createHttpClient({ baseUrl: url, key, connections: 2 });
    },
    true,
  );
  await step('a batch', fillProject, true);
  // below the limit of requests that a key has
  stopClient = startClient({ url, key, projectId: project, imageIds }, 1000);
  await step("HAProxy's configuration is loaded again", async () => void (await enter(take('One host'))));
  const more = take('More of it, while it runs');
  if (options.without.includes('more')) console.log('not run  More of it, while it runs (--without more)');
  else
    await step('More of it, while it runs', async () => {
      const said = await enter(more);
      expect(/"service": "worker",\s+"running": 6,\s+"healthy": 6/.test(said), said.slice(-1500));
      expect(/"service": "api",\s+"running": 4,\s+"healthy": 4/.test(said), said.slice(-1500));
    });
  await step('Upgrade: one migration more', async () => {
    older = await latestMigration(clone);
    const author = join(folder, 'author');
    await run('git', ['clone', '-q', origin, author]);
    const name = `${String(older + 1).padStart(4, '0')}_upgrade`;
    await writeFile(
      join(author, `service/migrations/${name}.up.sql`),
      'ALTER TABLE projects ADD COLUMN remark text;\n',
    );
    await writeFile(join(author, `service/migrations/${name}.down.sql`), 'ALTER TABLE projects DROP COLUMN remark;\n');
    await git(author, 'add', '.');
    await git(author, 'commit', '-q', '-m', 'feat: remarks');
    await git(author, 'push', '-q', 'origin', 'HEAD');
    await enter(take('Upgrade'));
    const versions = await imagesOf('api', 'worker', 'relay');
    expect(versions === 'segbench:2', `${versions} runs`);
    return asBefore();
  });
  await step('meanwhile, no request of a client failed', async () => {
    const { sent, ok, failed } = await stopClient!();
    stopClient = undefined;
    expect(ok === sent && sent > 100, `${ok} of ${sent} answered: ${JSON.stringify(failed)}`);
    return `${ok} of ${sent}`;
  });
  const [files, aside] = [join(clone, 'files.tar'), join(folder, 'files.tar')];
  await step('Backup, while it runs', async () => void (await enter(take('Backup'))), true);
  await rename(files, aside); // the other one writes a file of this name, too
  await step(
    'Backup, standing still',
    async () => {
      await enter(take('Backup'));
      return asBefore();
    },
    true,
  );
  const [removeAll = '', ofCopies = '', ofDump = ''] = [1, 2, 3].map(() => take('Restore'));
  await step('Restore of plain copies', async () => {
    await enter(removeAll);
    await enter(ofCopies);
    return asBefore();
  });
  await rename(aside, files);
  await step('Restore of the dump', async () => {
    await enter(removeAll);
    await enter(ofDump);
    return asBefore();
  });
  await step('a worker of another host', async () => {
    const words = parseEnv(await readFile(join(clone, '.env'), 'utf8'));
    const addressOf = async (service: string) => {
      const [id = ''] = await containersOf('segbench', service);
      return (await docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id)).trim();
    };
    const redis = async (service: string) => `redis://:${words['REDIS_PASSWORD']}@${await addressOf(service)}:6379`;
    const more = {
      DATABASE_URL: `postgres://segbench:${words['POSTGRES_PASSWORD']}@${await addressOf('postgres')}:5432/segbench`,
      QUEUE_REDIS_URL: await redis('queue'),
      CACHE_REDIS_URL: await redis('cache'),
      METRICS_PORT: String(workerPort),
    };
    await enter('npm run scale -- 0');
    const storage = (await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', 'segbench_files')).trim();
    const code = take('More hosts').replace('/mnt/segbench', storage).replace('--workers 8', '--workers 1');
    const worker = spawn('bash', ['-c', `exec ${code}`], {
      cwd: clone,
      env: { ...env, ...more },
      stdio: 'inherit',
      detached: true,
    });
    const ended = new Promise((done) => worker.once('exit', done));
    try {
      return await asBefore();
    } finally {
      process.kill(-worker.pid!, 'SIGTERM');
      await Promise.race([ended, sleep(20_000)]);
    }
  });
  await step('an older program refuses the newer database', async () => {
    const { code, stdout, stderr } = await capture('docker', ['compose', 'run', '--rm', 'migrate'], {
      cwd: clone,
      env: { ...env, SEGBENCH_IMAGE: 'segbench:1' },
    });
    expect(code !== 0 && `${stdout}${stderr}`.includes('use a newer program'), `code ${code}: ${stdout}${stderr}`);
  });
  await step('Rollback', async () => {
    await enter(take('Rollback').replace('--to N', `--to ${older}`));
    const versions = await imagesOf('api', 'worker', 'relay');
    expect(versions === 'segbench:1', `${versions} runs`);
    return asBefore();
  });
  await step('every block of the page was run, but those for a cluster', async () => {
    sections.delete('Kubernetes');
    const left = [...sections].flatMap(([name, blocks]) => blocks.map((code) => `${name}: ${code.split('\n', 1)[0]}`));
    expect(left.length === 0, left.join('; '));
  });
} catch {
  // the step has told it
} finally {
  await stopClient?.();
  client.close();
  if (options.keep) console.log(`kept: ${clone} at ${url}, key ${key}`);
  else {
    await capture('docker', ['compose', 'down', '-v', '-t', '20', '--remove-orphans'], { cwd: clone, env }).catch(
      () => {},
    );
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(close());
