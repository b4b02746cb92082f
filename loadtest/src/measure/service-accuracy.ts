import { decodeBulk } from '#contract/polygons-bulk.ts';
import { decodePolygons } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/results.ts';
import { rasterise } from '../../../service/src/inference/raster.ts';
import type { Accuracy } from '../contract.ts';
import { addressOf } from '#contract/client.ts';
import type { HttpClient } from '../drivers/http-client.ts';
import { measureAccuracy, type AccuracyItem } from '../judge/measure-accuracy.ts';

export interface LabelledImage {
  imageId: string;
  name: string;
  labelsPath: string;
}

const PAGE = 50;

/** Reads results as any client would, in the compact form and at full detail, and draws them one at a time. */
async function* drawnResults(
  client: HttpClient,
  images: readonly LabelledImage[],
  signal: AbortSignal,
): AsyncGenerator<AccuracyItem> {
  for (let at = 0; at < images.length; at += PAGE) {
    const page = images.slice(at, at + PAGE);
    const reply = await client.request(addressOf('POST /api/segmentation/batch/results'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: POLYGONS_MIME },
      body: JSON.stringify({ imageIds: page.map(({ imageId }) => imageId) }),
      signal,
    });
    if (reply.status !== 200)
      throw new Error(`accuracy: status ${reply.status}: ${reply.body.toString().slice(0, 200)}`);
    const { results } = decodeBulk(reply.body);
    for (const { imageId, name, labelsPath } of page) {
      const result = results.get(imageId);
      // An image that failed has no result; its code is in the report already.
      if (!result) continue;
      const { imageWidth: width = 0, imageHeight: height = 0 } = result.meta;
      const data = rasterise(decodePolygons(result.polygons), width, height);
      yield { name, labelsPath, found: { width, height, data } };
    }
  }
}

/** Scores the service's answers against label pictures; null where no image has both. */
export async function serviceAccuracy(
  client: HttpClient,
  images: readonly LabelledImage[],
  of: { dataset: string; split: string | null },
  signal: AbortSignal,
): Promise<Accuracy | null> {
  return images.length > 0 ? measureAccuracy(drawnResults(client, images, signal), of) : null;
}
