import { Type, type Static } from 'typebox';
import { Id, Literals, Nullable, Timestamp, closed } from './common.ts';

export const EXPORT_FORMATS = ['ndjson', 'geojson', 'coco', 'csv', 'labels-zip', 'imagej-rois'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_STATUSES = ['queued', 'running', 'ready', 'failed'] as const;

const Format = Literals(EXPORT_FORMATS, {
  description:
    'ndjson: a line an image with its result · geojson: a polygon a cell · coco: COCO instances · csv: a table per image, an empty line, a table per cell, µm² where the pixel size is known · labels-zip: a 16-bit TIFF an image, each cell its own number · imagej-rois: a ROI file a cell, a folder an image. docs/exports.md tells every field.',
});

export const ExportBody = Type.Object({ format: Format }, closed);
export const Export = Type.Object({
  id: Id,
  batchId: Nullable(Id),
  format: Format,
  status: Literals(EXPORT_STATUSES, {
    description: 'queued: nobody writes it yet · running · ready: the file is there · failed: see error',
  }),
  progress: Type.Number({ description: 'share of the images that are written, 0 to 1; 1 only when the file is ready' }),
  fileName: Nullable(Type.String()),
  sizeBytes: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
  createdAt: Timestamp,
  finishedAt: Nullable(Timestamp),
  downloadUrl: Type.Optional(
    Type.String({ description: 'Signed address of the file, once it is ready; needs no key until it expires' }),
  ),
});
export type Export = Static<typeof Export>;
