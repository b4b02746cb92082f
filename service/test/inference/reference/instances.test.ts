import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstances, seedThresholdOf, type InstanceOptions } from '../../../src/inference/watershed.ts';
import { createWorkspaces } from '../../../src/inference/workspace.ts';
import { randomOf } from './masks.ts';
import { NUCLEI, nucleiRows, predict, type Prediction } from './nuclei.ts';

const python = process.env['SEGBENCH_TEST_PYTHON'];
const JUDGE = join(import.meta.dirname, 'instances.py');
const IMAGES = 12;

/**
 * Soft discs that overlap, with holes and noise. Below the seeds in steps, so that many neighbours are equal and the age decides;
 * no two seed pixels are equal: their order is an accident of the layout of scikit-image's heap, and is not imitated.
 */
function invented(seed: number, options: InstanceOptions): Prediction {
  const random = randomOf(seed);
  const [width, height] = [150 + seed, 140];
  const size = width * height;
  const workspace = createWorkspaces()(size);
  const { interior, foreground } = workspace;
  const cells = Array.from({ length: 40 }, () => [random() * width, random() * height, 4 + random() * 13] as const);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const d = Math.min(...cells.map(([cx, cy, r]) => Math.hypot(x - cx, y - cy) / r));
      const core = Math.max(0, Math.min(1, 1.3 - d)) * (d < 0.25 && seed % 2 === 0 ? 0.3 : 1);
      const value = Math.max(0, core - 0.1 * random());
      interior[at] = value > 0.4 ? 0.0475 * Math.floor(value * 20) + at * 2e-6 : Math.round(value * 40) / 40;
      foreground[at] = Math.min(1, interior[at]! + Math.max(0, 0.5 - Math.abs(d - 0.95)) * random());
    }
  const { labels, count } = findInstances(workspace, width, height, options, workspace);
  return { name: `invented ${seed}`, width, height, labels, count, interior, foreground };
}

describe.skipIf(!python)('findInstances (SEGBENCH_TEST_PYTHON: a Python with test/requirements.txt)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segbench-instances-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function judge(found: readonly Prediction[], options: InstanceOptions) {
    for (const [i, { labels, interior, foreground }] of found.entries()) {
      await writeFile(join(folder, `${i}.labels`), labels);
      await writeFile(join(folder, `${i}.interior`), interior);
      await writeFile(join(folder, `${i}.foreground`), foreground);
    }
    const scenes = found.map(({ name, width, height }) => ({
      name,
      width,
      height,
      ...options,
      seedThreshold: seedThresholdOf(options.threshold),
    }));
    await writeFile(join(folder, 'scenes.json'), JSON.stringify(scenes));
    const { stdout } = await promisify(execFile)(python!, [JUDGE, folder]);
    return JSON.parse(stdout) as { images: number; cells: number; pixels: number; different: number };
  }

  describe.each([
    { threshold: 0.5, detectHoles: false },
    { threshold: 0.5, detectHoles: true },
    { threshold: 0.3, detectHoles: true },
  ])('threshold $threshold, detectHoles $detectHoles', (options) => {
    it('gives the pixels of scipy and scikit-image on invented probabilities', async () => {
      const found = await judge(
        Array.from({ length: IMAGES }, (_, i) => invented(i, options)),
        options,
      );
      expect(found).toMatchObject({ images: IMAGES, different: 0 });
      expect(found.cells).toBeGreaterThan(200);
    });

    it.skipIf(!existsSync(NUCLEI))(
      "gives the pixels of scipy and scikit-image on the model's probabilities (skipped where ../shared/data/nuclei is absent)",
      async () => {
        const found = await judge(await predict(nucleiRows('test', IMAGES), options), options);
        expect(found).toMatchObject({ images: IMAGES, different: 0 });
        expect(found.cells).toBeGreaterThan(200);
      },
    );
  });

  it('the judge sees one pixel that is given to a neighbour', async () => {
    const options = { threshold: 0.5, detectHoles: true };
    const one = invented(1, options);
    const next = (i: number) => one.labels[i + 1]!;
    const at = one.labels.findIndex((label, i) => label > 0 && next(i) > 0 && next(i) !== label);
    one.labels[at] = next(at);
    expect(await judge([one], options)).toMatchObject({ different: 1 });
  });
});
