import { describe, expect, it } from 'vitest';
import { parseBalancer } from '../../src/scale/balancer.ts';
import { deploy, scale, type Changeable } from '../../src/scale/change.ts';
import type { Container } from '../../src/scale/containers.ts';
import { parseScaleOptions } from '../../src/scale/options.ts';
import { paceOf, paceText, statesOf, statusText, workersFor } from '../../src/scale/report.ts';

const container = (service: string, number: number, more: Partial<Container> = {}): Container => ({
  id: `${service}-${number}`,
  name: `segbench-${service}-${number}`,
  service,
  number,
  image: 'old',
  state: 'running',
  health: 'healthy',
  exitCode: 0,
  memoryLimitBytes: 2 ** 30,
  ...more,
});

/** An engine of plain numbers, which makes new containers from the image `new`. */
function fakeProject(first: Container[]) {
  let all = [...first];
  const seen: string[] = [];
  const least = new Map<string, number>();
  const count = (service: string) => all.filter((one) => one.service === service).length;
  const note = (line: string) => {
    seen.push(line);
    for (const service of ['api', 'worker']) least.set(service, Math.min(least.get(service) ?? 99, count(service)));
  };
  let made = 100;
  const project: Changeable = {
    async up(...services) {
      for (const service of services.filter((one) => count(one) === 0)) all.push(container(service, 1));
      note(`up ${services.join(' ')}`);
    },
    async scale(service, wanted) {
      while (count(service) < wanted) all.push(container(service, made++, { image: 'new' }));
      const own = all.filter((one) => one.service === service);
      const gone = own.slice(wanted);
      all = all.filter((one) => !gone.includes(one));
      note(`${service}=${wanted}`);
    },
    async once(service) {
      note(`once ${service}`);
    },
    async remove(old) {
      all = all.filter((one) => one !== old);
      note(`remove ${old.name}`);
    },
    running: async (service) => all.filter((one) => one.service === service && one.state === 'running'),
    stopped: async (service) => all.filter((one) => one.service === service && one.state !== 'running'),
  };
  return { project, seen, least, all: () => all };
}

describe('deploy', () => {
  it('brings up an empty host: servers, migration, replicas, balancer, workers, and what watches last', async () => {
    const { project, seen } = fakeProject([]);
    await deploy(project, { workers: 3 }, ['prometheus']);
    expect(seen).toEqual([
      'up postgres queue cache',
      'once migrate',
      'api=2',
      'up haproxy relay',
      'worker=3',
      'up prometheus',
    ]);
  });

  it('replaces every replica and worker by one of the new image, and never has fewer than before', async () => {
    const { project, all, least } = fakeProject([
      ...['postgres', 'queue', 'cache', 'haproxy', 'relay'].map((name) => container(name, 1)),
      ...[1, 2].flatMap((number) => [container('api', number), container('worker', number)]),
    ]);
    await deploy(project, { workers: 2 }, []);
    const roles = all().filter(({ service }) => ['api', 'worker'].includes(service));
    expect(roles.map(({ service, image }) => `${service} ${image}`).sort()).toEqual([
      'api new',
      'api new',
      'worker new',
      'worker new',
    ]);
    expect(Object.fromEntries(least)).toEqual({ api: 2, worker: 2 });
  });

  it('starts no container of before that somebody had stopped', async () => {
    const { project, all } = fakeProject([1, 2].map((number) => container('api', number, { state: 'exited' })));
    await deploy(project, { workers: 1 }, []);
    const apis = all().filter(({ service }) => service === 'api');
    expect(apis.map(({ image, state }) => `${image} ${state}`)).toEqual(['new running', 'new running']);
  });

  it('changes no servers after a migration that failed', async () => {
    const { project, seen } = fakeProject([container('api', 1)]);
    const failing = { ...project, once: () => Promise.reject(new Error('migration 13 failed')) };
    await expect(deploy(failing, { workers: 1 }, [])).rejects.toThrow('migration 13 failed');
    expect(seen).toEqual(['up postgres queue cache']);
  });
});

describe('scale', () => {
  it('touches workers alone without --api', async () => {
    const { project, seen } = fakeProject([container('api', 1), container('worker', 1)]);
    await scale(project, { workers: 4 });
    expect(seen).toEqual(['worker=4']);
  });

  it('adds before it takes away', async () => {
    const { project, seen } = fakeProject([container('api', 1), container('worker', 1), container('worker', 2)]);
    await scale(project, { workers: 1, apis: 3 });
    expect(seen).toEqual(['api=3', 'worker=1']);
  });
});

describe('parseScaleOptions', () => {
  it.each([
    [['deploy', '4'], { action: 'deploy', workers: 4, apis: undefined, json: false }],
    [['deploy', '4', '--api', '3'], { action: 'deploy', workers: 4, apis: 3, json: false }],
    [['0'], { action: 'scale', workers: 0, apis: undefined, json: false }],
    [['status', '--json'], { action: 'status', json: true }],
    [['metrics'], { action: 'metrics', json: false }],
    [['--help'], { action: 'help', json: false }],
  ])('reads %j', (args, options) => {
    expect(parseScaleOptions(args)).toEqual(options);
  });

  it.each([
    [[], /deploy N, N, status or metrics/],
    [['deploy'], /deploy needs the number of workers/],
    [['deploy', 'many'], /"many" is no number of workers; allowed: 0 to 256/],
    [['257'], /"257" is no number of workers/],
    [['3', '4'], /one number of workers is enough, got "4"/],
    [['deploy', '3', '4'], /one number of workers is enough, got "4"/],
    [['statu'], /unknown word "statu" \(did you mean "status"\?\)/],
    [['status', 'all'], /status takes no further word, got "all"/],
    [['status', '--api', '2'], /--api goes with a number of workers/],
    [['2', '--api', '17'], /--api "17" is not allowed.*from 1 to 16/],
    [['2', '--apis', '2'], /unknown flag "--apis" \(did you mean "--api"\?\)/],
  ])('refuses %j', (args, message) => {
    expect(() => parseScaleOptions(args)).toThrow(message);
  });
});

describe('what is said', () => {
  it('counts what runs, what is healthy, and images of a deploy that is not over', () => {
    const states = statesOf([
      container('api', 1),
      container('api', 2, { image: 'new', health: 'starting' }),
      container('api', 3, { state: 'exited' }),
      container('migrate', 1, { state: 'exited' }),
    ]);
    expect(states).toEqual([
      { service: 'api', running: 2, healthy: 1, memoryLimitBytes: 2 ** 30, images: 2 },
      { service: 'migrate', running: 0, healthy: 0, memoryLimitBytes: 0, images: 0 },
    ]);
    expect(statusText(states, undefined)).toMatch(/api +2 +1 +1024 MB +2 images[^]*the balancer does not answer/);
  });

  it('reads the balancer’s servers that have an address', () => {
    const csv = [
      '# pxname,svname,scur,status,addr',
      'http,FRONTEND,3,OPEN,',
      'api,api-1,2,UP,172.18.0.5:8080',
      'api,api-2,0,DOWN,172.18.0.6:8080',
      'api,api-3,0,MAINT (resolution),:8080',
      'api,BACKEND,2,UP,',
    ].join('\n');
    expect(parseBalancer(csv)).toEqual([
      { name: 'api-1', address: '172.18.0.5:8080', status: 'UP', open: 2 },
      { name: 'api-2', address: '172.18.0.6:8080', status: 'DOWN', open: 0 },
    ]);
  });

  const report = (id: string) => ({ id }) as never;
  const now = (waiting: number, done: number[]) =>
    paceOf({
      queue: {
        waiting,
        active: 0,
        delayed: 0,
        failed: 0,
        oldestAgeMs: 90_000,
        workers: [report('w7-a/1'), report('w7-a/2'), report('w7-b/1')],
      },
      finished: done.map((count, second) => ({ second, done: count })),
    });

  it('says how many workers the same work would take, from what these do', () => {
    const pace = now(12_000, [300, 300]);
    expect(pace).toMatchObject({ workers: 2, inferenceProcesses: 3, imagesPerSecond: 10, drainSeconds: 1200 });
    expect(workersFor(pace, 600)).toBe(4);
    expect(paceText(pace)).toContain('4 in 10 minutes');
  });

  it('guesses nothing where nothing moves, and asks for none where nothing waits', () => {
    expect(workersFor(now(5, []), 600)).toBeNull();
    expect(paceText(now(5, []))).toContain('nothing ended in the last minute');
    expect(workersFor(now(0, [1]), 600)).toBe(0);
  });
});
