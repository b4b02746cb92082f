import { boxOf, coverage } from '../inference/scanline.ts';
import type { Cell } from './cells.ts';

/** Bytes of a strip: what a label image of any size takes in memory at once. */
const STRIP_BYTES = 512 * 1024;
const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
const CENTIMETRE = 3;
const ENTRY_BYTES = 12;

export interface LabelImage {
  width: number;
  height: number;
  cells: readonly Pick<Cell, 'points' | 'holes'>[];
  pixelSizeUm: number | null;
}

/**
 * A TIFF label image piece by piece: 0 background, k the k-th cell, later cells over earlier ones, holes left out; a pixel belongs to
 * a cell when its centre does. 16 bits, 32 where a cell would have no number otherwise. Strips are not compressed, so that the
 * header knows where each lies before the first is made; the archive around it compresses.
 */
export function* labelImage(image: LabelImage): Generator<Buffer> {
  const { width, height, cells } = image;
  const bytesPerPixel = cells.length > 0xffff ? 4 : 2;
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / (width * bytesPerPixel))));
  yield header(image, bytesPerPixel, rows);
  const shapes = cells.map(({ points, holes }, index) => {
    const rings = [points, ...holes.map((hole) => hole.points)];
    return { rings, box: boxOf(rings, width, height), label: index + 1 };
  });
  for (let top = 0; top < height; top += rows) {
    const bottom = Math.min(height, top + rows);
    const strip = new (bytesPerPixel === 4 ? Uint32Array : Uint16Array)(width * (bottom - top));
    for (const { rings, box, label } of shapes) {
      const part = { ...box, top: Math.max(top, box.top), bottom: Math.min(bottom, box.bottom) };
      if (part.top >= part.bottom) continue;
      const covered = coverage(rings, part);
      const stride = part.right - part.left + 1;
      for (let y = part.top; y < part.bottom; y++) {
        const from = (y - part.top) * stride - part.left;
        const to = (y - top) * width;
        for (let x = part.left; x < part.right; x++) if (covered[from + x] === 1) strip[to + x] = label;
      }
    }
    yield Buffer.from(strip.buffer);
  }
}

/** Little endian like the machine, one directory, then the strips. */
function header({ width, height, pixelSizeUm }: LabelImage, bytesPerPixel: number, rows: number): Buffer {
  const strips = Math.ceil(height / rows);
  const rowBytes = width * bytesPerPixel;
  const fields: [tag: number, type: number, values: number[]][] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, [bytesPerPixel * 8]],
    [259, SHORT, [1]],
    [262, SHORT, [1]],
    [273, LONG, []],
    [277, SHORT, [1]],
    [278, LONG, [rows]],
    [279, LONG, Array.from({ length: strips }, (_, i) => Math.min(rows, height - i * rows) * rowBytes)],
  ];
  if (pixelSizeUm !== null) {
    const side = Math.min(0xffff_ffff, Math.max(1, Math.round(pixelSizeUm * 1e5)));
    const perCentimetre = [1e9, side];
    fields.push([282, RATIONAL, perCentimetre], [283, RATIONAL, perCentimetre], [296, SHORT, [CENTIMETRE]]);
  }
  fields.push([339, SHORT, [1]]);
  const directory = 2 + fields.length * ENTRY_BYTES + 4;
  const outside = 2 * (strips > 1 ? strips * 4 : 0) + (pixelSizeUm === null ? 0 : 16);
  const data = 8 + directory + outside;
  fields[5]![2] = Array.from({ length: strips }, (_, i) => data + i * rows * rowBytes);

  const bytes = Buffer.alloc(data);
  bytes.write('II', 0, 'latin1');
  bytes.writeUInt16LE(42, 2);
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(fields.length, 8);
  let free = 8 + directory;
  fields.forEach(([tag, type, values], index) => {
    const at = 10 + index * ENTRY_BYTES;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(type === RATIONAL ? 1 : values.length, at + 4);
    if (type === SHORT) bytes.writeUInt16LE(values[0]!, at + 8);
    else if (values.length === 1) bytes.writeUInt32LE(values[0]!, at + 8);
    else {
      bytes.writeUInt32LE(free, at + 8);
      for (const value of values) free = bytes.writeUInt32LE(value, free);
    }
  });
  return bytes;
}
