import { encodePolygons } from '#contract/polygons-format.ts';
import type { Api } from './api.ts';
import type { ResultView } from './result-cache.ts';

/** One result by its own request, as JSON, in the form in which the page keeps it. */
export async function readSingleResult(api: Api, imageId: string): Promise<Omit<ResultView, 'mark'>> {
  const result = await api.call('GET /api/images/{id}/segmentation', { path: { id: imageId } });
  const { imageWidth: width, imageHeight: height, polygonCount } = result;
  return { imageId, bytes: encodePolygons(result.polygons), width, height, polygonCount };
}
