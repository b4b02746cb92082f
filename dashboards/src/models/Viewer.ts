import { signal } from '@preact/signals';
import { decodeBulk, visitPolygons } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { Image } from '#contract/images.ts';
import type { Api } from './api.ts';

export interface Outline {
  id: number;
  internal: boolean;
  area: number;
  confidence: number;
  path: Path2D;
}
export interface ViewerResult {
  width: number;
  height: number;
  polygonCount: number;
  model: string;
  outlines: Outline[];
}

/** One image with its result as paths in image pixels. */
export function createViewer(deps: { api: Api; imageId: string; newPath: () => Path2D }) {
  const { api, imageId, newPath } = deps;
  const image = signal<Image | null>(null);
  const result = signal<ViewerResult | null>(null);
  const error = signal<string | null>(null);
  const selected = signal<number | null>(null);

  async function readResult(): Promise<void> {
    const post = { imageIds: [imageId] };
    const reply = decodeBulk(
      await api.bytes('POST /api/segmentation/batch/results', { body: post, accept: POLYGONS_MIME }),
    );
    const found = reply.results.get(imageId);
    if (!found) return;
    const outlines: Outline[] = [];
    visitPolygons(found.polygons, ({ id, internal, area, confidence, points, length }) => {
      const path = newPath();
      for (let i = 0; i < length; i += 2) {
        if (i === 0) path.moveTo(points[i] ?? 0, points[i + 1] ?? 0);
        else path.lineTo(points[i] ?? 0, points[i + 1] ?? 0);
      }
      path.closePath();
      outlines.push({ id, internal, area, confidence, path });
    });
    const { imageWidth = 1, imageHeight = 1, polygonCount = 0, model = '', modelVersion = '' } = found.meta;
    result.value = {
      width: imageWidth,
      height: imageHeight,
      polygonCount,
      model: `${model} ${modelVersion}`.trim() + (modelVersion.includes('-sim-') ? ' (simulated)' : ''),
      outlines,
    };
  }
  return {
    image,
    result,
    error,
    selected,
    async start(): Promise<void> {
      try {
        image.value = await api.call('GET /api/images/{id}', { path: { id: imageId } });
        await readResult();
      } catch (cause) {
        error.value = cause instanceof Error ? cause.message : String(cause);
      }
    },
  };
}
export type Viewer = ReturnType<typeof createViewer>;
