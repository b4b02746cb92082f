import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodePolygons } from '../../src/contract/polygons-format.ts';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { predictedMs } from '../../src/inference/sim/device.ts';
import { providerIn, simulatedBy, versionIn } from '../../src/inference/sim/label.ts';
import { createSimulatedPool } from '../../src/inference/sim/pool.ts';
import { loadProfile, parseProfile, whyIllustrative, type Profile } from '../../src/inference/sim/profile.ts';
import { request } from './pool/scripted.ts';

const FOLDER = path.join(import.meta.dirname, '../../models/profiles');
const profile = (more: Partial<Profile> = {}): Profile => ({
  name: 'test',
  device: 'a test',
  model: 'nuclei',
  versions: {},
  source: 'made up for a test',
  statistic: 'mean',
  covers: 'model only',
  points: [256, 512, 1024].flatMap((side) =>
    [1, 4, 16].map((images) => ({ images, width: side, height: side, ms: 1 + images * side, n: 5 })),
  ),
  time: { fixedMs: 10, msPerMegapixel: 100, residual: 0, r2: 1 },
  residuals: Array.from({ length: 20 }, () => 1),
  coldStartMs: 0,
  failureRatio: 0,
  ...more,
});
const pools: InferenceBackend[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
async function open(of: Profile, options: { workers?: number; maxBatch?: number } = {}) {
  const pool = createSimulatedPool(of, { workers: 1, timeoutMs: 1000, ...options });
  pools.push(pool);
  await pool.load();
  const infer = (sha256: string, side = 256) =>
    pool.infer(request(sha256, { sha256, width: side, height: side }), { deadlineMs: 1000 });
  return { pool, infer };
}
const digest = (n: number) => n.toString(16).padStart(8, '0').repeat(2);

describe('a simulated pool', () => {
  it('takes what its profile says for the whole batch, and gives cells for the size of each image', async () => {
    const { pool, infer } = await open(profile(), { maxBatch: 4 });
    const first = infer(digest(0));
    const four = await Promise.all([infer(digest(1)), infer(digest(2)), infer(digest(3)), infer(digest(4))]);
    expect((await first).executionMs).toBeGreaterThanOrEqual(14);
    expect(four.map(({ batchSize }) => batchSize)).toEqual([4, 4, 4, 4]);
    expect(new Set(four.map(({ executionMs }) => executionMs)).size).toBe(1);
    expect(four[0]!.executionMs).toBeGreaterThanOrEqual(34);
    expect(four[0]).toMatchObject({ imageWidth: 256, imageHeight: 256, polygonCount: 36 });
    expect(decodePolygons(four[0]!.polygons)).toHaveLength(36);
    expect(pool.stats()).toMatchObject({ memory: null, completed: 5, batches: { meanBatch: 2.5 } });
    expect(pool.stats().time).toEqual({ fixed: 10, each: 1e-4 });
  });

  it('draws residuals and failures by the image, evenly over many', async () => {
    const free = { fixedMs: 0.001, msPerMegapixel: 0.001, residual: 0, r2: 1 };
    const { pool, infer } = await open(profile({ time: free, failureRatio: 0.25 }), { workers: 8 });
    const ids = Array.from({ length: 400 }, (_, i) => digest(Math.floor((i * 2 ** 32) / 400)));
    const ends = await Promise.allSettled(ids.map((id) => infer(id)));
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(100);
    expect(ends[0]).toMatchObject({ reason: { code: 'MODEL_ERROR', message: 'failed as its profile says' } });
    expect(pool.stats()).toMatchObject({ completed: 300, failed: 100 });
  });

  it('ends what runs when it is closed', async () => {
    const { pool, infer } = await open(profile({ time: { fixedMs: 60_000, msPerMegapixel: 1, residual: 0, r2: 1 } }));
    const left = [infer(digest(1)), infer(digest(2))].map((each) => each.catch((error: unknown) => error));
    await pool.close();
    expect(await Promise.all(left)).toMatchObject([{ code: 'CRASHED' }, { code: 'CRASHED' }]);
  });
});

describe('profiles', () => {
  it('that are shipped are good, and their line is that of their points', async () => {
    const names = (await readdir(FOLDER)).map((file) => file.replace('.json', ''));
    expect(names).toEqual(expect.arrayContaining(['rtx-a5000-hrnet', 'rtx-a5000-resunet', 'rtx-a5000-unet']));
    for (const name of names) {
      const found = await loadProfile(name, FOLDER);
      expect(found.name).toBe(name);
      const off = found.points.map(
        ({ images, width, height, ms }) =>
          ms /
            predictedMs(
              found,
              Array.from({ length: images }, () => ({ width, height })),
            ) -
          1,
      );
      const residual = Math.sqrt(off.reduce((sum, each) => sum + each ** 2, 0) / off.length);
      expect(residual).toBeCloseTo(found.time.residual, 2);
    }
  });

  it('with one shape or few points are illustrative, and say why', async () => {
    expect(whyIllustrative(await loadProfile('rtx-a5000-unet', FOLDER))).toBe('measured with one shape, not three');
    expect(whyIllustrative(profile())).toBeNull();
    expect(whyIllustrative(profile({ points: profile().points.filter(({ width }) => width < 1024) }))).toMatch(
      '2 shapes',
    );
    const few = profile().points.filter((_, i) => i % 2 === 0);
    expect(whyIllustrative(profile({ points: few }))).toBe('measured at 5 points, not nine');
    expect(whyIllustrative(profile({ residuals: [1] }))).toBe('it has 1 residuals, not twenty');
  });

  it.each<[string, object, RegExp]>([
    [
      'a field that is missing',
      { device: undefined },
      /profile x\.json: the file must have required properties device/,
    ],
    ['a batch of no image', { points: [{ images: 0, width: 1, height: 1, ms: 1, n: 1 }] }, /\/points/],
    [
      'a time below 0',
      { time: { fixedMs: -1, msPerMegapixel: 1, residual: 0, r2: 1 } },
      /\/time\/fixedMs must be >= 0/,
    ],
    ['a ratio over 1', { failureRatio: 2 }, /\/failureRatio must be <= 1/],
    ['residuals out of order', { residuals: [2, 1] }, /\/residuals must be sorted/],
    ['a field that nobody knows', { colour: 1 }, /\/colour is not a field of a profile/],
  ])('with %s are refused with the field', (_, more, message) => {
    expect(() => parseProfile(JSON.stringify({ ...profile(), ...more }), 'x.json')).toThrow(message);
  });

  it('that are not there are refused with those that are', async () => {
    await expect(loadProfile('rtx-9999', FOLDER)).rejects.toThrow(
      /POOL is "sim:rtx-9999": expected a file, or one of .*rtx-a5000-unet/,
    );
    expect(() => parseProfile('{', 'x.json')).toThrow(/POOL: profile x\.json: .*JSON/);
  });
});

it('results of a simulation are of a version of their own', () => {
  expect(versionIn('local', '2')).toBe('2');
  expect(versionIn('sim:rtx-a5000-unet', '2')).toBe('2-sim-rtx-a5000-unet');
  expect(simulatedBy('sim:/some/where/mine.json')).toBe('mine');
  expect(simulatedBy('kserve:http://x')).toBeNull();
  expect(['local', 'kserve:http://x', 'sim:x'].map((pool) => providerIn(pool, 'cuda'))).toEqual([
    'cuda',
    'kserve',
    'simulated',
  ]);
});
