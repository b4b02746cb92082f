import { encodePolygons } from '../contract/polygons-format.ts';
import { decodeGray } from './decode.ts';
import { failureOf } from './failure.ts';
import { polygonsOf } from './polygons.ts';
import type { InferenceOutput, InferenceRequest } from './pool/backend.ts';
import { runModel } from './probabilities.ts';
import type { ModelSession } from './session.ts';
import { findInstances } from './watershed.ts';
import { createWorkspaces } from './workspace.ts';

export type SegmentRequest = Pick<InferenceRequest, 'file' | 'threshold' | 'channel' | 'page' | 'detectHoles'>;
export type SegmentOutput = Omit<InferenceOutput, 'worker'>;

/** One image from file to encoded polygons, in this process. Calls must not overlap: planes are reused. */
export function createSegmenter(session: ModelSession, maxPixels: number) {
  const workspaces = createWorkspaces();

  /** `onProgress` is called after decoding and after each tile: a large image is slow, but never silent for long. */
  return async function segment(request: SegmentRequest, onProgress = () => {}): Promise<SegmentOutput> {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const image = await decodeGray(request.file, { ...request, maxPixels });
    const decoded = performance.now();
    onProgress();
    try {
      const { width, height } = image;
      const workspace = workspaces(width * height);
      const { normaliseMs, inferMs } = await runModel(session, image, workspace, { onTile: onProgress });
      const ran = performance.now();
      const { labels, count } = findInstances(workspace, width, height, request, workspace);
      const found = polygonsOf(labels, workspace.foreground, width, height, count);
      const traced = performance.now();
      const polygons = encodePolygons(found);
      const end = performance.now();
      const { user, system } = process.cpuUsage(cpu);
      return {
        imageWidth: width,
        imageHeight: height,
        polygonCount: found.reduce((cells, { type }) => cells + (type === 'external' ? 1 : 0), 0),
        polygons,
        stages: { decodeMs: decoded - start, normaliseMs, inferMs, polygonsMs: traced - ran, encodeMs: end - traced },
        executionMs: end - start,
        cpuMs: (user + system) / 1000,
      };
    } catch (error) {
      throw failureOf(error);
    }
  };
}
