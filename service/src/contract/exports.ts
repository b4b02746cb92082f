import { Type, type Static } from 'typebox';
import { Id, Literals, Nullable, Timestamp, closed } from './common.ts';

export const EXPORT_FORMATS = ['ndjson', 'geojson', 'coco', 'csv', 'labels-zip', 'imagej-rois'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
export const EXPORT_STATUSES = ['queued', 'running', 'ready', 'failed'] as const;

export const ExportBody = Type.Object({ format: Literals(EXPORT_FORMATS) }, closed);
export const Export = Type.Object({
  id: Id,
  batchId: Nullable(Id),
  format: Literals(EXPORT_FORMATS),
  status: Literals(EXPORT_STATUSES),
  /** 0-1 */
  progress: Type.Number(),
  fileName: Nullable(Type.String()),
  sizeBytes: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
  createdAt: Timestamp,
  finishedAt: Nullable(Timestamp),
});
export type Export = Static<typeof Export>;
