import type { ImageStatus } from '#contract/names.ts';
import type { Polygon, Result } from '#contract/results.ts';

/** One image of an exported batch. */
export interface ExportRow {
  imageId: string;
  name: string;
  relativePath: string | null;
  width: number;
  height: number;
  status: ImageStatus;
  result: Result | null;
}
/** A cell with its holes. Its `area` leaves them out already. */
export interface Cell extends Polygon {
  holes: Polygon[];
}

export const pathOf = (row: ExportRow): string => row.relativePath ?? row.name;

/** Cells in the order of the result, which numbers them 1, 2, … in label images. */
export function cellsOf(row: ExportRow): Cell[] {
  const cells = new Map<number, Cell>();
  for (const polygon of row.result?.polygons ?? [])
    if (polygon.type === 'external') cells.set(polygon.id, { ...polygon, holes: [] });
  for (const polygon of row.result?.polygons ?? [])
    if (polygon.type === 'internal' && polygon.parentId !== null) cells.get(polygon.parentId)?.holes.push(polygon);
  return [...cells.values()];
}
