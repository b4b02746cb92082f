import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import type { Knows } from '../../src/inference/card.ts';
import { inspectImage } from '../../src/ingest/inspect.ts';
import { decodeGray, prepareSharp, type DecodeOptions } from '../../src/inference/decode.ts';
import { createSegmenter, type SegmentOutput } from '../../src/inference/segment.ts';
import { createSession, type ModelSession } from '../../src/inference/session.ts';
import { discs } from './shapes.ts';
import { tiffOf, type TiffPage } from './tiff.ts';

export const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
const KNOWS = path.join(import.meta.dirname, '../../models/statistics/nuclei-1.json');
export const MAX_PIXELS = 64e6;
export const REQUEST = { threshold: 0.5, channel: null, page: 0, detectHoles: true };
/** Two bright discs on a dark ground, SCENE in size. */
export const SCENE = { width: 128, height: 96 };
export const scene = () =>
  discs(SCENE.width, SCENE.height, [
    [40, 48, 14],
    [90, 50, 12],
  ]);

/** A TIFF of one row. */
export const row = (samples: number[], rest: Partial<TiffPage> = {}) =>
  tiffOf({ width: samples.length / (rest.samplesPerPixel ?? 1), height: 1, samples, ...rest });
/** Images of one row, for sharp to write. */
export const eight = (values: number[], channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(values), { raw: { width: values.length / channels, height: 1, channels } });
export const sixteen = (values: number[], channels: 1 | 2 | 3) =>
  sharp(Uint16Array.from(values), { raw: { width: values.length / channels, height: 1, channels } });

/** Takes files the way of an upload and of a batch, in a folder that goes when the test file ends. */
export function prepareInputs() {
  let folder: string;
  let session: ModelSession;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-inputs-'));
    prepareSharp();
    const loaded = await createSession(MODEL, 'cpu');
    const knows = JSON.parse(await readFile(KNOWS, 'utf8')) as Knows;
    session = { ...loaded, card: { ...loaded.card, knows } };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function save(bytes: Uint8Array | string): Promise<string> {
    const file = path.join(folder, 'image');
    await writeFile(file, bytes);
    return file;
  }
  const inspect = async (bytes: Uint8Array | string) => inspectImage(await save(bytes), MAX_PIXELS);
  async function segment(bytes: Uint8Array, model = session): Promise<SegmentOutput> {
    const [result] = await createSegmenter(model, MAX_PIXELS)([{ ...REQUEST, file: await save(bytes) }]);
    if (result === undefined || result instanceof Error) throw result ?? new Error('no result');
    return result;
  }
  return {
    save,
    /** What upload says of a file. */
    inspect,
    segment,
    cellsOf: async (bytes: Uint8Array, model?: ModelSession) => (await segment(bytes, model)).polygonCount,
    /** What the model would see before the stretch, of a file that upload takes. */
    decoded: async (bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<number[]> => {
      const facts = await inspect(bytes);
      if ('code' in facts) throw new Error(`refused: ${facts.code} ${facts.message}`);
      const file = await save(bytes);
      const { data } = await decodeGray(file, { channel: null, page: 0, maxPixels: MAX_PIXELS, ...options });
      return [...data];
    },
    /** A model that calls inside what is brighter than half of the stretch: large images are quick with it. */
    threshold: (): ModelSession => ({
      ...session,
      run(input, width, height) {
        const out = new Float32Array(3 * width * height);
        for (let i = 0; i < input.length; i++) out[input[i]! > 0.5 ? width * height + i : i] = 9;
        return Promise.resolve(out);
      },
    }),
  };
}
