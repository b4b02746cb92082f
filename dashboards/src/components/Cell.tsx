import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Cells } from '../models/Cells.ts';
import { here } from '../models/root.ts';
import { WORDS } from '../words/gallery.ts';
import { STATUS_LABELS } from './StatusMark.tsx';

/** Id of the cell at a place of the list, for `aria-activedescendant`. */
export const cellId = (place: number): string => `image-${place}`;

/**
 * One fixed cell of the grid. It is recycled: place and image change, the nodes stay. Four nodes; the sign of its status and its number
 * are drawn by the style sheet.
 */
export function Cell(props: {
  cells: Cells;
  /** Index of the image in the store. */
  index: number;
  /** Place in the list as it is shown. */
  place: number;
  setSize: number;
  active: boolean;
  x: number;
  y: number;
  width: number;
  pixels: number;
}) {
  const { cells, index, place, x, y, width, pixels } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const { imageId, status, code, colour, drawnPolygons, picked, unlike, name } = cells.state(index).value;
  useLayoutEffect(() => {
    if (canvas.current) return cells.attach(index, canvas.current);
    return undefined;
    // The image at an index changes when the list is read anew.
  }, [index, imageId, pixels]);

  const found = drawnPolygons === null ? '' : WORDS.cell.found(drawnPolygons);
  const words =
    found || (status === 'failed' && code ? code.toLowerCase().replaceAll('_', ' ') : STATUS_LABELS[status]);
  return (
    <a
      class="cell"
      id={cellId(place)}
      role="option"
      tabIndex={-1}
      href={here(`/images/${imageId}`)}
      title={name ?? undefined}
      aria-posinset={place + 1}
      aria-setsize={props.setSize}
      aria-selected={picked}
      aria-label={WORDS.cell.label(place + 1, name, words, unlike)}
      data-image-id={imageId}
      data-status={status}
      data-active={props.active ? '' : undefined}
      data-unlike={unlike ? '' : undefined}
      data-overlay={drawnPolygons === null ? undefined : 'drawn'}
      data-polygon-count={drawnPolygons ?? undefined}
      style={{
        transform: `translate(${x}px, ${y}px)`,
        width: `${width}px`,
        // Behind the canvas, which is out of the way while cells rush by.
        background: colour,
      }}
    >
      <canvas ref={canvas} width={pixels} height={pixels} style={{ height: `${width}px` }} />
      <span class="tick" />
      <span class="words">{name ?? words}</span>
    </a>
  );
}
