import { cellsOf, pathOf, type ExportRow } from './cells.ts';

export interface ExportContext {
  /** Side of a pixel in µm, where it is known. */
  pixelSizeUm: number | null;
}
/** A text file of one section or two, each made row by row in the same single pass over the results. */
export interface TextWriter {
  head: string;
  /** What a row adds to the first section, and to the second. */
  row(row: ExportRow): [string, string?];
  /** Between the sections; without it there is only one. */
  middle?: string;
  tail: string;
}

/** [x0, y0, x1, y1, …] → closed ring of pairs. Outlines run the way RFC 7946 section 3.1.6 asks for, read as numbers. */
function ringOf(points: readonly number[]): number[][] {
  const ring: number[][] = [];
  for (let at = 0; at < points.length; at += 2) ring.push([points[at]!, points[at + 1]!]);
  if (ring.length > 0) ring.push([...ring[0]!]);
  return ring;
}

/** A field that begins like a formula would be run as one by spreadsheets. */
export function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const csvLine = (fields: readonly (string | number | null)[]) => `${fields.map(csvField).join(',')}\r\n`;
const rounded = (value: number) => Number(value.toPrecision(8));

export function csv({ pixelSizeUm }: ExportContext): TextWriter {
  const square = pixelSizeUm === null ? null : pixelSizeUm * pixelSizeUm;
  const areas = (area: number | null) => {
    if (square === null) return [area];
    return [area, area === null ? null : rounded(area * square)];
  };
  const header = (...names: string[]) => csvLine([...names, 'areaPx', ...(square === null ? [] : ['areaUm2'])]);
  return {
    head: header('imageId', 'path', 'status', 'width', 'height', 'cellCount'),
    row(row) {
      const { imageId, status, width, height, result } = row;
      const cells = cellsOf(row);
      const area = result && cells.reduce((sum, cell) => sum + cell.area, 0);
      const lines = cells.map(({ id, confidence, bbox, holes, area: cellArea }) =>
        csvLine([imageId, pathOf(row), id, confidence, ...bbox, holes.length, ...areas(cellArea)]),
      );
      const image = [imageId, pathOf(row), status, width, height, result && cells.length, ...areas(area)];
      return [csvLine(image), lines.join('')];
    },
    middle: `\r\n${header('imageId', 'path', 'cellId', 'confidence', 'x', 'y', 'boxWidth', 'boxHeight', 'holes')}`,
    tail: '',
  };
}

export const ndjson = (): TextWriter => ({
  head: '',
  row: ({ result, imageId, name, relativePath, status }) => [
    `${JSON.stringify({ imageId, name, relativePath, status, result })}\n`,
  ],
  tail: '',
});

export function geojson(): TextWriter {
  let separator = '';
  const feature = (row: ExportRow) => {
    let text = '';
    for (const { id, points, holes, area, confidence } of cellsOf(row)) {
      const coordinates = [ringOf(points), ...holes.map((hole) => ringOf(hole.points))];
      const properties = {
        objectType: 'annotation',
        imageId: row.imageId,
        path: pathOf(row),
        cellId: id,
        areaPx: area,
        confidence,
      };
      text += `${separator}\n${JSON.stringify({ type: 'Feature', geometry: { type: 'Polygon', coordinates }, properties })}`;
      separator = ',';
    }
    return text;
  };
  return { head: '{"type":"FeatureCollection","features":[', row: (row) => [feature(row)], tail: '\n]}\n' };
}

/**
 * One ring around a cell and its holes: from a corner of the outline to the hole, around it, and back the same way. COCO polygons
 * know no holes, but the way there and back encloses nothing, so that every filler of polygons leaves them open.
 */
export function keyhole(points: readonly number[], holes: readonly { points: readonly number[] }[]): number[] {
  const ring = [...points];
  const [x, y] = [points[0]!, points[1]!];
  for (const hole of holes) ring.push(x, y, ...hole.points, hole.points[0]!, hole.points[1]!);
  if (holes.length > 0) ring.push(x, y);
  return ring;
}

/** COCO instances (cocodataset.org/#format-data). */
export function coco(): TextWriter {
  let image = 0;
  let annotation = 0;
  return {
    head: '{"info":{"description":"segbench export"},"licenses":[],"categories":[{"id":1,"name":"cell"}],"images":[',
    row(row) {
      image++;
      const entry = { id: image, file_name: pathOf(row), width: row.width, height: row.height };
      let annotations = '';
      for (const { points, holes, area, bbox, confidence } of cellsOf(row)) {
        annotation++;
        const one = {
          id: annotation,
          image_id: image,
          category_id: 1,
          iscrowd: 0,
          area,
          bbox,
          score: confidence,
          segmentation: [keyhole(points, holes)],
        };
        annotations += `${annotation > 1 ? ',' : ''}\n${JSON.stringify(one)}`;
      }
      return [`${image > 1 ? ',' : ''}\n${JSON.stringify(entry)}`, annotations];
    },
    middle: '\n],"annotations":[',
    tail: '\n]}\n',
  };
}
