import { encodePolygons } from '#contract/polygons-format.ts';
import type { Api } from '../api.ts';
import { isUnlike, type ResultView } from '../result-cache.ts';

/** One result by its own request, as JSON, in the form in which the page keeps it. */
export async function readSingleResult(api: Api, imageId: string): Promise<Omit<ResultView, 'mark'>> {
  const result = await api.call('GET /api/images/{id}/segmentation', { path: { id: imageId } });
  const { imageWidth: width, imageHeight: height, polygonCount } = result;
  const bytes = encodePolygons(result.polygons);
  return { imageId, bytes, width, height, polygonCount, unlike: isUnlike(result.warnings) };
}
