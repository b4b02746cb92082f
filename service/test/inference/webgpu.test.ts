/** The WebGPU provider for real, where no GPU is: on the software Vulkan driver that comes with the npm package's Chromium. */
import * as childProcess from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { unpackedChromium } from '../../../loadtest/src/environment/chromium-package.ts';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import { request } from './pool/scripted.ts';
import { discs } from './shapes.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
/** Of the images, in pixels: the driver takes most of a second for 64². */
const SIDE = 32;
const execFile = promisify(childProcess.execFile);
let folder = '';
let drivers = '';
const pools: InferenceBackend[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-webgpu-'));
  drivers = await unpackedChromium({ env: process.env, log: () => {} });
  for (const [name, x] of [
    ['left', 12],
    ['middle', 16],
    ['right', 20],
  ] as const)
    await sharp(discs(SIDE, SIDE, [[x, 15, 8]]), { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .png()
      .toFile(path.join(folder, `${name}.png`));
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  vi.unstubAllEnvs();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What children see from now on. @param driver file that the Vulkan loader reads; absent: SwiftShader's */
function withDriver(driver = path.join(drivers, 'vk_swiftshader_icd.json')): void {
  vi.stubEnv('LD_LIBRARY_PATH', drivers);
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) vi.stubEnv(name, driver);
}
async function open(provider: 'cpu' | 'webgpu' | 'webgpu-software', log: string[] = []): Promise<InferenceBackend> {
  const pool = createLocalPool({
    workers: 1,
    modelDir: MODEL,
    provider,
    maxBatch: 2,
    warmupSides: [SIDE],
    timeoutMs: 50_000,
    startTimeoutMs: 100_000,
    log: (_, line) => log.push(line),
  });
  pools.push(pool);
  await pool.load();
  return pool;
}
const infer = (pool: InferenceBackend, name: string, modelDir = MODEL) =>
  pool.infer(request(name, { file: path.join(folder, `${name}.png`), width: SIDE, height: SIDE, modelDir }), {
    deadlineMs: 100_000,
  });

/** The platform for which that package has one. */
const hasDriver = process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!hasDriver)('webgpu without a GPU (Linux on x64)', () => {
  it('is refused, naming the driver that would compute on the CPU', async () => {
    withDriver();
    const log: string[] = [];
    await expect(open('webgpu', log)).rejects.toThrow(
      `provider "webgpu" cannot find a GPU: the Vulkan driver ${drivers}/libvk_swiftshader.so computes on the CPU`,
    );
    expect(log.join('\n')).not.toContain('SIGSEGV');
  });

  it.each(['webgpu', 'webgpu-software'] as const)('%s is refused without any driver', async (provider) => {
    withDriver(path.join(folder, 'none.json'));
    await expect(open(provider)).rejects.toThrow(`provider "${provider}" cannot load it: `);
  });
});

describe.skipIf(!hasDriver)('webgpu-software (Linux on x64)', () => {
  it('segments batches as the CPU does, with one model and then with another', async () => {
    const second = path.join(folder, 'nuclei/2');
    await cp(MODEL, second, { recursive: true });
    const card = JSON.parse(await readFile(path.join(second, 'card.json'), 'utf8')) as object;
    await writeFile(path.join(second, 'card.json'), JSON.stringify({ ...card, version: '2' }));
    withDriver();
    const [software, cpu] = [await open('webgpu-software'), await open('cpu')];
    for (const modelDir of [MODEL, second]) {
      const both = (pool: InferenceBackend) =>
        Promise.all(['left', 'right', 'middle'].map((name) => infer(pool, name, modelDir)));
      const [found, expected] = [await both(software), await both(cpu)];
      expect(expected.map(({ polygonCount }) => polygonCount)).toEqual([1, 1, 1]);
      expect(found.map(({ polygons }) => polygons)).toEqual(expected.map(({ polygons }) => polygons));
    }
    // the first image of each model goes at once, the other two together
    expect(software.stats().batches.executions).toBe(4);
  });

  it('gives logits within 0.0001 of those of the CPU', async () => {
    withDriver();
    const { stdout } = await execFile(process.execPath, [path.join(import.meta.dirname, 'webgpu-child.ts'), MODEL]);
    const far = Number(stdout);
    expect(far).toBeLessThan(1e-4);
    // the same bits would be the CPU's own
    expect(far).toBeGreaterThan(0);
  });
});
