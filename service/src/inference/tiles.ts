import type { Window } from './normalise.ts';

/** Images up to this side run whole; 1536² needs about 0.5 GB for the network's activations. */
export const MAX_TILE = 1536;
/** Pixels a tile sees past what it keeps. Changing one pixel changes logits up to 102 px away (measured, model 1). */
export const HALO = 128;

export interface Tile {
  /** What the network sees; may reach past the image's right and bottom border (padding). */
  window: Window;
  /** What is kept of it, in image coordinates. Kept parts of all tiles cover the image once. */
  keep: Window;
}

/**
 * Windows with sides that are multiples of `multiple`. A tile's origin is one too, so that the network's pooling grid
 * is the same as for the whole image, and the kept centres join without a seam: nothing needs to be blended.
 */
export function planTiles(width: number, height: number, multiple: number, maxTile = MAX_TILE, halo = HALO): Tile[] {
  if (maxTile % multiple !== 0 || halo % multiple !== 0 || maxTile <= 2 * halo)
    throw new RangeError(`tiles of ${maxTile} with halo ${halo} do not fit multiples of ${multiple}`);
  const columns = planAxis(width, multiple, maxTile, halo);
  const rows = planAxis(height, multiple, maxTile, halo);
  return rows.flatMap((row) =>
    columns.map((column) => ({
      window: { x: column.start, y: row.start, width: column.size, height: row.size },
      keep: { x: column.from, y: row.from, width: column.to - column.from, height: row.to - row.from },
    })),
  );
}

/** Name of the shape of an image's tensor; null where it takes several tiles. */
export function tileOf({ width, height }: { width: number; height: number }, multiple: number): string | null {
  const [{ window }, ...more] = planTiles(width, height, multiple) as [Tile, ...Tile[]];
  return more.length > 0 ? null : `${window.width}x${window.height}`;
}

function planAxis(length: number, multiple: number, maxTile: number, halo: number) {
  const padded = Math.ceil(length / multiple) * multiple;
  if (padded <= maxTile) return [{ start: 0, size: padded, from: 0, to: length }];
  const count = Math.ceil((padded - 2 * halo) / (maxTile - 2 * halo));
  const step = Math.ceil((padded - 2 * halo) / count / multiple) * multiple;
  return Array.from({ length: count }, (_, i) => {
    const start = i * step;
    const end = i === count - 1 ? padded : start + step + 2 * halo;
    return {
      start,
      size: end - start,
      from: i === 0 ? 0 : start + halo,
      to: i === count - 1 ? length : start + step + halo,
    };
  });
}
