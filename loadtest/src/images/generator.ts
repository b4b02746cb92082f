import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { mimeOf, sha256OfSet } from './image-set.ts';
import type { ImageSet } from './image-set.ts';
import { DEFAULT_LIMITS } from './plan.ts';
import type { PlanLimits } from './plan.ts';

/** A row of `manifest.json`; `id`, `kind` and `split` as in other data sets, so that the folder can be given to `--images` too. */
export interface GeneratedImage {
  index: number;
  id: string;
  name: string;
  width: number;
  height: number;
  bitDepth: 8 | 16;
  cells: number;
  bytes: number;
  sha256: string;
  kind: 'fluorescence';
  split: 'synthetic';
}

export interface GeneratorTask {
  seed: number;
  count: number;
  first: number;
  stride: number;
  directory: string;
  /** Images from the first on whose labels are written too. */
  labels: number;
  limits: PlanLimits;
}

export interface GenerateOptions {
  count: number;
  /** 0 to 2^32 - 1. */
  seed: number;
  /** Made where missing; receives `images/`, `labels/` and `manifest.json`. */
  directory: string;
  /** Threads; the result does not depend on it. */
  threads?: number;
  /** How many images get a label file, from the first on (default: all). */
  labels?: number;
  limits?: PlanLimits;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Writes seeded cell images with their exact ground truth.
 * The same seed and count give the same pixels and cells everywhere, and the same bytes (so the same `sha256OfSet`) with the
 * same sharp on the same kind of processor: compressors may choose otherwise elsewhere.
 * @throws the signal's reason when aborted, and whatever writing throws.
 */
export async function generateImages(options: GenerateOptions): Promise<ImageSet> {
  const { count, seed, directory, threads = 2, labels = count, limits = DEFAULT_LIMITS, onProgress, signal } = options;
  signal?.throwIfAborted();
  await Promise.all(['images', 'labels'].map((name) => mkdir(join(directory, name), { recursive: true })));
  const stride = Math.max(1, Math.min(threads, count));
  const records: GeneratedImage[] = [];
  const collect = (record: GeneratedImage): void => {
    records.push(record);
    onProgress?.(records.length, count);
  };
  const stop = new AbortController();
  const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const runs = Array.from({ length: stride }, (_, first) =>
    runThread({ seed, count, first, stride, directory, labels, limits }, collect, anySignal),
  );
  const outcomes = await Promise.allSettled(
    runs.map((run) =>
      run.catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  records.sort((a, b) => a.index - b.index);
  refuseTwins(records, seed);
  const manifest = `[\n${records.map((record) => JSON.stringify(record)).join(',\n')}\n]\n`;
  await writeFile(join(directory, 'manifest.json'), manifest);
  return toImageSet(records, directory, labels);
}

function toImageSet(records: readonly GeneratedImage[], directory: string, labels: number): ImageSet {
  return {
    source: 'synthetic',
    dataset: 'synthetic',
    split: null,
    images: records.map((record) => ({
      name: record.name,
      path: join(directory, 'images', record.name),
      sizeBytes: record.bytes,
      sha256: record.sha256,
      mimeType: mimeOf(record.name) ?? 'application/octet-stream',
      width: record.width,
      height: record.height,
      cells: record.cells,
      labelsPath: record.index < labels ? join(directory, 'labels', `${record.id}.png`) : null,
    })),
    bytes: records.reduce((sum, record) => sum + record.bytes, 0),
    sha256OfSet: sha256OfSet(records),
    ignored: [],
    unreadable: [],
  };
}

/** Two equal files would share one inference, and the run would measure less work than it says. */
function refuseTwins(records: readonly GeneratedImage[], seed: number): void {
  const seen = new Map<string, string>();
  for (const { sha256, name } of records) {
    const twin = seen.get(sha256);
    if (twin !== undefined) throw new Error(`seed ${seed} gave ${twin} and ${name} the same bytes; take another seed`);
    seen.set(sha256, name);
  }
}

async function runThread(
  task: GeneratorTask,
  collect: (record: GeneratedImage) => void,
  signal: AbortSignal,
): Promise<void> {
  const worker = new Worker(new URL('./generate-worker.ts', import.meta.url), { workerData: task });
  const end = (): void => void worker.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', collect);
      worker.on('error', reject);
      worker.on('exit', (code) => {
        if (signal.aborted)
          reject(signal.reason instanceof Error ? signal.reason : new Error('generation was aborted'));
        else if (code === 0) resolve();
        else reject(new Error(`a thread of the image generator ended with code ${code}`));
      });
    });
  } finally {
    signal.removeEventListener('abort', end);
  }
}
