import { encodePolygons } from '../contract/polygons-format.ts';
import { decodeGray, type GrayImage } from './decode.ts';
import { failureOf, type InferenceFailure } from './failure.ts';
import { polygonsOf } from './polygons.ts';
import type { InferenceOutput, InferenceRequest, InferenceStages } from './pool/backend.ts';
import { runModel, runTogether, type ModelRun } from './probabilities.ts';
import type { ModelSession, RunOptions } from './session.ts';
import { createStopwatch, type Lap } from './stopwatch.ts';
import { warningsOf } from './statistics.ts';
import { tileOf } from './tiles.ts';
import { findInstances } from './watershed.ts';
import { createWorkspaces, type Workspace } from './workspace.ts';

export type SegmentRequest = Pick<InferenceRequest, 'file' | 'threshold' | 'channel' | 'page' | 'detectHoles'>;
export type SegmentOutput = Omit<InferenceOutput, 'worker' | 'queueMs' | 'batchSize' | 'batchMs'>;
export type SegmentResult = SegmentOutput | InferenceFailure;
/** The limits are those of each run of the model. */
export interface SegmentOptions extends RunOptions {
  /** Called after each decoding and each run: a large image is slow, but never silent for long. */
  onProgress?: () => void;
}

interface Decoded {
  /** Place in the batch. */
  index: number;
  request: SegmentRequest;
  image: GrayImage;
  decode: Lap;
}
type Laps = Record<'decode' | 'normalise' | 'infer' | 'polygons' | 'encode', Lap>;
const stagesOf = ({ decode, normalise, infer, polygons, encode }: Laps, of: (lap: Lap) => number): InferenceStages => ({
  decodeMs: of(decode),
  normaliseMs: of(normalise),
  inferMs: of(infer),
  polygonsMs: of(polygons),
  encodeMs: of(encode),
});
const sumOf = (stages: InferenceStages): number => Object.values(stages).reduce((sum, ms: number) => sum + ms, 0);

/**
 * Images from files to encoded polygons, in this process: those whose tensors have one shape go through the model together.
 * Calls must not overlap, for planes are reused.
 */
export function createSegmenter(session: ModelSession, maxPixels: number) {
  const workspaces = createWorkspaces();
  const { multipleOf } = session.card.input;

  function outputOf(
    { image, request, decode }: Decoded,
    workspace: Workspace,
    { scale, ...times }: ModelRun,
  ): SegmentOutput {
    const { width, height } = image;
    const warnings = warningsOf(session.card.knows, image, scale);
    const stopwatch = createStopwatch();
    const { labels, count } = findInstances(workspace, width, height, request, workspace, session.card.instances);
    const found = polygonsOf(labels, workspace.foreground, width, height, count);
    const trace = stopwatch.lap();
    const polygons = encodePolygons(found);
    const laps = { decode, ...times, polygons: trace, encode: stopwatch.lap() };
    const stages = stagesOf(laps, ({ wallMs }) => wallMs);
    return {
      imageWidth: width,
      imageHeight: height,
      polygonCount: found.reduce((cells, { type }) => cells + (type === 'external' ? 1 : 0), 0),
      polygons,
      warnings,
      stages,
      cpuStages: stagesOf(laps, ({ cpuMs }) => cpuMs),
      executionMs: sumOf(stages),
    };
  }
  async function alone(decoded: Decoded, { onProgress = () => {}, ...run }: SegmentOptions): Promise<SegmentResult> {
    const { image } = decoded;
    try {
      const workspace = workspaces(image.width * image.height);
      return outputOf(decoded, workspace, await runModel(session, image, workspace, { onTile: onProgress, run }));
    } catch (error) {
      return failureOf(error);
    }
  }
  /** @throws InferenceFailure when the run failed, and nobody knows by whom */
  async function together(group: readonly Decoded[], options: SegmentOptions): Promise<SegmentResult[]> {
    const run = await runTogether(
      session,
      group.map(({ image }) => image),
      options,
    );
    options.onProgress?.();
    return group.map((decoded, index) => {
      try {
        const workspace = workspaces(decoded.image.width * decoded.image.height);
        return outputOf(decoded, workspace, run.take(index, workspace));
      } catch (error) {
        return failureOf(error);
      }
    });
  }

  /** @returns in the order of the requests. @throws InferenceFailure when a run of several failed as a whole */
  return async function segment(
    requests: readonly SegmentRequest[],
    options: SegmentOptions = {},
  ): Promise<SegmentResult[]> {
    const results: SegmentResult[] = [];
    const groups = new Map<string, Decoded[]>();
    for (const [index, request] of requests.entries()) {
      const stopwatch = createStopwatch();
      try {
        const image = await decodeGray(request.file, { ...request, maxPixels });
        const key = tileOf(image, multipleOf) ?? `image ${index}`;
        groups.set(key, [...(groups.get(key) ?? []), { index, request, image, decode: stopwatch.lap() }]);
      } catch (error) {
        results[index] = failureOf(error);
      }
      options.onProgress?.();
    }
    for (const group of groups.values()) {
      const done = group.length === 1 ? [await alone(group[0]!, options)] : await together(group, options);
      for (const [place, { index }] of group.entries()) results[index] = done[place]!;
    }
    return results;
  };
}
export type Segmenter = ReturnType<typeof createSegmenter>;
