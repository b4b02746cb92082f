import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Cells } from '../models/Cells.ts';
import { STATUS_LABELS, StatusMark } from './StatusMark.tsx';

/** One fixed cell of the grid. It is recycled: position and image change, the nodes stay. */
export function Cell(props: {
  cells: Cells;
  /** Index of the image in the store. */
  index: number;
  /** Place in the list as it is shown, for assistive technology. */
  position: number;
  setSize: number;
  x: number;
  y: number;
  width: number;
  pixels: number;
}) {
  const { cells, index, position, x, y, width, pixels } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const { imageId, status, code, colour, drawnPolygons } = cells.state(index).value;
  useLayoutEffect(() => {
    if (canvas.current) return cells.attach(index, canvas.current);
    return undefined;
    // The image at an index changes when the list is read anew.
  }, [index, imageId, pixels]);

  const found = drawnPolygons === null ? '' : drawnPolygons === 1 ? '1 cell' : `${drawnPolygons} cells`;
  const words = status === 'failed' && code ? code.toLowerCase().replaceAll('_', ' ') : STATUS_LABELS[status];
  return (
    <a
      class="cell"
      aria-roledescription="image"
      href={`/images/${imageId}`}
      aria-posinset={position + 1}
      aria-setsize={props.setSize}
      aria-label={`Image ${position + 1}: ${found || words}`}
      data-image-id={imageId}
      data-status={status}
      data-overlay={drawnPolygons === null ? undefined : 'drawn'}
      data-polygon-count={drawnPolygons ?? undefined}
      style={{ transform: `translate(${x}px, ${y}px)`, width: `${width}px` }}
    >
      <span class="picture" style={{ background: colour, width: `${width}px`, height: `${width}px` }}>
        <canvas ref={canvas} width={pixels} height={pixels} />
      </span>
      <span class="caption">
        <StatusMark status={status} />
        <span class="words">{found || words}</span>
        <span class="number">{position + 1}</span>
      </span>
    </a>
  );
}
