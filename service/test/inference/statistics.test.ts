import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { planSet } from '../../../loadtest/src/images/plan.ts';
import { synthesise } from '../../../loadtest/src/images/synthesise.ts';
import { parseCard } from '../../src/inference/card.ts';
import { decodeGray, prepareSharp, type GrayImage } from '../../src/inference/decode.ts';
import { scaleOf } from '../../src/inference/normalise.ts';
import { statisticsOf, UNLIKE_TRAINING_DATA, warningsOf } from '../../src/inference/statistics.ts';
import { randomOf } from './reference/masks.ts';
import { imageFile, NUCLEI, nucleiRows, type NucleiRow } from './reference/nuclei.ts';
import { discs } from './shapes.ts';

const python = process.env['SEGBENCH_TEST_PYTHON'];
const FOLDER = path.join(import.meta.dirname, '../../models/statistics');
const read = (file: string) => readFileSync(file, 'utf8');
const shipped = JSON.parse(read(path.join(FOLDER, '../nuclei/1/card.json'))) as object;
const { knows } = parseCard(
  JSON.stringify({ ...shipped, knows: JSON.parse(read(path.join(FOLDER, 'nuclei-1.json'))) as object }),
  'card.json',
);
const [width, height] = [200, 160];
const draw = (value: (at: number) => number): GrayImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height }, (_, at) => Math.round(value(at))),
});
const centres = Array.from({ length: 16 }, (_, i) => [30 + 62 * (i % 4), 30 + 62 * Math.floor(i / 4), 7 + (i % 5) * 2]);
const cells: GrayImage = {
  width: 256,
  height: 256,
  data: discs(256, 256, centres as [number, number, number][]),
};
const inverted = ({ data, ...size }: GrayImage): GrayImage => ({ ...size, data: data.map((value) => 255 - value) });
const OPTIONS = { channel: null, page: 0, maxPixels: 64e6 };
const WARNED = [UNLIKE_TRAINING_DATA];
const warnings = (image: GrayImage) => warningsOf(knows, image, scaleOf(image.data));
const measured = (image: GrayImage) => statisticsOf(image, scaleOf(image.data));

describe('warningsOf', () => {
  const random = randomOf(9);
  it.each<[what: string, image: GrayImage]>([
    ['a fluorescence image that is inverted in its pixels', inverted(cells)],
    ['a blank image', draw(() => 7)],
    ['noise', draw(() => random() * 255)],
    ['the noise of a sensor that saw nothing', draw(() => 12 + random() + random() + random() + random())],
    ['a ramp', draw((at) => ((at % width) * 255) / width)],
    ['one pixel', { width: 1, height: 1, data: Uint8Array.of(9) }],
  ])('is said of %s', (_, image) => {
    expect(warnings(image)).toEqual(WARNED);
  });

  it('is not said of bright cells on a dark ground, at any depth, offset and gain', () => {
    const { data, ...size } = cells;
    const deep = { ...size, data: Uint16Array.from(data, (value) => 300 + value * 12) };
    const float = { ...size, data: Float32Array.from(data, (value) => -5 + value * 1e-3) };
    const dim = { ...size, data: data.map((value) => 40 + value / 4) };
    expect([cells, deep, float, dim].map(warnings)).toEqual([[], [], [], []]);
  });

  it('is not said of the bench’s images but of those without a cell, of which noise is all that is left', async () => {
    prepareSharp();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-statistics-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const found = await Promise.all(
      planSet(1, 60).map(async (plan) => {
        const { file, cells: count } = await synthesise(1, plan);
        const at = path.join(folder, plan.stem);
        await writeFile(at, file);
        return { count, isWarned: warnings(await decodeGray(at, OPTIONS)).length > 0 };
      }),
    );
    expect(found.filter(({ count }) => count === 0).map(({ isWarned }) => isWarned)).toEqual([true, true]);
    expect(found.filter(({ count, isWarned }) => count > 0 && isWarned)).toEqual([]);
  });

  it('is not said by a card that knows nothing', () => {
    const blank = draw(() => 7);
    expect(warningsOf(undefined, blank, scaleOf(blank.data))).toEqual([]);
  });
});

describe('statisticsOf', () => {
  it('gives numbers for what has no range, no neighbour, or is no number', () => {
    for (const image of [
      draw(() => 255),
      { width: 1, height: 1, data: Float32Array.of(NaN) },
      { width: 1, height: 9, data: Uint16Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) },
      { width: 2, height: 2, data: Float32Array.of(Infinity, -Infinity, 0, 1) },
    ])
      for (const value of Object.values(measured(image))) expect(value).toSatisfy(Number.isFinite);
  });

  it.skipIf(!python)(
    'the script gives a step the mean that it has under noise (SEGBENCH_TEST_PYTHON: a Python with numpy)',
    async () => {
      const steps = [0, 0.02, 0.1, 1];
      const program = `import json, sys; sys.path.insert(0, sys.argv[1])
import numpy as np
import statistics_of_images as s
print(json.dumps([float(s.roughness(np.array([x]), 0.05)) for x in json.loads(sys.argv[2])]))`;
      const script = ['-c', program, FOLDER, JSON.stringify(steps)];
      const theirs = JSON.parse((await promisify(execFile)(python!, script)).stdout) as number[];
      const deviation = 0.05 * Math.SQRT2;
      const at = Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 1000);
      const weights = at.map((z) => Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI) / 1000);
      const means = steps.map((step) =>
        at.reduce((sum, z, i) => sum + weights[i]! * Math.abs(step + deviation * z), 0),
      );
      for (const [i, mean] of means.entries()) expect(theirs[i]).toBeCloseTo(mean, 5);
    },
  );
});

const load = ({ id }: NucleiRow) => decodeGray(imageFile(id), OPTIONS);

// The data set is not part of the project: without a copy beside it there is nothing to look at.
describe.skipIf(!existsSync(NUCLEI))('on real images (skipped where ../shared/data/nuclei is absent)', () => {
  prepareSharp();
  async function share(rows: NucleiRow[], change = (image: GrayImage) => image): Promise<[warned: number, of: number]> {
    const images = await Promise.all(rows.map(load));
    return [images.filter((image) => warnings(change(image)).length > 0).length, images.length];
  }

  it('all stained and all brightfield images are warned of, and all that are inverted', async () => {
    expect(await share(nucleiRows('train', 99, 'stained'))).toEqual([78, 78]);
    expect(await share(nucleiRows('train', 99, 'brightfield'))).toEqual([15, 15]);
    expect(await share(nucleiRows('val', 99), inverted)).toEqual([66, 66]);
  });

  it('few fluorescence images that the model was not trained on are: none of val, 1 of 65 of test', async () => {
    expect(await share(nucleiRows('val', 99))).toEqual([0, 66]);
    expect(await share(nucleiRows('test', 99))).toEqual([1, 65]);
  });

  it.skipIf(!python)(
    'the script measures the same (SEGBENCH_TEST_PYTHON: a Python with test/requirements.txt)',
    async () => {
      const rows = [...nucleiRows('val', 8), ...nucleiRows('train', 4, 'stained')];
      const program = `import json, sys; sys.path.insert(0, sys.argv[1])
import statistics_of_images as s
print(json.dumps([{k: float(v) for k, v in s.statistics(s.gray(p)).items()} for p in sys.argv[2:]]))`;
      const script = ['-c', program, FOLDER, ...rows.map(({ id }) => imageFile(id))];
      const theirs = JSON.parse((await promisify(execFile)(python!, script)).stdout) as Record<string, number>[];
      for (const [i, row] of rows.entries())
        for (const [name, value] of Object.entries(measured(await load(row))))
          expect(value).toBeCloseTo(theirs[i]![name]!, 6);
    },
  );
});
