import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCard } from '../../src/inference/card.ts';
import { prepareSharp } from '../../src/inference/decode.ts';
import { loadModelCard, modelNames } from '../../src/inference/model.ts';
import { createSegmenter } from '../../src/inference/segment.ts';
import { createSession } from '../../src/inference/session.ts';
import { onnxOf, type TinyModel } from './onnx.ts';
import { discs } from './shapes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-own-'));
  prepareSharp();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const CARD = {
  name: 'own',
  version: '1',
  input: { name: 'image', multipleOf: 16 },
  output: { name: 'logits', classes: ['background', 'interior', 'boundary'] },
};
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
let made = 0;
/** A model folder; what is given replaces fields of the card. */
async function folderOf(weights: Uint8Array | null, card: object | string = {}): Promise<string> {
  const dir = path.join(folder, `models-${++made}`, 'own', '1');
  await mkdir(dir, { recursive: true });
  if (weights !== null) await writeFile(path.join(dir, 'model.onnx'), weights);
  const text =
    typeof card === 'string' ? card : JSON.stringify({ ...CARD, sha256: digest(weights ?? Buffer.alloc(0)), ...card });
  await writeFile(path.join(dir, 'card.json'), text);
  return dir;
}
const load = async (model: TinyModel, card: object = {}) => createSession(await folderOf(onnxOf(model), card), 'cpu');

describe('an own model', () => {
  it('is found in its folder, loaded, and segments an image', async () => {
    const dir = await folderOf(onnxOf());
    const models = path.join(dir, '../..');
    expect(await loadModelCard(models, 'own')).toMatchObject({ name: 'own', version: '1', dir });
    const file = path.join(folder, 'cells.png');
    const data = discs(128, 96, [
      [40, 48, 14],
      [90, 50, 12],
    ]);
    await sharp(data, { raw: { width: 128, height: 96, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(file);
    const segment = createSegmenter(await createSession(dir, 'cpu'), 1e6);
    const request = { file, threshold: 0.5, channel: null, page: 0, detectHoles: true };
    expect(await segment([request])).toMatchObject([{ polygonCount: 2, imageWidth: 128, warnings: [] }]);
  });

  it('is a folder with a version in it, and nothing else is', async () => {
    const models = path.join(await folderOf(onnxOf()), '../..');
    await mkdir(path.join(models, 'statistics'));
    await mkdir(path.join(models, 'notes', 'draft'), { recursive: true });
    expect(await modelNames(models)).toEqual(['own']);
    await expect(loadModelCard(models, 'notes')).rejects.toThrow(/model "notes" is not in .*allowed: own/);
  });

  it('takes thresholds of the cells from its card', async () => {
    const file = path.join(folder, 'sizes.png');
    const data = discs(128, 96, [
      [30, 48, 20],
      [90, 50, 4],
    ]);
    await sharp(data, { raw: { width: 128, height: 96, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(file);
    const count = async (instances: unknown) => {
      const segment = createSegmenter(await load({}, { instances }), 1e6);
      const [result] = await segment([{ file, threshold: 0.5, channel: null, page: 0, detectHoles: true }]);
      return result instanceof Error ? result : result?.polygonCount;
    };
    expect(await count('seeds: interior > 0.6, as the first cards said it')).toBe(2);
    expect(await count({})).toBe(2);
    expect(await count({ minCellArea: 100 })).toBe(1);
    expect(await count({ minSeedArea: 100 })).toBe(1);
    expect(await count({ minSeedArea: 5000 })).toBe(0);
    // The model is sure by 0.98 where the stretch is 1.
    expect(await count({ seedThreshold: 0.99999 })).toBe(0);
  });
});

describe('a card', () => {
  const parse = (card: object) => parseCard(JSON.stringify(card), 'card.json');
  const whole = { ...CARD, sha256: '0'.repeat(64) };

  it('of version 1 is read, with the thresholds that its sentence tells', async () => {
    const shipped = await readFile(path.join(import.meta.dirname, '../../models/nuclei/1/card.json'), 'utf8');
    expect(parseCard(shipped, 'card.json').instances).toEqual({
      seedThreshold: 0.6,
      minSeedArea: 5,
      minCellArea: 20,
      minHoleArea: 8,
    });
  });

  const input = (rest: object) => ({ input: { ...CARD.input, ...rest } });
  it.each<[field: string, change: object, found: string, expected: string]>([
    ['name', { name: '../x' }, '"../x"', 'a name of letters'],
    ['name', { name: undefined }, 'missing', 'a name of letters'],
    ['version', { version: 1 }, '1', 'a whole number as text'],
    ['sha256', { sha256: 'ABC' }, '"ABC"', '64 hex digits'],
    ['input', { input: undefined }, 'missing', 'an object of name, multipleOf'],
    ['input.name', input({ name: '' }), '""', "the name of the network's input"],
    ['input.multipleOf', input({ multipleOf: 24 }), '24', 'one of 1, 2, 4, 8, 16, 32, 64, 128'],
    ['input.multipleOf', input({ multipleOf: '16' }), '"16"', 'one of 1, 2, 4, 8, 16, 32, 64, 128'],
    ['input.halo', input({ halo: 100 }), '100', 'a multiple of 128 to 640'],
    ['output.name', { output: { classes: CARD.output.classes } }, 'missing', "the name of the network's output"],
    [
      'output.classes',
      { output: { name: 'logits', classes: ['background', 'cell'] } },
      '["background","cell"]',
      '["background", "interior", "boundary"]',
    ],
    ['instances.minSeedArea', { instances: { minSeedArea: 0 } }, '0', 'a whole number of pixels, 1 or more'],
    ['instances.seedThreshold', { instances: { seedThreshold: 1 } }, '1', 'a number from 0.5 to less than 1'],
    [
      'instances.seedTreshold',
      { instances: { seedTreshold: 0.6 } },
      'unknown',
      'an object of seedThreshold, minSeedArea',
    ],
    ['instances', { instances: 7 }, '7', 'an object of seedThreshold, minSeedArea'],
    ['knows.mean', { knows: { mean: [1] } }, '[1]', 'two numbers, [least, most]'],
    ['knows.mean', { knows: { mean: [0.5, 0.1] } }, '[0.5,0.1]', 'two numbers, [least, most]'],
    ['knows.brightness', { knows: { brightness: [0, 1] } }, 'unknown', 'an object of contrast, mean, bright'],
  ])('whose %s is wrong is refused by file, field, value and what is allowed: %o', (field, change, found, expected) => {
    const message = `card.json: ${field} is ${found}, expected ${expected}`;
    expect(() => parse({ ...whole, ...change })).toThrow(message);
  });

  it('with several mistakes names all of them', () => {
    expect(() => parse({ ...whole, version: 2, sha256: 5 })).toThrow(/version is 2, .*\n.*sha256 is 5, /);
  });

  it('that is not JSON, no object, or not there is refused by file', async () => {
    await expect(createSession(await folderOf(onnxOf(), '{"name": '), 'cpu')).rejects.toThrow(
      /card\.json: is not JSON/,
    );
    await expect(createSession(await folderOf(onnxOf(), '[]'), 'cpu')).rejects.toThrow(
      /card\.json: the card is \[\], expected a JSON object/,
    );
    await expect(createSession(path.join(folder, 'nowhere'), 'cpu')).rejects.toThrow(
      /ENOENT: .*card\.json'; a model is a folder/,
    );
    await expect(createSession(await folderOf(null), 'cpu')).rejects.toThrow(
      /ENOENT: .*model\.onnx'; a model is a folder/,
    );
  });
});

describe('the network of a card', () => {
  it.each<[what: string, model: TinyModel, card: object, message: RegExp]>([
    [
      'has an input of another name',
      { input: { name: 'x', shape: ['n', 1, 'h', 'w'] } },
      {},
      /its inputs are x: float32 \[n, 1, h, w\]; card\.json's input\.name is "image"/,
    ],
    [
      'has an output of another name',
      { output: { name: 'y', shape: ['n', 3, 'h', 'w'] } },
      {},
      /its outputs are y: float32 \[n, 3, h, w\]; card\.json's output\.name is "logits"/,
    ],
    ['takes more than an image', { extraInput: true }, {}, /its inputs are image: .*; extra: .*; expected one/],
    [
      'takes float64',
      { input: { name: 'image', type: 11, shape: ['n', 1, 'h', 'w'] } },
      {},
      /input image: float64 \[n, 1, h, w\], expected float32/,
    ],
    [
      'takes one size only',
      { input: { name: 'image', shape: ['n', 1, 256, 256] } },
      {},
      /input image: float32 \[n, 1, 256, 256\], expected .* free/,
    ],
    [
      'takes one image at a time',
      { input: { name: 'image', shape: [1, 1, 'h', 'w'] } },
      {},
      /input image: float32 \[1, 1, h, w\], expected/,
    ],
    [
      'gives two classes',
      { weights: [-20, 20], biases: [10, -10] },
      {},
      /output logits: float32 \[n, 2, h, w\], expected float32 \[n, 3, h, w\]/,
    ],
    [
      'gives other than it says',
      { stride: 2 },
      {},
      /a run on 32 x 16 fails: output "logits" is float32 \[1, 3, 8, 16\], expected float32 \[1, 3, 16, 32\]/,
    ],
    ['gives NaN', { weights: [NaN, 1, 1] }, {}, /gives NaN at 0, expected finite numbers/],
    ['gives infinities', { biases: [0, Infinity, 0] }, {}, /gives Infinity at 512, expected finite numbers/],
    ['gives probabilities', { softmax: true }, {}, /is probabilities already, expected logits/],
  ])('is refused when it %s', async (_, model, card, message) => {
    await expect(load(model, card)).rejects.toThrow(message);
    await expect(load(model, card)).rejects.toThrow(/models-\d+\/own\/1\/model\.onnx: /);
  });

  it('is refused when the file is cut, changed, or another kind of file', async () => {
    const weights = onnxOf();
    const cut = weights.subarray(0, weights.length - 40);
    await expect(createSession(await folderOf(cut, { sha256: digest(weights) }), 'cpu')).rejects.toThrow(
      /model\.onnx: sha256 is [0-9a-f]{64} \(\d+ bytes\), its card says/,
    );
    for (const bytes of [cut, Buffer.from('not a model at all'), Buffer.alloc(0), Buffer.alloc(5000, 0xff)])
      await expect(createSession(await folderOf(bytes), 'cpu')).rejects.toThrow(
        /model\.onnx: provider "cpu" cannot load it: /,
      );
  });
});
