import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { prepareSharp } from '../../../service/src/inference/decode.ts';
import { createSegmenter } from '../../../service/src/inference/segment.ts';
import { createSession } from '../../../service/src/inference/session.ts';
import type { Trial, TrialMessage, TrialResult } from './trial.ts';

const SIDE = 256;
const MAX_PIXELS = 64e6;

/** 16 bright discs on a dark, slightly noisy ground. */
function discs(): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    const distance = Math.hypot((x % 64) - 32, (y % 64) - 32);
    const radius = 9 + 2 * ((Math.floor(x / 64) + Math.floor(y / 64)) % 4);
    return 12 + ((x * 7 + y * 13) % 5) + 140 * Math.min(1, Math.max(0, (radius - distance) / 3));
  });
}

async function trialOf({ modelDir, provider, image }: Trial): Promise<TrialResult> {
  prepareSharp();
  const folder = await mkdtemp(join(tmpdir(), 'segbench-doctor-'));
  try {
    const file = image ?? join(folder, 'discs.png');
    if (image === undefined) {
      const raw = { width: SIDE, height: SIDE, channels: 1 } as const;
      await sharp(discs(), { raw }).toColourspace('b-w').png().toFile(file);
    }
    const start = performance.now();
    const segment = createSegmenter(await createSession(modelDir, provider), MAX_PIXELS);
    const loadMs = performance.now() - start;
    const request = { file, threshold: 0.5, channel: null, page: 0, detectHoles: true };
    const segmentOne = async () => {
      const [result] = await segment([request]);
      if (result === undefined || result instanceof Error) throw result ?? new Error('no result');
      return result;
    };
    const first = await segmentOne();
    const again = await segmentOne();
    return {
      loadMs,
      firstMs: first.executionMs,
      ms: again.executionMs,
      width: again.imageWidth,
      height: again.imageHeight,
      cells: again.polygonCount,
      warnings: again.warnings,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const message: TrialMessage = await trialOf(JSON.parse(process.argv[2] ?? '{}') as Trial).then(
  (result) => ({ result }),
  (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
);
process.send?.(message, () => process.disconnect());
