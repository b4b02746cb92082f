import { prepareSharp } from './decode.ts';
import { InferenceFailure } from './failure.ts';
import { createSegmenter } from './segment.ts';
import { createSession } from './session.ts';

export interface BareFigures {
  count: number;
  /** Images that could not be segmented; they cost time but count for nothing. */
  failed: number;
  /** CPU time of this process, all threads, over the images that succeeded. */
  cpuMsPerImage: number;
  imagesPerSecond: number;
}

const WARMUP_IMAGES = 5;

/**
 * Decode, normalise, run and polygons in one process, without pool, queue or service: what the service's CPU time is
 * compared with (`cpuRatio`). Loading the model and the first images (run twice) are not counted.
 * @param files absolute paths, at least one
 */
export async function bareLoop(files: readonly string[], modelDir: string, maxPixels = 64e6): Promise<BareFigures> {
  if (files.length === 0) throw new RangeError('bareLoop of no files');
  prepareSharp();
  const segment = createSegmenter(await createSession(modelDir, 'cpu'), maxPixels);
  // What a batch asks for by default.
  const request = { threshold: 0.5, channel: null, page: 0, detectHoles: true };
  const succeeds = async (file: string) => {
    const [result] = await segment([{ ...request, file }]);
    return !(result instanceof InferenceFailure);
  };
  for (const file of files.slice(0, WARMUP_IMAGES)) await succeeds(file);
  let count = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (const file of files) if (await succeeds(file)) count++;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    count,
    failed: files.length - count,
    cpuMsPerImage: (user + system) / 1000 / Math.max(1, count),
    imagesPerSecond: count / seconds,
  };
}
