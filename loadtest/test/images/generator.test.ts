import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectedArea } from '../../src/images/cells.ts';
import { generateImages } from '../../src/images/generator.ts';
import type { GeneratedImage } from '../../src/images/generator.ts';
import { sha256OfSet } from '../../src/images/image-set.ts';
import type { ImageSet } from '../../src/images/image-set.ts';
import { readLabels } from '../../src/images/labels.ts';

const COUNT = 48;
const SEED = 7;
let folder: string;
let set: ImageSet;
let manifest: GeneratedImage[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'segbench-generator-'));
  set = await generateImages({ count: COUNT, seed: SEED, directory: join(folder, 'a') });
  manifest = JSON.parse(readFileSync(join(folder, 'a', 'manifest.json'), 'utf8')) as GeneratedImage[];
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('generateImages', () => {
  it('describes every file by its real size, hash and pixels', async () => {
    expect(set.images).toHaveLength(COUNT);
    expect(set.sha256OfSet).toBe(sha256OfSet(set.images));
    for (const [at, image] of set.images.entries()) {
      const bytes = readFileSync(image.path);
      expect(bytes.length).toBe(image.sizeBytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(image.sha256);
      const meta = await sharp(bytes).metadata();
      expect([meta.width, meta.height]).toEqual([image.width, image.height]);
      expect(`image/${meta.format}`).toBe(image.mimeType);
      expect(meta.depth).toBe(manifest[at]?.bitDepth === 16 ? 'ushort' : 'uchar');
      expect(manifest[at]).toMatchObject({
        name: image.name,
        sha256: image.sha256,
        bytes: image.sizeBytes,
        cells: image.cells,
      });
    }
  });

  it('labels every cell as one connected region of at least 40 pixels, numbered from 1', async () => {
    for (const image of set.images) {
      const { data, width, height } = await readLabels(image.labelsPath ?? '');
      expect([width, height]).toEqual([image.width, image.height]);
      const areas = new Map<number, number>();
      const first = new Map<number, number>();
      data.forEach((label, at) => {
        areas.set(label, (areas.get(label) ?? 0) + 1);
        if (!first.has(label)) first.set(label, at);
      });
      areas.delete(0);
      const numbers = [...areas.keys()].toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: image.cells ?? -1 }, (_, i) => i + 1));
      for (const [label, area] of areas) {
        expect(area).toBeGreaterThanOrEqual(40);
        expect(connectedArea(data, width, first.get(label) ?? 0, label)).toBe(area);
      }
    }
  });

  it('shines where its labels say that cells are', async () => {
    const clear = set.images.filter((image) => (image.cells ?? 0) >= 5);
    for (const image of clear) {
      const { data: labels } = await readLabels(image.labelsPath ?? '');
      const pixels = await sharp(image.path).toColourspace('b-w').raw().toBuffer();
      const mean = (inside: boolean): number => {
        let sum = 0;
        let count = 0;
        labels.forEach((label, at) => {
          if (label > 0 !== inside) return;
          sum += pixels[at] ?? 0;
          count++;
        });
        return sum / count;
      };
      expect(mean(true)).toBeGreaterThan(2 * mean(false));
    }
  });

  it('gives the same set again whatever the number of threads', async () => {
    const again = await generateImages({
      count: COUNT,
      seed: SEED,
      directory: join(folder, 'b'),
      threads: 3,
      labels: 2,
    });
    expect(again.sha256OfSet).toBe(set.sha256OfSet);
    expect(again.images.map((image) => image.labelsPath !== null)).toEqual(again.images.map((_, at) => at < 2));
  }, 60_000);

  it('gives another set for another seed, and no two equal files', async () => {
    const other = await generateImages({ count: 4, seed: SEED + 1, directory: join(folder, 'c') });
    const hashes = [...set.images, ...other.images].map((image) => image.sha256);
    expect(new Set(hashes).size).toBe(hashes.length);
  }, 60_000);

  it('ends with the reason when aborted', async () => {
    const stop = new AbortController();
    const run = generateImages({
      count: 500,
      seed: 1,
      directory: join(folder, 'd'),
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('interrupted')),
    });
    await expect(run).rejects.toThrow('interrupted');
  }, 60_000);
});
