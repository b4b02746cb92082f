import { safeEntryName } from './entry-name.ts';
import { labelImage } from './label-image.ts';
import { encodeRoi } from './roi.ts';
import { cellsOf, pathOf, type ExportRow } from './cells.ts';
import type { ExportContext } from './texts.ts';
import type { ZipEntry } from './zip.ts';

/** The files that a row adds to an archive. */
export type ArchiveWriter = (context: ExportContext) => (row: ExportRow) => Iterable<ZipEntry>;

/**
 * A name for each image that no other has: its path without the extension, safe to unpack, and `~` with its id where that is taken, upper and lower
 * case being the same on some disks.
 */
export function uniqueStems(): (row: ExportRow) => string {
  const taken = new Set<string>();
  return (row) => {
    const plain = safeEntryName(pathOf(row).replace(/(?<=[^/])\.[^./]*$/, ''));
    const stem = taken.has(plain.toLowerCase()) ? `${plain}~${row.imageId}` : plain;
    taken.add(stem.toLowerCase());
    return stem;
  };
}

/** A label image for each image that has a result; one of zeros where no cell was found. */
export const labels: ArchiveWriter = ({ pixelSizeUm }) => {
  const stemOf = uniqueStems();
  return function* files(row) {
    if (!row.result) return;
    const { imageWidth: width, imageHeight: height } = row.result;
    yield { name: `${stemOf(row)}.tif`, content: labelImage({ width, height, cells: cellsOf(row), pixelSizeUm }) };
  };
};

/** A folder for each image, in it a file for each cell. */
export const imagejRois: ArchiveWriter = () => {
  const stemOf = uniqueStems();
  return function* files(row) {
    if (!row.result) return;
    const stem = stemOf(row);
    for (const cell of cellsOf(row))
      yield { name: `${stem}/${String(cell.id).padStart(4, '0')}.roi`, content: encodeRoi(cell) };
  };
};
