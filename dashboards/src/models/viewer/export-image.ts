import type { Image } from '#contract/images.ts';
import type { Result } from '#contract/results.ts';
import { coco, csv, geojson } from '../../../../service/src/exports/texts.ts';

export const IMAGE_EXPORTS = {
  csv: { extension: 'csv', type: 'text/csv' },
  geojson: { extension: 'geojson', type: 'application/geo+json' },
  coco: { extension: 'coco.json', type: 'application/json' },
} as const;
export type ImageExport = keyof typeof IMAGE_EXPORTS;

/** One image in the text of a batch's export: the same writers make both. */
export function textOf(format: ImageExport, image: Image, result: Result | null, pixelSizeUm: number | null): string {
  const writer = { csv, geojson, coco }[format]({ pixelSizeUm });
  const { id: imageId, name, relativePath, width, height, status } = image;
  const [own, later = ''] = writer.row({ imageId, name, relativePath, width, height, status, result });
  return writer.head + own + (writer.middle ?? '') + later + writer.tail;
}
