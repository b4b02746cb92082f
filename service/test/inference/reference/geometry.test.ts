import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePolygons, encodePolygons } from '#contract/polygons-format.ts';
import { polygonsOf } from '../../../src/inference/polygons.ts';
import { simplifyForLod } from '../../../src/results/lod.ts';
import { generateMasks, type Mask } from './masks.ts';
import { NUCLEI, nucleiRows, predict } from './nuclei.ts';

const python = process.env['SEGBENCH_TEST_PYTHON'];
const JUDGE = join(import.meta.dirname, 'geometry.py');
const SCENES = 200;
const GENERATED_WITH_DATA = 80;

interface Figures {
  scenes: number;
  cells: number;
  holes: number;
  opencv: number;
  corners: number;
  worst: Record<'iou' | 'area' | 'shoelace' | 'skimageIou', number>;
  means: Record<'iou' | 'area' | 'shoelace' | 'skimageIou', number>;
  where: Record<string, string>;
}

/** What a client gets of these labels at `lod=high`. */
function sent({ labels, width, height, count }: Mask) {
  const confidence = new Float32Array(labels.length).fill(0.5);
  const bytes = encodePolygons(polygonsOf(labels, confidence, width, height, count));
  return simplifyForLod(decodePolygons(bytes), 'high');
}

async function readLabels(id: string): Promise<Mask> {
  const image = sharp(join(NUCLEI, 'labels', `${id}.png`)).toColourspace('grey16');
  const { data, info } = await image.raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
  const labels = Int32Array.from(new Uint16Array(new Uint8Array(data).buffer));
  const count = labels.reduce((most, label) => Math.max(most, label), 0);
  return { name: `labels of ${id}`, width: info.width, height: info.height, labels, count };
}

/** 60 label images of people and 60 of the model. */
async function realMasks(): Promise<Mask[]> {
  const rows = nucleiRows('val', 60);
  const predicted = await predict(rows, { threshold: 0.5, detectHoles: true });
  return [...(await Promise.all(rows.map(({ id }) => readLabels(id)))), ...predicted];
}

describe.skipIf(!python)('polygons (SEGBENCH_TEST_PYTHON: a Python with test/requirements.txt)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segbench-geometry-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function judge(masks: readonly Mask[], polygons = masks.map(sent)): Promise<Figures> {
    await Promise.all(masks.map(({ labels }, i) => writeFile(join(folder, `${i}.labels`), labels)));
    const scenes = masks.map(({ name, width, height }, i) => ({ name, width, height, polygons: polygons[i] }));
    await writeFile(join(folder, 'scenes.json'), JSON.stringify(scenes));
    const { stdout } = await promisify(execFile)(python!, [JUDGE, folder]);
    return JSON.parse(stdout) as Figures;
  }

  it(`of ${SCENES} label images are what scikit-image and OpenCV find in them (${existsSync(NUCLEI) ? 'with' : 'without'} real ones)`, async () => {
    const real = existsSync(NUCLEI) ? await realMasks() : [];
    const masks = [...real, ...generateMasks(real.length > 0 ? GENERATED_WITH_DATA : SCENES, 7)];
    const figures = await judge(masks);
    if (process.env['SEGBENCH_FIGURES'])
      await writeFile(process.env['SEGBENCH_FIGURES'], JSON.stringify(figures, null, 2));
    expect(figures.scenes).toBe(SCENES);
    expect(figures.cells).toBeGreaterThan(3000);
    expect(figures.holes).toBeGreaterThan(400);
    expect(figures.opencv).toBeGreaterThan(1500);
    // `where` is in the message: it names the worst cells.
    const { worst, where } = figures;
    expect({ where, isClose: worst.iou >= 0.98 && worst.area <= 0.01 }).toEqual({ where, isClose: true });
  }, 300_000);

  it.each([
    [
      'a hole that is lost',
      /AssertionError/,
      (all: ReturnType<typeof sent>) => all.filter(({ type }) => type === 'external'),
    ],
    ['a cell that is lost', /AssertionError/, (all: ReturnType<typeof sent>) => all.slice(1)],
    [
      'an area that is wrong',
      /AssertionError/,
      (all: ReturnType<typeof sent>) => all.map((polygon) => ({ ...polygon, area: polygon.area + 1 })),
    ],
  ])('the judge sees %s', async (_, error, spoil) => {
    const [mask] = generateMasks(2, 7).slice(1);
    await expect(judge([mask!], [spoil(sent(mask!))])).rejects.toThrow(error);
  });

  it('the judge sees an outline that is moved by one pixel', async () => {
    const [mask] = generateMasks(2, 7).slice(1);
    const moved = sent(mask!).map((polygon) => ({ ...polygon, points: polygon.points.map((value) => value + 1) }));
    expect((await judge([mask!], [moved])).worst.iou).toBeLessThan(0.9);
    expect(await readFile(join(folder, 'scenes.json'), 'utf8')).toContain('holes');
  });
});
