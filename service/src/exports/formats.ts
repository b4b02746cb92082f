import type { Polygon } from '#contract/results.ts';
import type { ExportFormat } from '#contract/exports.ts';
import type { ExportRow } from './rows.ts';

export interface ExportContext {
  /** Side of a pixel in µm, where it is known. */
  pixelSizeUm: number | null;
}
/** Writes a whole export. `rows` may be asked for more than once, and starts again each time. */
export interface ExportWriter {
  extension: string;
  mimeType: string;
  write(rows: () => AsyncIterable<ExportRow>, context: ExportContext): AsyncIterable<string>;
}

/** [x0, y0, x1, y1, …] → closed ring of pairs (RFC 7946 section 3.1.6, without its sense of rotation: pixels have y down). */
function ringOf(points: readonly number[]): number[][] {
  const ring: number[][] = [];
  for (let at = 0; at < points.length; at += 2) ring.push([points[at]!, points[at + 1]!]);
  if (ring.length > 0) ring.push([...ring[0]!]);
  return ring;
}

const externals = (polygons: readonly Polygon[]) => polygons.filter(({ type }) => type === 'external');
const holesOf = (polygons: readonly Polygon[], id: number) =>
  polygons.filter(({ type, parentId }) => type === 'internal' && parentId === id);
/** Square pixels inside a cell, its holes taken out. */
export const netArea = (polygons: readonly Polygon[], cell: Polygon): number =>
  holesOf(polygons, cell.id).reduce((area, hole) => area - hole.area, cell.area);
const pathOf = (row: ExportRow) => row.relativePath ?? row.name;

/** A field that begins like a formula would be run as one by spreadsheets. */
export function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const csvLine = (fields: readonly (string | number | null)[]) => `${fields.map(csvField).join(',')}\r\n`;
const rounded = (value: number) => Number(value.toPrecision(8));

async function* csv(rows: () => AsyncIterable<ExportRow>, { pixelSizeUm }: ExportContext): AsyncGenerator<string> {
  const square = pixelSizeUm === null ? null : pixelSizeUm * pixelSizeUm;
  const um2 = (area: number) => (square === null ? [] : [rounded(area * square)]);
  const header = (names: string[]) => csvLine(square === null ? names : [...names, 'areaUm2']);
  yield header(['imageId', 'path', 'status', 'width', 'height', 'cellCount', 'areaPx']);
  for await (const row of rows()) {
    const { imageId, status, width, height, result } = row;
    const cells = externals(result?.polygons ?? []);
    const area = cells.reduce((sum, cell) => sum + netArea(result?.polygons ?? [], cell), 0);
    const measures = result
      ? [cells.length, rounded(area), ...um2(area)]
      : [null, null, ...(square === null ? [] : [null])];
    yield csvLine([imageId, pathOf(row), status, width, height, ...measures]);
  }
  yield '\r\n';
  yield header(['imageId', 'path', 'cellId', 'confidence', 'x', 'y', 'boxWidth', 'boxHeight', 'holes', 'areaPx']);
  for await (const row of rows())
    for (const cell of externals(row.result?.polygons ?? [])) {
      const polygons = row.result!.polygons;
      const area = netArea(polygons, cell);
      const holes = holesOf(polygons, cell.id).length;
      yield csvLine([
        row.imageId,
        pathOf(row),
        cell.id,
        cell.confidence,
        ...cell.bbox,
        holes,
        rounded(area),
        ...um2(area),
      ]);
    }
}

async function* ndjson(rows: () => AsyncIterable<ExportRow>): AsyncGenerator<string> {
  for await (const row of rows()) {
    const { result, imageId, name, relativePath, status } = row;
    yield `${JSON.stringify({ imageId, name, relativePath, status, result })}\n`;
  }
}

async function* geojson(rows: () => AsyncIterable<ExportRow>): AsyncGenerator<string> {
  yield '{"type":"FeatureCollection","features":[';
  let separator = '';
  for await (const row of rows())
    for (const cell of externals(row.result?.polygons ?? [])) {
      const polygons = row.result!.polygons;
      const rings = [ringOf(cell.points), ...holesOf(polygons, cell.id).map((hole) => ringOf(hole.points))];
      const properties = {
        objectType: 'annotation',
        imageId: row.imageId,
        path: pathOf(row),
        cellId: cell.id,
        areaPx: netArea(polygons, cell),
        confidence: cell.confidence,
      };
      yield `${separator}\n${JSON.stringify({ type: 'Feature', geometry: { type: 'Polygon', coordinates: rings }, properties })}`;
      separator = ',';
    }
  yield '\n]}\n';
}

/** COCO instances (cocodataset.org/#format-data). Its polygons know no holes: they are left out of the outline, and in the area. */
async function* coco(rows: () => AsyncIterable<ExportRow>): AsyncGenerator<string> {
  yield '{"info":{"description":"segbench export"},"licenses":[],"categories":[{"id":1,"name":"cell"}],"images":[';
  let id = 0;
  for await (const row of rows()) {
    id++;
    const image = { id, file_name: pathOf(row), width: row.width, height: row.height };
    yield `${id > 1 ? ',' : ''}\n${JSON.stringify(image)}`;
  }
  yield '\n],"annotations":[';
  let imageNumber = 0;
  let annotation = 0;
  for await (const row of rows()) {
    imageNumber++;
    const polygons = row.result?.polygons ?? [];
    for (const cell of externals(polygons)) {
      annotation++;
      const entry = {
        id: annotation,
        image_id: imageNumber,
        category_id: 1,
        iscrowd: 0,
        area: netArea(polygons, cell),
        bbox: cell.bbox,
        score: cell.confidence,
        segmentation: [cell.points],
      };
      yield `${annotation > 1 ? ',' : ''}\n${JSON.stringify(entry)}`;
    }
  }
  yield '\n]}\n';
}

export const EXPORT_WRITERS: Partial<Record<ExportFormat, ExportWriter>> = {
  ndjson: { extension: 'ndjson', mimeType: 'application/x-ndjson', write: ndjson },
  geojson: { extension: 'geojson', mimeType: 'application/geo+json', write: geojson },
  coco: { extension: 'coco.json', mimeType: 'application/json', write: coco },
  csv: { extension: 'csv', mimeType: 'text/csv; charset=utf-8', write: csv },
};
