import { cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { QueueReply } from '../../src/contract/queue.ts';
import type { Result } from '../../src/contract/results.ts';
import { fakeBackend, insertProject, until } from '../batches/fixture.ts';
import { startPath, type Path } from './path.ts';

const MODELS = path.join(import.meta.dirname, '../../models');
const PROFILE = {
  name: 'quick',
  device: 'a test',
  model: 'nuclei',
  versions: {},
  source: 'made up for a test',
  statistic: 'mean',
  covers: 'model only',
  points: [1, 2].map((images) => ({ images, width: 256, height: 256, ms: 2, n: 1 })),
  time: { fixedMs: 2, msPerMegapixel: 0.001, residual: 0, r2: 1 },
  residuals: [1],
  coldStartMs: 0,
  failureRatio: 0,
};
let folder: string;
const paths: Path[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-pools-'));
  await writeFile(path.join(folder, 'quick.json'), JSON.stringify(PROFILE));
});
afterAll(async () => {
  await Promise.all(paths.map((each) => each.close()));
  await rm(folder, { recursive: true, force: true });
});
async function open(env: Record<string, string>): Promise<Path> {
  const service = await startPath(env);
  paths.push(service);
  await service.relay();
  return service;
}
const read = async <T>(service: Path, url: string) => (await (await service.server.call(url)).json()) as T;
/** Values of a worker's own metrics by name and labels. */
async function metricsOf(url: string): Promise<Map<string, number>> {
  const lines = (await (await fetch(url)).text()).split('\n').filter((line) => line.startsWith('segbench_inference'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')).replaceAll(/,?role="worker",?/g, ''),
      Number(line.split(' ').at(-1)),
    ]),
  );
}

describe('a simulated pool', () => {
  it('runs batches through the whole path, and everything that comes of it says that it is simulated', async () => {
    const service = await open({ POOL: `sim:${path.join(folder, 'quick.json')}`, WORKERS: '2', MAX_BATCH: '4' });
    const worker = await service.worker();
    const { projectId, imageIds } = await insertProject(service.sql, 60);
    const batch = await service.start(projectId);
    await service.ended(batch.id);
    expect(await service.get(batch.id)).toMatchObject({
      modelVersion: expect.stringMatching(/^\d+-sim-quick$/) as string,
      counts: { completed: 60 },
      reused: 0,
    });
    const result = await read<Result>(service, `/api/images/${imageIds[0]}/segmentation`);
    expect(result.warnings).toEqual(['SIMULATED']);
    expect(Object.keys(result.stages)).toEqual(['infer', 'decode', 'encode', 'polygons', 'normalise']);
    expect(result.stages['infer']).toBeGreaterThan(1);
    const { workers } = await read<QueueReply>(service, '/api/queue');
    expect(workers.map(({ provider }) => provider)).toEqual(['simulated', 'simulated']);
    expect(workers[0]!.model).toMatch(/^nuclei \d+-sim-quick$/);

    const metrics = await metricsOf(worker.metricsUrl);
    const executions = metrics.get('segbench_inference_exec_count_total{}')!;
    expect(metrics.get('segbench_inference_count_total{}')).toBe(60);
    expect(metrics.get('segbench_inference_request_success_total{}')).toBe(60);
    expect(metrics.get('segbench_inference_mean_batch{}')).toBeCloseTo(60 / executions, 6);
    expect(metrics.get('segbench_inference_queue_seconds_count{}')).toBe(60);
    expect(metrics.get('segbench_inference_pending_requests{}')).toBe(0);
    expect(metrics.get('segbench_inference_in_flight{}')).toBe(0);
    const [size, idle, delay, deadline] = ['size', 'idle', 'delay', 'deadline'].map((each) =>
      metrics.get(`segbench_inference_flush_total{reason="${each}"}`)!,
    );
    expect(size! + idle!).toBe(executions);
    // the first comes alone, to a worker that is idle
    expect([idle! > 0, delay, deadline]).toEqual([true, 0, 0]);
    const info = [...metrics.keys()].filter((key) => key.startsWith('segbench_inference_info'));
    expect(info).toHaveLength(1);
    expect(info[0]).toMatch(/pool="sim",provider="simulated",model="nuclei",version="\d+"/);

    const guide = await readFile(path.join(MODELS, '../../docs/inference.md'), 'utf8');
    const rows = guide
      .split('## Metrics')[1]!
      .split('An autoscaler')[0]!
      .matchAll(/^\| ([^|]+) \|/gm);
    const named = [...rows].slice(1).flatMap(([, cell]) => [...cell!.matchAll(/`([a-z_]+)/g)].map(([, name]) => name!));
    const given = [...metrics.keys()].map((key) => key.replace('segbench_inference_', '').replace(/\{.*/, ''));
    expect(named.length).toBeGreaterThan(12);
    // a simulated device has no memory that could be measured
    expect(named.filter((name) => !given.some((each) => [name, `${name}_count`].includes(each)))).toEqual([
      'memory_estimate_bytes',
    ]);

    const again = await service.start(projectId);
    await service.ended(again.id);
    expect(await service.get(again.id)).toMatchObject({ counts: { completed: 60 }, reused: 60 });
    expect((await metricsOf(worker.metricsUrl)).get('segbench_inference_count_total{}')).toBe(60);
  });

  it('is refused what a batch asks of a model, and models refuse what is asked of a simulation', async () => {
    const service = await open({ POOL: 'local' });
    const { projectId } = await insertProject(service.sql, 1);
    const batch = await service.start(projectId);
    service.server.app.config.pool = `sim:${path.join(folder, 'quick.json')}`;
    await service.worker();
    await service.ended(batch.id);
    expect(await read(service, `/api/batches/${batch.id}/failures`)).toMatchObject({
      groups: [
        { code: 'MODEL_ERROR', sampleMessage: expect.stringContaining('this worker simulates quick') as string },
      ],
    });
  });
});

describe('the result cache', () => {
  it('says how many images of a batch needed no inference', async () => {
    const service = await open({});
    const fake = fakeBackend();
    await service.worker(fake.backend);
    // Every content twice: the second of each shares the inference of the first.
    const { projectId, imageIds } = await insertProject(service.sql, 40, (index) => `content ${index % 20}`);
    const first = await service.start(projectId, { imageIds: imageIds.slice(0, 10) });
    await service.ended(first.id);
    const second = await service.start(projectId);
    await service.ended(second.id);
    expect((await service.get(first.id)).reused).toBe(0);
    expect((await service.get(second.id)).reused).toBe(40 - 10);
    expect(fake.asked).toHaveLength(20);
    const forced = await service.start(projectId, { imageIds: imageIds.slice(0, 10), force: true });
    await service.ended(forced.id);
    expect((await service.get(forced.id)).reused).toBe(0);
  });
});

describe('a pool that cannot be had', () => {
  it.each([
    [{ PROVIDER: 'coreml' }, /PROVIDER is "coreml": .*provider "coreml" is not in this onnxruntime \(allowed: .*cpu/],
    [{ POOL: 'sim:nothing' }, /POOL is "sim:nothing": expected a file, or one of .*rtx-a5000-unet/],
  ])('is named with its setting: %j', async (env, message) => {
    const service = await open(env);
    await expect(service.worker()).rejects.toThrow(message);
  });

  it.each([
    ['kserve:', /POOL is "kserve:": expected local, sim:PROFILE or kserve:URL/],
    ['kserve:ftp://user:secret@gpu', /POOL is "kserve:ftp:\/\/\*\*\*@gpu": expected/],
    ['gpu', /POOL is "gpu": expected local/],
  ])('is refused as a setting: %s', (pool, message) => {
    const servers = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };
    expect(() => loadConfig({ ...servers, POOL: pool })).toThrow(message);
  });
});

describe('a newer version of the model', () => {
  it('is taken up child by child when it is good, and not at all when it is not', async () => {
    const models = path.join(folder, 'models');
    await cp(path.join(MODELS, 'nuclei/1'), path.join(models, 'nuclei/1'), { recursive: true });
    const service = await open({ MODELS_DIR: models, MODEL_CHECK_MS: '100', WORKERS: '1' });
    await service.worker();
    const model = async () => (await read<QueueReply>(service, '/api/queue')).workers.map((each) => each.model);
    expect(await model()).toEqual(['nuclei 1']);

    const broken = path.join(models, 'nuclei/broken');
    await cp(path.join(MODELS, 'nuclei/1'), broken, { recursive: true });
    await truncate(path.join(broken, 'model.onnx'), 1000);
    await rename(broken, path.join(models, 'nuclei/2'));
    const good = path.join(models, 'nuclei/good');
    await cp(path.join(MODELS, 'nuclei/1'), good, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await model()).toEqual(['nuclei 1']);
    const { projectId } = await insertProject(service.sql, 1);
    const versionOf = async () => (await service.start(projectId)).modelVersion;
    expect(await versionOf()).toBe('1');

    await rename(good, path.join(models, 'nuclei/3'));
    await until(async () => (await model())[0] === 'nuclei 3');
    expect(await versionOf()).toBe('3');
  });
});
