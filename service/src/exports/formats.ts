import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import type { ExportFormat } from '#contract/exports.ts';
import { imagejRois, labels, type ArchiveWriter } from './archives.ts';
import type { ExportRow } from './cells.ts';
import { coco, csv, geojson, ndjson, type ExportContext, type TextWriter } from './texts.ts';
import { zip, type ZipEntry } from './zip.ts';

/** Rows come once: what belongs further down in the file waits in `spoolPath`, which the caller removes. */
type Write = (rows: AsyncIterable<ExportRow>, context: ExportContext, spoolPath: string) => AsyncIterable<Buffer>;
export interface ExportWriter {
  extension: string;
  mimeType: string;
  write: Write;
}

const PIECE_CHARACTERS = 64 * 1024;

const text = (create: (context: ExportContext) => TextWriter): Write =>
  async function* write(rows, context, spoolPath) {
    const writer = create(context);
    const spool = await open(spoolPath, 'wx');
    try {
      let first = writer.head;
      let second = '';
      for await (const row of rows) {
        const [own, later = ''] = writer.row(row);
        first += own;
        second += later;
        if (first.length >= PIECE_CHARACTERS) {
          yield Buffer.from(first);
          first = '';
        }
        if (second.length >= PIECE_CHARACTERS) {
          await spool.appendFile(second);
          second = '';
        }
      }
      await spool.appendFile(second);
      yield Buffer.from(first + (writer.middle ?? ''));
    } finally {
      await spool.close();
    }
    for await (const piece of createReadStream(spoolPath) as AsyncIterable<Buffer>) yield piece;
    yield Buffer.from(writer.tail);
  };

const archive = (create: ArchiveWriter): Write =>
  function write(rows, context, spoolPath) {
    const filesOf = create(context);
    async function* files(): AsyncGenerator<ZipEntry> {
      for await (const row of rows) yield* filesOf(row);
    }
    return zip(files(), spoolPath);
  };

export const EXPORT_WRITERS: Record<ExportFormat, ExportWriter> = {
  ndjson: { extension: 'ndjson', mimeType: 'application/x-ndjson', write: text(ndjson) },
  geojson: { extension: 'geojson', mimeType: 'application/geo+json', write: text(geojson) },
  coco: { extension: 'coco.json', mimeType: 'application/json', write: text(coco) },
  csv: { extension: 'csv', mimeType: 'text/csv; charset=utf-8', write: text(csv) },
  'labels-zip': { extension: 'labels.zip', mimeType: 'application/zip', write: archive(labels) },
  'imagej-rois': { extension: 'rois.zip', mimeType: 'application/zip', write: archive(imagejRois) },
};
