import { InferenceFailure } from './failure.ts';
import type { GrayImage } from './decode.ts';
import { normaliseWindow, scaleOf, type Scale } from './normalise.ts';
import type { ModelSession, RunOptions } from './session.ts';
import { addLaps, createStopwatch, type Lap } from './stopwatch.ts';
import { planTiles, type Tile } from './tiles.ts';

/** Softmax of the network's output, row by row over the whole image. */
export interface Probabilities {
  interior: Float32Array;
  /** Interior and boundary together. */
  foreground: Float32Array;
}
export interface ProbabilityTimes {
  normalise: Lap;
  infer: Lap;
}
export interface ModelRun extends ProbabilityTimes {
  /** How the image was normalised. */
  scale: Scale;
}

/** Runs the model over the image, tile by tile where it is large. @throws InferenceFailure MODEL_ERROR. */
export async function runModel(
  session: ModelSession,
  image: GrayImage,
  out: Probabilities,
  options: { tiling?: { maxTile: number; halo: number }; onTile?: () => void; run?: RunOptions } = {},
): Promise<ModelRun> {
  const none = { wallMs: 0, cpuMs: 0 };
  const times: ProbabilityTimes = { normalise: none, infer: none };
  const stopwatch = createStopwatch();
  const scale = scaleOf(image.data);
  const { multipleOf, halo } = session.card.input;
  const { tiling } = options;
  const tiles = planTiles(image.width, image.height, multipleOf, tiling?.maxTile, tiling?.halo ?? halo);
  for (const tile of tiles) {
    const { width, height } = tile.window;
    const input = new Float32Array(width * height);
    normaliseWindow(image, scale, tile.window, input);
    times.normalise = addLaps(times.normalise, stopwatch.lap());
    const logits = await run(session, input, { width, height, count: 1 }, options.run);
    softmax(logits, tile, image.width, out);
    times.infer = addLaps(times.infer, stopwatch.lap());
    options.onTile?.();
  }
  return { ...times, scale };
}

async function run(
  session: ModelSession,
  input: Float32Array,
  { width, height, count }: { width: number; height: number; count: number },
  options?: RunOptions,
) {
  try {
    return await session.run(input, width, height, count, options);
  } catch (error) {
    if (error instanceof InferenceFailure) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const code = /allocat|memory/i.test(message) ? 'OUT_OF_MEMORY' : 'MODEL_ERROR';
    const batch = count === 1 ? '' : ` for ${count} images`;
    throw new InferenceFailure(code, `model at ${width}x${height}${batch}: ${message}`, { cause: error });
  }
}

/**
 * Runs the model once over several images whose tensors have one shape, none larger than a tile.
 * @returns `take`, which writes the probabilities of one of them; the time of the run is that of each, its CPU time is shared
 * @throws InferenceFailure MODEL_ERROR or OUT_OF_MEMORY of the run
 */
export async function runTogether(session: ModelSession, images: readonly GrayImage[], options?: RunOptions) {
  const tiles = images.map(({ width, height }) => planTiles(width, height, session.card.input.multipleOf)[0]!);
  const { width, height } = tiles[0]!.window;
  const size = width * height;
  const input = new Float32Array(images.length * size);
  const stopwatch = createStopwatch();
  const normalised = images.map((image, index) => {
    const plane = input.subarray(index * size, (index + 1) * size);
    const scale = scaleOf(image.data);
    normaliseWindow(image, scale, tiles[index]!.window, plane);
    return { normalise: stopwatch.lap(), scale };
  });
  const logits = await run(session, input, { width, height, count: images.length }, options);
  const { wallMs, cpuMs } = stopwatch.lap();
  return {
    take(index: number, out: Probabilities): ModelRun {
      const own = createStopwatch();
      softmax(logits.subarray(3 * index * size, 3 * (index + 1) * size), tiles[index]!, images[index]!.width, out);
      const infer = addLaps({ wallMs, cpuMs: cpuMs / images.length }, own.lap());
      return { ...normalised[index]!, infer };
    },
  };
}

/** @throws InferenceFailure MODEL_ERROR when anything that is kept is not a number */
function softmax(logits: Float32Array, { window, keep }: Tile, imageWidth: number, out: Probabilities): void {
  const plane = window.width * window.height;
  let total = 0;
  for (let row = 0; row < keep.height; row++) {
    let from = (keep.y - window.y + row) * window.width + (keep.x - window.x);
    let to = (keep.y + row) * imageWidth + keep.x;
    for (const end = to + keep.width; to < end; from++, to++) {
      const interior = logits[plane + from]!;
      const background = Math.exp(Math.min(logits[from]! - interior, 80));
      const boundary = Math.exp(Math.min(logits[2 * plane + from]! - interior, 80));
      const sum = 1 + background + boundary;
      out.interior[to] = 1 / sum;
      out.foreground[to] = (1 + boundary) / sum;
      total += sum;
    }
  }
  // One NaN makes the total one; nothing else does, for each sum is positive and far below infinity.
  if (Number.isNaN(total))
    throw new InferenceFailure('MODEL_ERROR', `model at ${window.width}x${window.height}: output is not a number`);
}
