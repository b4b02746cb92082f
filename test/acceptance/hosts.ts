/**
 * One batch over several hosts, of which one is cut off in the middle and comes back: each image must end exactly once.
 *   node test/acceptance/hosts.ts [--images N] [--cut-seconds N] [--plant lost]
 * Hosts are network namespaces with addresses of their own (front: API and relay; left and right: a worker each; data: PostgreSQL and two
 * Redis; client). They share this machine's files, as hosts share a folder. Inference is simulated by a timer. --plant lost: the client
 * waits for an image that nobody segments, and the verdict must be red. Needs Linux, root and iproute2; about a minute and a half.
 * Exit codes: 0 all held, 1 something did not, 3 what it needs is not there.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { timerPool } from '../../loadtest/src/load/simulated.ts';
import { inherited } from '../../service/src/supervise.ts';
import { createNetwork, type Network } from './hosts/network.ts';
import type { HostMessage } from './hosts/message.ts';
import { createSteps, expect } from './kit.ts';

const IMAGE_MS = 100;
const LEASE_MS = 3000;
const KEY = 'hosts-key-hosts-key-hosts-key-hosts-0001';
const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '700' },
    'cut-seconds': { type: 'string', default: '10' },
    plant: { type: 'string' },
  },
});
const images = Number(values.images);
const cutMs = Number(values['cut-seconds']) * 1000;

function refuse(why: string): never {
  console.error(`not run: ${why}`);
  process.exit(3);
}
if (process.getuid?.() !== 0) refuse('network namespaces need root');
if (!onPath('ip')) refuse('no ip: apt-get install iproute2');
let network: Network;
try {
  network = createNetwork(['data', 'front', 'left', 'right', 'client']);
} catch (error) {
  refuse(`no network namespaces here: ${error instanceof Error ? error.message : String(error)}`);
}

const folder = await mkdtemp(join(tmpdir(), 'segbench-hosts-'));
const children: ChildProcess[] = [];
const { step, close } = createSteps();

/** Starts a script on a host, and waits for its first word. */
async function start(host: string, script: string, args: string[], env: Record<string, string> = {}) {
  const [command, full] = network.on(host, process.execPath, [join(import.meta.dirname, 'hosts', script), ...args]);
  const child = spawn(command, full, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...inherited(), HOSTS_NAME: host, ...env },
  });
  children.push(child);
  return child;
}
async function ready(child: ChildProcess): Promise<HostMessage & { settings?: Record<string, string> }> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with ${String(code)} before it was ready`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [HostMessage];
  return message;
}

/** The last word of the client, and its progress meanwhile. */
function follow(child: ChildProcess) {
  const seen = { done: 0, workers: 0, ended: {} as Record<string, number> };
  const verdict = new Promise<Extract<HostMessage, { type: 'verdict' }>>((resolve, reject) => {
    child.on('message', (message: HostMessage) => {
      if (message.type === 'progress') Object.assign(seen, message);
      if (message.type === 'verdict') resolve(message);
    });
    child.once('exit', (code) => reject(new Error(`the client ended with code ${code}`)));
  });
  verdict.catch(() => {});
  const until = async (what: string, holds: () => boolean, withinMs: number): Promise<void> => {
    for (const began = Date.now(); !holds(); await sleep(100))
      expect(
        Date.now() - began < withinMs,
        `${what}: not within ${withinMs / 1000} s (${seen.done} done, ${seen.workers} workers)`,
      );
  };
  return { seen, verdict, until };
}

try {
  let settings: Record<string, string> = {};
  await step(
    'servers on a host of their own',
    async () => {
      const message = await ready(await start('data', 'servers.ts', [network.address('data')]));
      settings = {
        ...message.settings,
        DATA_DIR: join(folder, 'files'),
        POOL: await timerPool(folder, IMAGE_MS),
        LEASE_MS: String(LEASE_MS),
        WORKERS: '1',
        RATE_LIMITS: 'off',
        METRICS_PORT: '0',
        LOG_LEVEL: 'error',
        BOOTSTRAP_API_KEY: KEY,
      };
    },
    true,
  );
  await step(
    'API and relay on one host, a worker on each of two',
    async () => {
      const front = { ...settings, HOST: network.address('front'), PORT: '8080' };
      await ready(await start('front', 'roles.ts', ['api', 'relay'], front));
      const workers = await Promise.all(['left', 'right'].map((host) => start(host, 'roles.ts', ['worker'], settings)));
      await Promise.all(workers.map(ready));
    },
    true,
  );
  const url = `http://${network.address('front')}:8080`;
  const client = await start('client', 'client.ts', [url, KEY, String(images)], {
    DATABASE_URL: settings['DATABASE_URL'] ?? '',
    HOSTS_PLANT: values.plant ?? '',
  });
  const { seen, verdict, until } = follow(client);
  await step('both workers are seen, and images end', () =>
    until('the first tenth', () => seen.workers === 2 && seen.done >= images / 10, 60_000),
  );
  let before = 0;
  await step(`left is cut off for ${cutMs / 1000} s, and the batch goes on`, async () => {
    network.cut('left');
    before = seen.done;
    await sleep(cutMs);
    const during = seen.done - before;
    expect(seen.done < images, 'the batch ended before left came back: ask for more --images');
    expect(seen.workers === 1, `${seen.workers} workers are seen`);
    expect(during > 0, 'nothing ended meanwhile');
    return `${during} images ended meanwhile, 1 worker is seen`;
  });
  await step('it comes back and works on', async () => {
    const then = { ...seen.ended };
    network.mend('left');
    await until('both workers', () => seen.workers === 2, 20_000);
    const more = () => Object.entries(seen.ended).map(([worker, ended]) => ended - (then[worker] ?? 0));
    await until('images that each of both ends', () => more().filter((count) => count > 0).length === 2, 20_000);
    return `${more().join(' and ')} images since`;
  });
  await step('each image ended exactly once, and no request failed', async () => {
    const { problems, facts } = await verdict;
    expect(problems.length === 0, problems.join('; '));
    return Object.entries(facts)
      .map(([what, value]) => `${value} ${what}`)
      .join(', ');
  });
} catch {
  // the step has told it
} finally {
  for (const child of children.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await Promise.race([once(child, 'exit'), sleep(20_000)]);
    child.kill('SIGKILL');
  }
  network.close();
  await rm(folder, { recursive: true, force: true });
}
process.exit(close());
