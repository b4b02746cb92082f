import { visitPolygons } from '#contract/polygons-format.ts';

export const OVERLAY_STROKE = '#3fe0c5';
export const OVERLAY_FILL = 'rgb(63 224 197 / 0.22)';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Fits a picture of `width` x `height` into a square of `size`, centred, as the thumbnail is. */
export function fit(width: number, height: number, size: number): { scale: number; x: number; y: number } {
  const scale = Math.min(size / width, size / height);
  return { scale, x: (size - width * scale) / 2, y: (size - height * scale) / 2 };
}

/**
 * Draws all polygons of one encoded result; holes are cut out of their parent's fill. One path a polygon: a single large path
 * is the slowest form. Returns how many were drawn.
 *
 * @throws RangeError when the bytes are truncated or corrupt.
 */
export function drawOverlay(
  context: Context,
  bytes: Uint8Array,
  place: { scale: number; x: number; y: number },
  lineWidth: number,
): number {
  let drawn = 0;
  context.lineWidth = lineWidth;
  // Round ones take a third more time, and no eye sees them on a line of a pixel.
  context.lineJoin = 'bevel';
  context.strokeStyle = OVERLAY_STROKE;
  visitPolygons(bytes, ({ points, length, internal }) => {
    context.beginPath();
    for (let i = 0; i < length; i += 2) {
      const x = (points[i] ?? 0) * place.scale + place.x;
      const y = (points[i + 1] ?? 0) * place.scale + place.y;
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.closePath();
    context.globalCompositeOperation = internal ? 'destination-out' : 'source-over';
    context.fillStyle = internal ? '#000' : OVERLAY_FILL;
    context.fill();
    context.globalCompositeOperation = 'source-over';
    context.stroke();
    drawn++;
  });
  return drawn;
}
