import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { decodePolygons } from '../../../src/contract/polygons-format.ts';
import type { InferenceBackend, InferenceOutput } from '../../../src/inference/pool/backend.ts';
import { createLocalPool, type LocalPoolOptions } from '../../../src/inference/pool/local.ts';
import { discs } from '../shapes.ts';
import { request } from './scripted.ts';

const MODEL = path.join(import.meta.dirname, '../../../models/nuclei/1');
const FAULTY = path.join(import.meta.dirname, 'faulty-child.ts');
let folder: string;
const pools: InferenceBackend[] = [];

/** `side` pixels wide and high, `cells` discs in a row. */
async function picture(name: string, side: number, cells: number): Promise<string> {
  const file = path.join(folder, name);
  const centres = Array.from({ length: cells }, (_, i): [number, number, number] => [20 + 34 * i, 40 + 6 * i, 9 + i]);
  const raw = { width: side, height: side, channels: 1 } as const;
  await sharp(discs(side, side, centres), { raw })
    .png()
    .toFile(file);
  return file;
}
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-batches-'));
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
  const infer = (id: string, file: string, side: number, modelDir = MODEL) =>
    pool.infer(request(id, { file, width: side, height: side, modelDir }), { deadlineMs: 20_000 });
  return { pool, infer };
}
const shapesOf = ({ polygons }: InferenceOutput) => decodePolygons(polygons).map(({ points }) => points);

it('a child runs several images as one tensor, and each result is what it is alone', async () => {
  const { pool, infer } = await open({ maxBatch: 8 });
  const files = await Promise.all([1, 2, 3].map((cells) => picture(`cells-${cells}.png`, 120 + 2 * cells, cells)));
  const first = infer('slow-first', files[0]!, 122);
  const together = await Promise.all(files.map((file, i) => infer(`together-${i}`, file, 122 + 2 * i)));
  await first;
  expect(together.map(({ batchSize }) => batchSize)).toEqual([3, 3, 3]);
  expect(together.map(({ polygonCount }) => polygonCount)).toEqual([1, 2, 3]);
  for (const [i, file] of files.entries()) {
    const alone = await infer(`alone-${i}`, file, 122 + 2 * i);
    expect(alone.batchSize).toBe(1);
    expect(shapesOf(alone)).toEqual(shapesOf(together[i]!));
  }
  expect(pool.stats().batches).toMatchObject({ executions: 5, inferences: 7 });
});

it('an image that is none, or of another size than was said, does its batch no harm', async () => {
  const { infer } = await open({ maxBatch: 8 });
  const [small, large] = [await picture('small.png', 128, 2), await picture('large.png', 300, 3)];
  const none = path.join(folder, 'none.png');
  await writeFile(none, 'not a picture');
  const first = infer('slow-before', small, 128);
  const ends = await Promise.allSettled([
    infer('mate-1', small, 128),
    infer('mate-2', none, 128),
    infer('mate-3', large, 128),
    infer('mate-4', small, 128),
  ]);
  await first;
  expect(ends).toMatchObject([
    { value: { batchSize: 4, polygonCount: 2 } },
    { reason: { code: 'INVALID_IMAGE' } },
    { value: { batchSize: 4, polygonCount: 3, imageWidth: 300 } },
    { value: { batchSize: 4, polygonCount: 2 } },
  ]);
});

it('a child that dies with a batch costs only the image that killed it', async () => {
  const { pool, infer } = await open({ maxBatch: 8 });
  const file = await picture('mates.png', 128, 1);
  const first = infer('slow-start', file, 128);
  const ends = await Promise.allSettled(['b-1', 'crash-b', 'b-2'].map((id) => infer(id, file, 128)));
  await first;
  expect(ends).toMatchObject([
    { value: { polygonCount: 1 } },
    { reason: { code: 'CRASHED', crashed: true } },
    { value: { polygonCount: 1 } },
  ]);
  expect(pool.stats()).toMatchObject({ restarts: 2, completed: 3, failed: 1 });
});

it('a child that runs out of memory gets less at a time, then is started anew', async () => {
  const { pool, infer } = await open({ maxBatch: 8 });
  const file = await picture('memory.png', 128, 1);
  const { pid } = pool.stats().workers[0]!;
  await expect(infer('memory-always', file, 128)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', crashed: false });
  expect((await infer('after', file, 128)).polygonCount).toBe(1);
  expect(pool.stats().workers[0]!.pid).not.toBe(pid);
  const first = infer('slow-memory', file, 128);
  const all = await Promise.all([1, 2, 3, 4].map((nth) => infer(`memory-over-2-${nth}`, file, 128)));
  await first;
  expect(all.map(({ batchSize }) => batchSize)).toEqual([2, 2, 2, 2]);
});

it('warming up measures time and memory, and what does not fit is refused at once', async () => {
  const { pool, infer } = await open({ child: undefined, memoryBytes: 300e6, maxBatch: 2 });
  const { time, memory } = pool.stats();
  expect(time!.each * 256 * 256).toBeGreaterThan(1);
  expect(memory!.fixed).toBeGreaterThan(30e6);
  expect(memory!.each).toBeGreaterThan(20);
  const file = await picture('fits.png', 128, 2);
  await expect(infer('too-large', file, 8000)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  expect((await infer('fits', file, 128)).polygonCount).toBe(2);
});

it('each image runs with the model that it asks for, and a reload replaces the children one by one', async () => {
  const next = path.join(folder, 'nuclei', '2');
  await cp(MODEL, next, { recursive: true });
  const file = await picture('models.png', 128, 2);
  const { pool, infer } = await open({ workers: 2, child: undefined });
  const pids = pool.stats().workers.map(({ pid }) => pid);
  const many = Array.from({ length: 30 }, (_, i) => infer(`m${i}`, file, 128, i % 2 === 0 ? MODEL : next));
  await pool.reload(next);
  expect((await Promise.allSettled(many)).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(pool.stats().workers.filter(({ pid }) => pids.includes(pid))).toEqual([]);
  expect((await infer('old', file, 128, MODEL)).polygonCount).toBe(2);

  await truncate(path.join(next, 'model.onnx'), 1000);
  const missing = path.join(folder, 'nuclei', '7');
  await expect(infer('missing', file, 128, missing)).rejects.toMatchObject({ code: 'MODEL_ERROR' });
  await expect(pool.reload(missing)).rejects.toThrow(/7 does not load: .*card\.json/);
});

it('a model that cannot be loaded leaves the children with the one they had', async () => {
  const broken = path.join(folder, 'broken', '2');
  await cp(MODEL, broken, { recursive: true });
  await truncate(path.join(broken, 'model.onnx'), 1000);
  const file = await picture('kept.png', 128, 2);
  const { pool, infer } = await open({ child: undefined });
  await expect(pool.reload(broken)).rejects.toThrow(/sha256 is .*, its card says/);
  expect((await infer('kept', file, 128)).polygonCount).toBe(2);
  await expect(infer('asked', file, 128, broken)).rejects.toMatchObject({
    code: 'MODEL_ERROR',
    message: expect.stringContaining('its card says') as string,
  });
});
