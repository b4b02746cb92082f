import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelCard } from '../../src/inference/model.ts';
import { createSession } from '../../src/inference/session.ts';

const MODELS = path.join(import.meta.dirname, '../../models');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-model-'));
  for (const version of ['2', '10'])
    await cp(path.join(MODELS, 'nuclei/1'), path.join(folder, 'nuclei', version), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('loadModelCard', () => {
  it('finds the model that the project ships', async () => {
    const model = await loadModelCard(MODELS, 'nuclei');
    expect(model).toMatchObject({ name: 'nuclei', version: '1', dir: path.join(MODELS, 'nuclei', '1') });
    expect(model.card.sha256).toMatch(/^0b1deb49/);
  });

  it('takes the highest version as a number', async () => {
    expect((await loadModelCard(folder, 'nuclei')).version).toBe('10');
  });

  it('names the models there are when one is unknown', async () => {
    await expect(loadModelCard(MODELS, 'cells')).rejects.toThrow(/model "cells" .*allowed: nuclei/);
  });
});

describe('createSession', () => {
  it('refuses weights that are not those of the card', async () => {
    const dir = path.join(folder, 'nuclei', '2');
    const weights = await readFile(path.join(dir, 'model.onnx'));
    weights[1000]! ^= 1;
    await writeFile(path.join(dir, 'model.onnx'), weights);
    await expect(createSession(dir, 'cpu')).rejects.toThrow(/sha256 is .*, its card says 0b1deb49/);
  });

  it('refuses a provider that is not built in, and falls back to none', async () => {
    await expect(createSession(path.join(MODELS, 'nuclei/1'), 'coreml')).rejects.toThrow(
      /provider "coreml" is not in this onnxruntime \(allowed: cpu/,
    );
  });
});

describe('session.run', () => {
  it('gives each image of a batch the planes that it has alone', async () => {
    const session = await createSession(path.join(MODELS, 'nuclei/1'), 'cpu');
    const [width, height, count] = [48, 32, 3];
    const plane = width * height;
    const batch = Float32Array.from({ length: count * plane }, (_, i) => ((i * 7919) % 251) / 251);
    const together = await session.run(batch, width, height, count);
    expect(together).toHaveLength(count * 3 * plane);
    for (let n = 0; n < count; n++) {
      const alone = await session.run(batch.slice(n * plane, (n + 1) * plane), width, height);
      const worst = alone.reduce((most, v, i) => Math.max(most, Math.abs(v - together[n * 3 * plane + i]!)), 0);
      expect(worst).toBeLessThan(1e-3);
    }
  });
});
