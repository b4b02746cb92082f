import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Cells } from '../../models/gallery/Cells.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { Cell } from './Cell.tsx';

/** Sharper than this nobody sees on a cell of 160 px. */
const MAX_PIXEL_RATIO = 2;

/** A row of the grid: the picture that its cells share, and before it the cells. Lengths in CSS pixels. */
export function Row(props: {
  gallery: Gallery;
  /** Places [first, last) of the list as it is shown. */
  first: number;
  last: number;
  setSize: number;
  /** Place of the cell that the keyboard is at; -1: in another row. */
  active: number;
  y: number;
  cellWidth: number;
  /** From one cell's left edge to the next one's. */
  pitch: number;
}) {
  const { gallery, first, last, cellWidth, pitch } = props;
  void gallery.list.view.value;
  const indexes = Array.from({ length: last - first }, (_, n) => gallery.indexAt(first + n));
  return (
    <div class="grid-row" role="presentation" style={{ top: `${props.y}px` }}>
      <RowPicture cells={gallery.cells} indexes={indexes} cellWidth={cellWidth} pitch={pitch} />
      {indexes.map((index, n) => (
        <Cell
          key={n}
          cells={gallery.cells}
          index={index}
          place={first + n}
          setSize={props.setSize}
          active={first + n === props.active}
          x={n * pitch}
          width={cellWidth}
        />
      ))}
    </div>
  );
}

/**
 * Average colours, and on one canvas above them and the cells what is drawn: below the cells, all their words would need layers of their
 * own above it.
 */
function RowPicture(props: { cells: Cells; indexes: number[]; cellWidth: number; pitch: number }) {
  const { cells, indexes, cellWidth, pitch } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const states = indexes.map((index) => cells.state(index).value);
  const ratio = Math.min(MAX_PIXEL_RATIO, devicePixelRatio);
  const width = (indexes.length - 1) * pitch + cellWidth;
  const [widthPx, heightPx] = [Math.round(width * ratio), Math.round(cellWidth * ratio)];
  // The image at an index changes when the list is read anew.
  const shown = states.map(({ imageId }, n) => `${indexes[n]} ${imageId}`).join();
  useLayoutEffect(() => cells.attach(indexes, canvas.current!, pitch * ratio), [shown, widthPx, heightPx]);
  const colours = states.map(({ colour }, n) => `${colour} 0 ${n * pitch + cellWidth}px, #0000 0 ${(n + 1) * pitch}px`);
  return (
    <div
      class="row-picture"
      style={{
        width: `${width}px`,
        height: `${cellWidth}px`,
        background: `linear-gradient(90deg, ${colours.join(', ')})`,
      }}
    >
      <canvas ref={canvas} width={widthPx} height={heightPx} />
    </div>
  );
}
