import { join } from 'node:path';
import type { BulkScenario } from '../../../scenarios/scenario.ts';
import type { BenchOptions } from '../cli/options.ts';
import { readDirectory } from '../images/directory.ts';
import { generateImages } from '../images/generator.ts';
import type { ImageSet } from '../images/image-set.ts';
import type { Progress } from './progress.ts';

/** Ground truth is written for all images of a small set, and for the first ones of a large one: as many as are scored. */
const LABELS = 200;

const sizeOf = (set: ImageSet): string => `${set.images.length} images, ${(set.bytes / 1e6).toFixed(1)} MB`;

/**
 * The images of the folder that was named, or undefined. Asked before any server starts: a wrong name ends the run at once.
 * @throws UsageError
 */
export async function readImages(
  { images, count }: Pick<BenchOptions, 'images' | 'count'>,
  progress: Progress,
): Promise<ImageSet | undefined> {
  if (!images) return undefined;
  progress.phase('read images');
  const set = await readDirectory({ ...images, count });
  for (const { name, reason } of set.ignored) progress.line(`left out ${name}: ${reason}`);
  progress.done(sizeOf(set));
  return set;
}

/** Seeded images, made in the run's temporary folder. */
export async function makeImages(
  { count, seed, scenario }: Pick<BenchOptions, 'count' | 'seed'> & { scenario: Pick<BulkScenario, 'images'> },
  tempDir: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageSet> {
  const wanted = count ?? scenario.images.count;
  progress.phase('make images', wanted);
  const { minSide, maxSide, medianSide, minCells, maxCells } = scenario.images;
  const set = await generateImages({
    count: wanted,
    seed,
    directory: join(tempDir, 'images'),
    labels: LABELS,
    limits: { minSide, maxSide, medianSide, maxCells, ...(minCells === undefined ? {} : { minCells }) },
    onProgress: (done) => progress.update(done),
    signal,
  });
  progress.done(sizeOf(set));
  return set;
}
