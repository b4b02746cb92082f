import type {
  InferenceBackend,
  InferenceOutput,
  InferenceRequest,
} from '../../../service/src/inference/pool/backend.ts';

/** One execution. */
export interface Execution {
  images: number;
  side: number;
  /** Wall clock of the batch. */
  ms: number;
  /** CPU time of the worker for the batch; 0 where it is not this machine's. */
  cpuMs: number;
}
export interface SweepOptions {
  batches: readonly number[];
  /** Files of square images by their side, at least as many as the largest batch. */
  files: ReadonlyMap<number, readonly string[]>;
  modelDir: string;
  /** Executions of each cell. */
  rounds: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Longest execution that is waited for. */
const LIMIT_MS = 600_000;
const sumOf = (record: object): number => Object.values(record).reduce((sum: number, ms: number) => sum + ms, 0);

/**
 * Executes batches of every size and shape on a backend with one worker whose batcher allows the largest. Rounds go over all
 * cells, so that a disturbance of some seconds hits each alike.
 */
export async function sweep(backend: InferenceBackend, options: SweepOptions): Promise<Execution[]> {
  const { batches, files, rounds, onProgress, signal } = options;
  const cells = [...files.keys()].flatMap((side) => batches.map((images) => ({ side, images })));
  const executions: Execution[] = [];
  for (let round = 0; round < rounds; round++)
    for (const { side, images } of cells) {
      signal?.throwIfAborted();
      executions.push({ images, side, ...(await execute(backend, side, files.get(side)!.slice(0, images), options)) });
      onProgress?.(executions.length, rounds * cells.length);
    }
  return executions;
}

/** One image keeps the worker busy until all of the batch wait behind it; then they go together. */
async function execute(backend: InferenceBackend, side: number, files: readonly string[], { modelDir }: SweepOptions) {
  const infer = (file: string, id: number): Promise<InferenceOutput> => {
    const sides = { width: side, height: side };
    const parameters = { threshold: 0.5, channel: null, page: 0, detectHoles: true };
    // Spread over the digests' range: a simulated device draws by them.
    const sha256 = Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
      .repeat(8);
    const request: InferenceRequest = { id: String(id), file, sha256, modelDir, priority: 0, ...sides, ...parameters };
    return backend.infer(request, { deadlineMs: LIMIT_MS });
  };
  const [, ...outputs] = await Promise.all([infer(files[0]!, -1), ...files.map(infer)]);
  const sizes = new Set(outputs.map(({ batchSize }) => batchSize));
  if (sizes.size !== 1 || !sizes.has(files.length))
    throw new Error(`${files.length} images of ${side}² ran in batches of ${[...sizes].join(' and ')}`);
  return { ms: outputs[0]!.batchMs, cpuMs: outputs.reduce((sum, { cpuStages }) => sum + sumOf(cpuStages), 0) };
}
