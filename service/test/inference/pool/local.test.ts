import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodePolygons } from '../../../src/contract/polygons-format.ts';
import type { InferenceBackend } from '../../../src/inference/pool/backend.ts';
import { createLocalPool, type LocalPoolOptions } from '../../../src/inference/pool/local.ts';
import { discs } from '../shapes.ts';
import { request } from './scripted.ts';

const MODEL = path.join(import.meta.dirname, '../../../models/nuclei/1');
const FAULTY = path.join(import.meta.dirname, 'faulty-child.ts');
let folder: string;
let cells: string;
const pools: InferenceBackend[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-pool-'));
  cells = path.join(folder, 'cells.png');
  const centres = [
    [30, 30, 12],
    [80, 40, 14],
    [50, 90, 13],
  ] as [number, number, number][];
  await sharp(discs(128, 128, centres), { raw: { width: 128, height: 128, channels: 1 } })
    .png()
    .toFile(cells);
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(options: Partial<LocalPoolOptions> = {}) {
  const child = { module: FAULTY, args: [folder] };
  const pool = createLocalPool({ workers: 1, modelDir: MODEL, provider: 'cpu', timeoutMs: 20_000, child, ...options });
  pools.push(pool);
  await pool.load();
  const infer = (id: string, file = cells, limits: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
    pool.infer(request(id, { file, width: 128, height: 128, modelDir: MODEL }), { deadlineMs: 20_000, ...limits });
  return { pool, infer };
}
const runsOf = async (id: string) => (await readFile(path.join(folder, `${id}.ran`), 'utf8')).trim().split('\n').length;
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('local pool', () => {
  it('segments an image with the shipped child, and says what it took', async () => {
    const { pool, infer } = await open({ child: undefined });
    const output = await infer('plain');
    expect(output).toMatchObject({ imageWidth: 128, imageHeight: 128, polygonCount: 3 });
    expect(output.worker).toMatch(/^local-1\/\d+$/);
    expect(decodePolygons(output.polygons).map(({ type }) => type)).toEqual(['external', 'external', 'external']);
    const sum = Object.values(output.stages).reduce((total, ms) => total + ms, 0);
    expect(Math.abs(sum - output.executionMs)).toBeLessThan(5);
    expect(output.cpuStages.inferMs).toBeGreaterThan(0);
    expect(pool.stats()).toMatchObject({ queued: 0, running: 0, completed: 1, failed: 0, restarts: 0 });
  });

  it('rejects an invalid image by its code and goes on', async () => {
    const { infer } = await open();
    const bad = path.join(folder, 'bad.png');
    await writeFile(bad, 'not a picture');
    await expect(infer('bad', bad)).rejects.toMatchObject({ code: 'INVALID_IMAGE', retryable: false, crashed: false });
    expect((await infer('after')).polygonCount).toBe(3);
  });

  it('rejects only the running image when a child dies, and starts another child', async () => {
    const { pool, infer } = await open();
    const [crashed, ...others] = await Promise.allSettled([infer('crash-1'), infer('behind-1'), infer('queued-1')]);
    expect(crashed).toMatchObject({ status: 'rejected', reason: { code: 'CRASHED', crashed: true, retryable: true } });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await runsOf('behind-1')).toBe(1);
    expect(pool.stats().restarts).toBe(1);
    expect(pool.health()).toMatchObject({ status: 'healthy', ready: 1 });
  });

  it('gives an image that was lost once when it is asked for again', async () => {
    const { infer } = await open();
    await expect(infer('once-1')).rejects.toMatchObject({ code: 'CRASHED', crashed: true });
    expect((await infer('once-1')).polygonCount).toBe(3);
  });

  it('kills a child that hangs past the deadline, and hands on what waited behind it', async () => {
    const { pool, infer } = await open({ workers: 1 });
    const { pid } = pool.stats().workers[0]!;
    const [hung, behind] = await Promise.allSettled([infer('hang-1', cells, { deadlineMs: 400 }), infer('behind-2')]);
    expect(hung).toMatchObject({
      status: 'rejected',
      reason: { code: 'TIMEOUT', crashed: true, retryable: true, message: 'killed after 400 ms without progress' },
    });
    expect(behind.status).toBe('fulfilled');
    expect(alive(pid!)).toBe(false);
  });

  it('does not wait behind a hanging child while another is idle', async () => {
    const { pool, infer } = await open({ workers: 2, timeoutMs: 3000 });
    const hung = infer('hang-2').catch((error: unknown) => error);
    const outputs = await Promise.all([infer('a'), infer('b'), infer('c')]);
    expect(outputs.map(({ polygonCount }) => polygonCount)).toEqual([3, 3, 3]);
    expect(pool.stats().running).toBe(1);
    await expect(hung).resolves.toMatchObject({ code: 'TIMEOUT' });
  });

  it('does not count the time behind another image against the deadline', async () => {
    const { infer } = await open();
    const ids = Array.from({ length: 8 }, (_, i) => `slow-${i}`);
    const all = ids.map((id) => infer(id, cells, { deadlineMs: 2000 }));
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(all.map(() => 'fulfilled'));
  });

  it('gives an image that goes on step by step more time than one deadline', async () => {
    const { infer } = await open();
    expect((await infer('steps-1', cells, { deadlineMs: 2000 })).polygonCount).toBe(3);
  });

  it('rejects with the reason when aborted, and never runs what had not begun', async () => {
    const { infer } = await open();
    const control = new AbortController();
    const first = infer('slow-first');
    const held = infer('given-up-1', cells, { signal: control.signal });
    const queued = infer('given-up-2', cells, { signal: control.signal });
    control.abort(new Error('cancelled by a person'));
    await expect(held).rejects.toThrow('cancelled by a person');
    await expect(queued).rejects.toThrow('cancelled by a person');
    await first;
    await infer('last');
    await expect(runsOf('given-up-1')).rejects.toThrow(/ENOENT/);
    await expect(runsOf('given-up-2')).rejects.toThrow(/ENOENT/);
  });

  it('runs every image once when many are asked for', async () => {
    const { pool, infer } = await open({ workers: 2 });
    const ids = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    const outputs = await Promise.all(ids.map((id) => infer(id)));
    expect(new Set(outputs.map(({ worker }) => worker)).size).toBe(2);
    expect(await Promise.all(ids.map(runsOf))).toEqual(ids.map(() => 1));
    expect(pool.stats()).toMatchObject({ completed: 40, queued: 0 });
  });

  it('answers what it has when drained, and takes nothing new', async () => {
    const { pool, infer } = await open();
    const taken = infer('taken');
    const drained = pool.drain();
    await expect(infer('late')).rejects.toThrow('the inference pool was closed');
    await drained;
    expect((await taken).polygonCount).toBe(3);
  });

  it('ends its children and rejects what is left when closed', async () => {
    const { pool, infer } = await open({ workers: 2 });
    const pids = pool.stats().workers.map(({ pid }) => pid!);
    const left = ['hang-3', 'hang-4', 'x', 'y', 'z'].map((id) => infer(id));
    const closed = Promise.allSettled(left);
    await pool.close();
    for (const result of await closed)
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'CRASHED', crashed: false, retryable: true },
      });
    expect(pids.filter(alive)).toEqual([]);
  });

  it('fails to load, naming the cause, when provider or model is missing', async () => {
    const pool = (options: Partial<LocalPoolOptions>) =>
      createLocalPool({ workers: 1, modelDir: MODEL, provider: 'cpu', timeoutMs: 1000, ...options }).load();
    await expect(pool({ provider: 'coreml' })).rejects.toThrow(/provider "coreml" is not in this onnxruntime/);
    await expect(pool({ modelDir: folder })).rejects.toThrow(/ENOENT.*card\.json/);
  });

  it('keeps its children when the whole group is told to end, so that nothing looks crashed', async () => {
    const { pool, infer } = await open();
    const running = infer('slow-told');
    process.kill(pool.stats().workers[0]!.pid!, 'SIGTERM');
    expect((await running).polygonCount).toBe(3);
    expect(pool.stats().restarts).toBe(0);
  });

  it('answers at once, naming the cause, when no child starts any more', async () => {
    const model = path.join(folder, 'model');
    await cp(MODEL, model, { recursive: true });
    const { pool, infer } = await open({ modelDir: model });
    await rm(model, { recursive: true });
    await expect(infer('crash-2')).rejects.toMatchObject({ code: 'CRASHED' });
    await expect(infer('too-late')).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      crashed: false,
      message: expect.stringMatching(/no inference worker starts: ENOENT/) as string,
    });
    expect(pool.health().status).toBe('unhealthy');
  });

  it('refuses a number of workers that makes no sense', () => {
    const options = { modelDir: MODEL, provider: 'cpu', timeoutMs: 1000 } as const;
    expect(() => createLocalPool({ ...options, workers: 0 })).toThrow('workers is 0');
  });
});
