import { join } from 'node:path';
import type { BenchOptions } from '../cli/options.ts';
import { readDirectory } from '../images/directory.ts';
import { generateImages } from '../images/generator.ts';
import type { ImageSet } from '../images/image-set.ts';
import type { Progress } from './progress.ts';

/** Ground truth is written for all images of a small set, and for the first ones of a large one: as many as are scored. */
const LABELS = 200;

/** The set that a run works on: a folder's images, or seeded ones made in the run's temporary folder. */
export async function loadImages(
  options: Pick<BenchOptions, 'images' | 'count' | 'seed' | 'scenario'>,
  tempDir: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<ImageSet> {
  const { images, count, seed, scenario } = options;
  if (images) {
    progress.phase('read images');
    const set = await readDirectory({ ...images, count });
    progress.done(`${set.images.length} images, ${(set.bytes / 1e6).toFixed(1)} MB`);
    return set;
  }
  const wanted = count ?? scenario.images.count;
  progress.phase('make images', wanted);
  const { minSide, maxSide, medianSide, maxCells } = scenario.images;
  const set = await generateImages({
    count: wanted,
    seed,
    directory: join(tempDir, 'images'),
    labels: LABELS,
    limits: { minSide, maxSide, medianSide, maxCells },
    onProgress: (done) => progress.update(done),
    signal,
  });
  progress.done(`${set.images.length} images, ${(set.bytes / 1e6).toFixed(1)} MB`);
  return set;
}
