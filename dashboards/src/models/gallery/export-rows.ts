import type { Export, ExportFormat } from '#contract/exports.ts';
import { ApiError } from '../api.ts';
import { formatBytes, formatPercent } from '../format.ts';
import { WORDS } from '../../words/exports.ts';

export type { ExportFormat };
/** `unknown`: kept from before, and not read yet; `asked`: the service has not answered yet. */
export type ExportState = 'unknown' | 'asked' | Export['status'];
export interface ExportRow {
  /** `batch/format` */
  key: string;
  batchId: string;
  format: ExportFormat;
  /** Null until the service has taken it on. */
  id: string | null;
  state: ExportState;
  /** 0 to 1, by images. */
  progress: number;
  sizeBytes: number | null;
  error: string | null;
}
/** In the order in which they are offered. */
export const FORMATS = Object.keys(WORDS.format) as ExportFormat[];

export const rowOf = (batchId: string, format: ExportFormat): ExportRow => ({
  key: `${batchId}/${format}`,
  batchId,
  format,
  id: null,
  state: 'unknown',
  progress: 0,
  sizeBytes: null,
  error: null,
});

/** "CSV: 45 %". */
export function exportWords({ format, state, progress, sizeBytes, error }: ExportRow): string {
  const said = {
    unknown: WORDS.asked,
    asked: WORDS.asked,
    queued: WORDS.queued,
    running: formatPercent(progress),
    ready: WORDS.ready(formatBytes(sizeBytes ?? 0)),
    failed: WORDS.failed(error ?? ''),
  };
  return WORDS.row(WORDS.format[format].name, said[state]);
}

/** Whether asking again may help: no answer, a session that ended, too many requests, a service in trouble. */
export const mayPass = (cause: unknown): boolean =>
  !(cause instanceof ApiError) ||
  cause.statusCode < 400 ||
  cause.statusCode >= 500 ||
  [401, 408, 425, 429].includes(cause.statusCode);
