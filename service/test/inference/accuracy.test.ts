import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePolygons } from '../../src/contract/polygons-format.ts';
import { prepareSharp } from '../../src/inference/decode.ts';
import { rasterise } from '../../src/inference/raster.ts';
import { createSegmenter } from '../../src/inference/segment.ts';
import { createSession } from '../../src/inference/session.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const DATA = path.join(ROOT, '../shared/data/nuclei');
const MODEL = path.join(ROOT, 'service/models/nuclei/1');
const IMAGES = 12;
/** AP at IoU 0.5 of the reference (train/evaluate.py's pipeline in Python) on the same twelve images. */
const REFERENCE_AP50 = 0.894;

interface Row {
  id: string;
  split: string;
  kind: string;
}

/** Hits, extras and misses at IoU > 0.5, as evaluate.py counts them. */
function score(truth: ArrayLike<number>, found: ArrayLike<number>) {
  const sizes = [new Map<number, number>(), new Map<number, number>()] as const;
  const shared = new Map<string, number>();
  const add = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    const [t, f] = [truth[i]!, found[i]!];
    if (t > 0) add(sizes[0], t);
    if (f > 0) add(sizes[1], f);
    if (t > 0 && f > 0) add(shared, `${t} ${f}`);
  }
  let hits = 0;
  for (const [pair, both] of shared) {
    const [t, f] = pair.split(' ').map(Number) as [number, number];
    if (both / (sizes[0].get(t)! + sizes[1].get(f)! - both) > 0.5) hits++;
  }
  return { hits, extra: sizes[1].size - hits, missed: sizes[0].size - hits };
}

// The data set is not part of the project: without a copy beside it there is nothing to compare with.
describe.skipIf(!existsSync(DATA))('accuracy on real nuclei (skipped where ../shared/data/nuclei is absent)', () => {
  it('reaches the AP of the reference through encoded polygons', async () => {
    prepareSharp();
    const segment = createSegmenter(await createSession(MODEL, 'cpu'), 64e6);
    const rows = (JSON.parse(readFileSync(path.join(DATA, 'manifest.json'), 'utf8')) as Row[])
      .filter(({ split, kind }) => split === 'val' && kind === 'fluorescence')
      .filter((_, i, all) => i % Math.floor(all.length / IMAGES) === 0)
      .slice(0, IMAGES);
    const total = { hits: 0, extra: 0, missed: 0 };
    for (const { id } of rows) {
      const file = path.join(DATA, 'images', `${id}.png`);
      const [output] = await segment([{ file, threshold: 0.5, channel: null, page: 0, detectHoles: false }]);
      if (output === undefined || output instanceof Error) throw output ?? new Error('no output');
      const label = sharp(path.join(DATA, 'labels', `${id}.png`))
        .toColourspace('grey16')
        .raw({ depth: 'ushort' });
      const bytes = new Uint8Array(await label.toBuffer());
      const found = rasterise(decodePolygons(output.polygons), output.imageWidth, output.imageHeight);
      const { hits, extra, missed } = score(new Uint16Array(bytes.buffer), found);
      total.hits += hits;
      total.extra += extra;
      total.missed += missed;
    }
    const ap = total.hits / (total.hits + total.extra + total.missed);
    expect(rows).toHaveLength(IMAGES);
    expect(ap).toBeGreaterThan(REFERENCE_AP50 - 0.02);
    expect(ap).toBeLessThan(REFERENCE_AP50 + 0.02);
  }, 60_000);
});
