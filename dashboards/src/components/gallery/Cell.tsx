import type { Cells } from '../../models/gallery/Cells.ts';
import { here } from '../../models/root.ts';
import { WORDS } from '../../words/gallery.ts';
import { STATUS_LABELS } from '../StatusMark.tsx';

/** Id of the cell at a place of the list, for `aria-activedescendant`. */
export const cellId = (place: number): string => `image-${place}`;

/**
 * One fixed cell of the grid, before the picture that its row has drawn. Where another image comes to its place, the nodes stay. Four
 * nodes; the sign of its status and its number are drawn by the style sheet.
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
  width: number;
}) {
  const { cells, index, place, x, width } = props;
  const { imageId, status, code, drawnPolygons, picked, unlike, name } = cells.state(index).value;

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
      style={{ left: `${x}px`, width: `${width}px` }}
    >
      <span class="picture" />
      <span class="tick" />
      <span class="words">{name ?? words}</span>
    </a>
  );
}
