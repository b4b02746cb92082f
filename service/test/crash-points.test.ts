import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  crashInQueue,
  crashInStorage,
  crashPointsOf,
  createCrashPoints,
  reaching,
  type ArmedExecution,
} from '../src/crash-points.ts';
import type { InferenceBackend } from '../src/inference/pool/backend.ts';
import { createLocalPool } from '../src/inference/pool/local.ts';
import { loadProfile } from '../src/inference/sim/profile.ts';
import { createSimulatedPool } from '../src/inference/sim/pool.ts';
import type { JobQueue } from '../src/batches/queue.ts';
import { createStorage } from '../src/storage.ts';
import { request } from './inference/pool/scripted.ts';
import { picture } from './support/pictures.ts';

const SOURCE = fileURLToPath(new URL('../src/crash-points.ts', import.meta.url));
const MODELS = fileURLToPath(new URL('../models', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-crash-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const arm = (name: string, value: object) => writeFile(join(folder, name), JSON.stringify(value));
const hits = async (name: string) =>
  (await readFile(join(folder, `${name}.hits`), 'utf8').catch(() => '')).split('\n').filter(Boolean).length;

/** A process that passes a point again and again. @returns how often it came by, and how it ended */
async function passing(name: string, times: number): Promise<{ passed: number; signal: string | null }> {
  const script = `import { createCrashPoints } from ${JSON.stringify(SOURCE)};
    const points = createCrashPoints(${JSON.stringify(folder)});
    for (let i = 0; i < ${times}; i++) { points.reach(${JSON.stringify(name)}); process.stdout.write('.'); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let passed = '';
  child.stdout.on('data', (data: Buffer) => (passed += data.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { passed: passed.length, signal };
}

describe('crash points', () => {
  it('are not there where no folder is given: nothing is wrapped', () => {
    const work = async () => {};
    expect(crashPointsOf({ crashPoints: '' })).toBeNull();
    expect(reaching(null, 'claimed', work)).toBe(work);
    const queue = {} as JobQueue;
    expect(crashInQueue(queue, null)).toBe(queue);
    const storage = createStorage(folder);
    expect(crashInStorage(storage, null)).toBe(storage);
  });

  it('kill the process that comes by after so many, and nobody after that', async () => {
    await arm('claimed', { after: 2, id: 'x' });
    expect(await passing('claimed', 5)).toEqual({ passed: 2, signal: 'SIGKILL' });
    expect([existsSync(join(folder, 'claimed')), await hits('claimed')]).toEqual([false, 1]);
    expect(await passing('claimed', 5)).toEqual({ passed: 5, signal: null });
  });

  it('leave other points alone', async () => {
    await arm('claimed', { after: 0, id: 'x' });
    expect(await passing('inferred', 3)).toEqual({ passed: 3, signal: null });
  });

  it('hold who comes after so many, until they are let go', async () => {
    const points = createCrashPoints(folder);
    const pass = reaching(points, 'inferred', async () => {});
    await arm('inferred.hold', { after: 1, id: 'x' });
    await pass();
    let through = false;
    const held = pass().then(() => (through = true));
    await expect.poll(() => hits('inferred.hold')).toBe(1);
    expect(through).toBe(false);
    await rm(join(folder, 'inferred.hold'));
    await held;
  });

  it('let no file be written while the disk is full', async () => {
    const storage = crashInStorage(createStorage(folder), createCrashPoints(folder));
    await arm('disk-full', {});
    expect(() => storage.temporaryPath()).toThrow('ENOSPC');
    await expect(storage.commit([])).rejects.toMatchObject({ code: 'ENOSPC' });
    await rm(join(folder, 'disk-full'));
    expect(storage.temporaryPath()).toContain('tmp');
  });
});

describe.each(['simulated', 'local'])('executions of the %s pool that go wrong on demand', (kind) => {
  let pool: InferenceBackend;
  let file: string;
  const sha256 = 'ab'.repeat(32);
  beforeEach(async () => {
    file = join(folder, 'image.png');
    await writeFile(file, await picture(7, { width: 64, height: 64 }));
    pool =
      kind === 'simulated'
        ? createSimulatedPool(await loadProfile('rtx-a5000-unet', join(MODELS, 'profiles')), {
            workers: 1,
            timeoutMs: 1_000,
            points: createCrashPoints(folder),
          })
        : createLocalPool({
            workers: 1,
            modelDir: join(MODELS, 'nuclei/1'),
            provider: 'cpu',
            timeoutMs: 1_000,
            warmupSides: [64],
            crashPoints: folder,
          });
    await pool.load();
  });
  afterEach(() => pool.close());
  const infer = (sha = sha256) =>
    pool.infer(request('i', { file, sha256: sha, width: 64, height: 64, modelDir: join(MODELS, 'nuclei/1') }), {
      deadlineMs: 1_000,
    });
  const fault = (name: string, times = 1) => arm(name, { image: sha256, times } satisfies ArmedExecution);

  it('hangs and is killed at its deadline, once', async () => {
    await fault('hang');
    await expect(infer()).rejects.toMatchObject({ code: 'TIMEOUT', crashed: true });
    expect((await infer()).imageWidth).toBe(64);
    expect(await hits('hang')).toBe(1);
  });

  it('dies as often as it is told to, with this image only', async () => {
    await fault('crash', 2);
    await expect(infer()).rejects.toMatchObject({ code: 'CRASHED', crashed: true });
    expect((await infer('cd'.repeat(32))).imageWidth).toBe(64);
    await expect(infer()).rejects.toMatchObject({ code: 'CRASHED', crashed: true });
    expect((await infer()).imageWidth).toBe(64);
  });

  it('finds no memory once, and is tried again by the pool itself', async () => {
    await fault('out-of-memory');
    expect((await infer()).imageWidth).toBe(64);
    expect(await hits('out-of-memory')).toBe(1);
  });
});
