import { encodePolygons } from '../contract/polygons-format.ts';
import { decodeGray } from './decode.ts';
import { failureOf } from './failure.ts';
import { polygonsOf } from './polygons.ts';
import type { InferenceOutput, InferenceRequest, InferenceStages } from './pool/backend.ts';
import { runModel } from './probabilities.ts';
import type { ModelSession } from './session.ts';
import { createStopwatch, type Lap } from './stopwatch.ts';
import { warningsOf } from './statistics.ts';
import { findInstances } from './watershed.ts';
import { createWorkspaces } from './workspace.ts';

export type SegmentRequest = Pick<InferenceRequest, 'file' | 'threshold' | 'channel' | 'page' | 'detectHoles'>;
export interface SegmentOutput extends Omit<InferenceOutput, 'worker'> {
  /** Codes, see `warningsOf`. */
  warnings: string[];
}

type Laps = Record<'decode' | 'normalise' | 'infer' | 'polygons' | 'encode', Lap>;
const stagesOf = ({ decode, normalise, infer, polygons, encode }: Laps, of: (lap: Lap) => number): InferenceStages => ({
  decodeMs: of(decode),
  normaliseMs: of(normalise),
  inferMs: of(infer),
  polygonsMs: of(polygons),
  encodeMs: of(encode),
});

/** One image from file to encoded polygons, in this process. Calls must not overlap: planes are reused. */
export function createSegmenter(session: ModelSession, maxPixels: number) {
  const workspaces = createWorkspaces();

  /** `onProgress` is called after decoding and after each tile: a large image is slow, but never silent for long. */
  return async function segment(request: SegmentRequest, onProgress = () => {}): Promise<SegmentOutput> {
    const start = performance.now();
    const stopwatch = createStopwatch();
    const image = await decodeGray(request.file, { ...request, maxPixels });
    const decode = stopwatch.lap();
    onProgress();
    try {
      const { width, height } = image;
      const workspace = workspaces(width * height);
      const { normalise, infer, scale } = await runModel(session, image, workspace, { onTile: onProgress });
      const warnings = warningsOf(session.card.knows, image, scale);
      stopwatch.lap();
      const { labels, count } = findInstances(workspace, width, height, request, workspace, session.card.instances);
      const found = polygonsOf(labels, workspace.foreground, width, height, count);
      const trace = stopwatch.lap();
      const polygons = encodePolygons(found);
      const laps = { decode, normalise, infer, polygons: trace, encode: stopwatch.lap() };
      return {
        imageWidth: width,
        imageHeight: height,
        polygonCount: found.reduce((cells, { type }) => cells + (type === 'external' ? 1 : 0), 0),
        polygons,
        warnings,
        stages: stagesOf(laps, ({ wallMs }) => wallMs),
        cpuStages: stagesOf(laps, ({ cpuMs }) => cpuMs),
        executionMs: performance.now() - start,
      };
    } catch (error) {
      throw failureOf(error);
    }
  };
}
