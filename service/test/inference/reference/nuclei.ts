import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeGray, prepareSharp } from '../../../src/inference/decode.ts';
import { runModel } from '../../../src/inference/probabilities.ts';
import { createSession } from '../../../src/inference/session.ts';
import { findInstances, type InstanceOptions } from '../../../src/inference/watershed.ts';
import { createWorkspaces } from '../../../src/inference/workspace.ts';
import type { Mask } from './masks.ts';

const ROOT = path.join(import.meta.dirname, '../../../..');
export const MODEL = path.join(ROOT, 'service/models/nuclei/1');
/** Real images with labels; not a part of the project: tests that want them look whether they are there. */
export const NUCLEI = process.env['SEGBENCH_TEST_NUCLEI'] ?? path.join(ROOT, '../shared/data/nuclei');

export interface NucleiRow {
  id: string;
  split: string;
  kind: string;
  width: number;
  height: number;
}

/** Up to `count` images of a split, spread over the manifest. */
export function nucleiRows(split: string, count: number, kind = 'fluorescence'): NucleiRow[] {
  const rows = JSON.parse(readFileSync(path.join(NUCLEI, 'manifest.json'), 'utf8')) as NucleiRow[];
  const wanted = rows.filter((row) => row.split === split && row.kind === kind);
  const step = Math.max(1, Math.floor(wanted.length / count));
  return wanted.filter((_, i) => i % step === 0).slice(0, count);
}

export const imageFile = (id: string) => path.join(NUCLEI, 'images', `${id}.png`);

export interface Prediction extends Mask {
  interior: Float32Array;
  foreground: Float32Array;
}

/** Probabilities and instances of real images, in planes of their own. */
export async function predict(rows: readonly NucleiRow[], options: InstanceOptions): Promise<Prediction[]> {
  prepareSharp();
  const session = await createSession(MODEL, 'cpu');
  const out: Prediction[] = [];
  for (const { id } of rows) {
    const image = await decodeGray(imageFile(id), { channel: null, page: 0, maxPixels: 64e6 });
    const { width, height } = image;
    const workspace = createWorkspaces()(width * height);
    await runModel(session, image, workspace);
    const { labels, count } = findInstances(workspace, width, height, options, workspace);
    const { interior, foreground } = workspace;
    out.push({ name: `model on ${id}`, width, height, labels, count, interior, foreground });
  }
  return out;
}
