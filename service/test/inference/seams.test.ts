import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runModel } from '../../src/inference/probabilities.ts';
import { createSession, type ModelSession } from '../../src/inference/session.ts';
import { HALO } from '../../src/inference/tiles.ts';
import { findInstances } from '../../src/inference/watershed.ts';
import { createWorkspaces } from '../../src/inference/workspace.ts';
import { compareLabels, crowdedField } from './seams.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
const SIDE = 2048;
/** Seven tiles a side: as many seams as an image of 8000 x 8000 has at the service's own size. */
const MAX_TILE = 512;
const OPTIONS = { threshold: 0.5, detectHoles: true };

// test/figures/seams.mjs does the same at 4096 x 4096 and the tiles of the service.
describe('an image in tiles', () => {
  const image = crowdedField(SIDE, 3);
  let session: ModelSession;
  let whole: Int32Array;

  async function segment(tiling: { maxTile: number; halo: number }): Promise<Int32Array> {
    const workspace = createWorkspaces()(SIDE * SIDE);
    await runModel(session, image, workspace, { tiling });
    return findInstances(workspace, SIDE, SIDE, OPTIONS, workspace).labels;
  }
  beforeAll(async () => {
    session = await createSession(MODEL, 'cpu');
    whole = await segment({ maxTile: SIDE, halo: HALO });
  });

  it('has the objects of the whole image, but for less than 0.5 % of the area', async () => {
    const seams = compareLabels(whole, await segment({ maxTile: MAX_TILE, halo: HALO }));
    expect(seams.objects).toBeGreaterThan(2000);
    expect(seams.changedArea).toBeLessThan(0.005);
    expect(seams.differentPixels).toBeLessThan(1e-4);
  });

  it('has not when tiles see too little past what they keep', async () => {
    const seams = compareLabels(whole, await segment({ maxTile: MAX_TILE, halo: 16 }));
    expect(seams.changedArea).toBeGreaterThan(0.005);
  });
});

describe('compareLabels', () => {
  it('sees objects that are cut, joined, lost or only numbered otherwise', () => {
    const labels = Int32Array.of(1, 1, 0, 2, 2, 2, 0, 3, 0, 4);
    expect(compareLabels(labels, Int32Array.of(7, 7, 0, 5, 5, 5, 0, 1, 0, 2))).toMatchObject({ changed: 0 });
    expect(compareLabels(labels, Int32Array.of(1, 1, 0, 2, 2, 5, 0, 3, 0, 4))).toMatchObject({ changed: 2 });
    expect(compareLabels(labels, Int32Array.of(1, 1, 1, 1, 1, 1, 0, 3, 0, 4))).toMatchObject({
      changed: 2,
      changedArea: 0.6,
    });
    expect(compareLabels(labels, Int32Array.of(1, 1, 0, 2, 2, 2, 0, 0, 0, 4))).toMatchObject({
      objects: 4,
      changed: 1,
      changedArea: 0.1,
      differentPixels: 0.1,
    });
  });
});
