import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runModel, runTogether } from '../../src/inference/probabilities.ts';
import { createSession, type ModelSession } from '../../src/inference/session.ts';
import { HALO, planTiles } from '../../src/inference/tiles.ts';
import { createWorkspaces } from '../../src/inference/workspace.ts';
import { discs } from './shapes.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');

describe('planTiles', () => {
  it('runs an image up to the largest tile as a whole, padded', () => {
    expect(planTiles(250, 17, 16)).toEqual([
      { window: { x: 0, y: 0, width: 256, height: 32 }, keep: { x: 0, y: 0, width: 250, height: 17 } },
    ]);
  });

  it.each([
    [1537, 40],
    [4000, 3001],
    [9999, 1700],
  ])('covers %i x %i once, inside windows that fit and see the halo', (width, height) => {
    const rows = new Map<number, number>();
    let area = 0;
    for (const { window, keep } of planTiles(width, height, 16)) {
      expect([window.x % 16, window.y % 16, window.width % 16, window.height % 16]).toEqual([0, 0, 0, 0]);
      expect(Math.max(window.width, window.height)).toBeLessThanOrEqual(1536);
      expect(keep.x - window.x).toBe(keep.x > 0 ? HALO : 0);
      const last = keep.x + keep.width === width;
      expect(window.x + window.width - keep.x - keep.width).toBeGreaterThanOrEqual(last ? 0 : HALO);
      area += keep.width * keep.height;
      rows.set(keep.y, (rows.get(keep.y) ?? 0) + keep.width);
    }
    expect(area).toBe(width * height);
    expect(new Set(rows.values())).toEqual(new Set([width]));
  });

  it('refuses a halo that leaves nothing to keep', () => {
    expect(() => planTiles(10, 10, 16, 256, 128)).toThrow(RangeError);
  });
});

describe('runModel in tiles', () => {
  let session: ModelSession;
  beforeAll(async () => {
    session = await createSession(MODEL, 'cpu');
  });

  it('gives what the whole image gives', async () => {
    const [width, height] = [610, 330];
    const centres = Array.from({ length: 60 }, (_, i) => [
      20 + 59 * (i % 11),
      25 + 55 * Math.floor(i / 11),
      8 + (i % 5) * 3,
    ]);
    const image = { width, height, data: discs(width, height, centres as [number, number, number][]) };
    const whole = createWorkspaces()(width * height);
    const tiled = createWorkspaces()(width * height);
    await runModel(session, image, whole);
    await runModel(session, image, tiled, { tiling: { maxTile: 384, halo: HALO } });
    expect(whole.interior.some((p) => p > 0.9)).toBe(true);
    const worst = whole.foreground.reduce((most, p, i) => Math.max(most, Math.abs(p - tiled.foreground[i]!)), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  it('names the size when the model fails', async () => {
    const broken: ModelSession = { ...session, run: () => Promise.reject(new Error('bad shape')) };
    const image = { width: 5, height: 4, data: new Uint8Array(20) };
    await expect(runModel(broken, image, createWorkspaces()(20))).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      message: 'model at 16x16: bad shape',
    });
  });

  describe('fails instead of storing NaN', () => {
    const image = { width: 5, height: 4, data: new Uint8Array(20) };
    const message = 'model at 16x16: output is not a number';
    /** Zeros but for one logit of one image. */
    const spoilt = (plane: number, x: number, y: number, nth = 0): ModelSession => ({
      ...session,
      run: (_input, width, height, count = 1) => {
        const logits = new Float32Array(3 * count * width * height);
        logits[(3 * nth + plane) * width * height + y * width + x] = NaN;
        return Promise.resolve(logits);
      },
    });

    it.each(
      [0, 1, 2].flatMap((plane) =>
        [
          [0, 0],
          [3, 2],
          [4, 3],
        ].map(([x, y]) => [plane, x!, y!] as const),
      ),
    )('in plane %i at %i, %i alone', async (...place) => {
      const run = runModel(spoilt(...place), image, createWorkspaces()(20));
      await expect(run).rejects.toMatchObject({ code: 'MODEL_ERROR', message });
    });

    it('for the image of a batch that has it, and for no other', async () => {
      const run = await runTogether(spoilt(2, 3, 2, 1), [image, image, image]);
      const out = createWorkspaces()(20);
      expect(() => run.take(1, out)).toThrow(message);
      for (const index of [0, 2]) expect(() => run.take(index, out)).not.toThrow();
    });

    it('not where padding alone has it, of which nothing is kept', async () => {
      const out = createWorkspaces()(20);
      await runModel(spoilt(1, 9, 9), image, out);
      expect(out.interior.slice(0, 20).every((share) => Math.abs(share - 1 / 3) < 1e-6)).toBe(true);
    });
  });
});
