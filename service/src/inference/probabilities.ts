import { InferenceFailure } from './failure.ts';
import type { GrayImage } from './decode.ts';
import { normaliseWindow, scaleOf, type Scale } from './normalise.ts';
import type { ModelSession } from './session.ts';
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
  options: { tiling?: { maxTile: number; halo: number }; onTile?: () => void } = {},
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
    const logits = await session.run(input, width, height).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const code = /allocat|memory/i.test(message) ? 'OUT_OF_MEMORY' : 'MODEL_ERROR';
      throw new InferenceFailure(code, `model at ${width}x${height}: ${message}`, { cause: error });
    });
    softmax(logits, tile, image.width, out);
    times.infer = addLaps(times.infer, stopwatch.lap());
    options.onTile?.();
  }
  return { ...times, scale };
}

function softmax(logits: Float32Array, { window, keep }: Tile, imageWidth: number, out: Probabilities): void {
  const plane = window.width * window.height;
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
    }
  }
  // One NaN in a layer spreads over the whole tile: looking at one pixel is enough.
  if (Number.isNaN(out.interior[keep.y * imageWidth + keep.x]))
    throw new InferenceFailure('MODEL_ERROR', `model at ${window.width}x${window.height}: output is not a number`);
}
