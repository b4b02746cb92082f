import { batch, signal, type Signal } from '@preact/signals';
import type { FailureCode, ImageStatus } from '#contract/names.ts';
import type { FrameScheduler } from './frame-queue.ts';
import type { ImageStore } from '../ImageStore.ts';
import type { Overlay } from './Overlays.ts';
import type { ResultView } from '../result-cache.ts';

export interface CellState {
  imageId: string;
  status: ImageStatus;
  code: FailureCode | null;
  colour: string;
  /** Cells found, once the overlay of the current result is painted; null before. */
  drawnPolygons: number | null;
  picked: boolean;
  /** The model had not been trained on images like this one. */
  unlike: boolean;
  /** Known while images are looked for by name. */
  name: string | null;
}
/** What a row's cells show, on one canvas. */
interface RowSurface {
  indexes: number[];
  canvas: HTMLCanvasElement;
  /** Device pixels from one picture's left edge to the next one's. */
  pitch: number;
  /** The average colours behind it are all that is seen: it rushes by, or waits for its turn. */
  veiled: boolean;
  /** The pictures on the canvas, two a cell; null where it shows what a recycled one did before. */
  shown: readonly (ImageBitmap | undefined)[] | null;
}
interface Surface {
  state: Signal<CellState>;
  row: RowSurface | null;
}

/** Pictures and outlines come one by one: a frame for each of them would take longer than drawing it. */
const GATHER_MS = 40;

type Context2d = Pick<CanvasDrawImage, 'drawImage'>;
export type Cells = ReturnType<typeof createCells>;

/** The cells that exist in the page right now: one signal each for what they say, one canvas a row for what they show. */
export function createCells(deps: {
  store: ImageStore;
  frames: FrameScheduler;
  result: (imageId: string) => ResultView | undefined;
  thumbnail: (imageId: string) => ImageBitmap | undefined;
  overlay: (imageId: string, mark: number, size: number) => Overlay | undefined;
  staleOverlay: (imageId: string) => Overlay | undefined;
  /** False while cells rush by. */
  calm: () => boolean;
  name: (imageId: string) => string | null;
  requestOverlay: (imageId: string, view: ResultView, size: number) => void;
  /** Shows on a canvas what is drawn, in place of what it showed. */
  present: (canvas: HTMLCanvasElement, draw: (context: Context2d) => void) => void;
}) {
  const { store } = deps;
  const surfaces = new Map<number, Surface>();
  /** Positions that have stayed visible; only for these is work begun. */
  let settled: ReadonlySet<number> = new Set();

  /** Painted in a moment: something has come for them, or they came into the page during a slow scroll and are out of sight still. */
  const soon = new Set<RowSurface>();
  /** Canvases that have shown something; the others are empty. */
  const used = new WeakSet<HTMLCanvasElement>();

  const read = (i: number, drawnPolygons: number | null, imageId = store.idAt(i)): CellState => ({
    imageId,
    status: store.statusAt(i),
    code: store.codeAt(i),
    colour: store.colourAt(i),
    drawnPolygons,
    picked: store.isPicked(i),
    unlike: store.isUnlike(i),
    name: deps.name(imageId),
  });
  function surfaceOf(i: number): Surface {
    let surface = surfaces.get(i);
    if (!surface) surfaces.set(i, (surface = { state: signal(read(i, null)), row: null }));
    return surface;
  }

  /** Thumbnail, then overlay, above the average colours: draws what there is unless it is there, and says in the cells' state what that was. */
  function paintRow(row: RowSurface): void {
    soon.delete(row);
    const { indexes, canvas, pitch } = row;
    const pictures = row.veiled ? [] : indexes.map((i) => pictureOf(i, canvas.height));
    const shows = pictures.flatMap(({ thumbnail, overlay }) => [thumbnail, overlay]);
    if (!row.veiled && (!row.shown || shows.some((bitmap, n) => bitmap !== row.shown![n]))) {
      row.shown = shows;
      used.add(canvas);
      deps.present(canvas, (context) => {
        for (const [n, { thumbnail, overlay }] of pictures.entries()) {
          const left = Math.round(n * pitch);
          if (thumbnail) drawContained(context, thumbnail, left, canvas.height);
          if (overlay) context.drawImage(overlay, left, 0, canvas.height, canvas.height);
        }
      });
    }
    batch(() => {
      for (const [n, i] of indexes.entries()) {
        const surface = surfaces.get(i);
        if (surface?.row === row) say(surface, read(i, pictures[n]?.polygons ?? null));
      }
    });
  }
  /** `polygons`: cells found, once the overlay of the current result is there. */
  function pictureOf(i: number, size: number) {
    const imageId = store.idAt(i);
    const thumbnail = deps.thumbnail(imageId);
    const overlay = currentOverlay(i, imageId, size);
    const isCurrent = overlay?.mark === store.markAt(i) && store.isCompleted(i);
    return { thumbnail, overlay: overlay?.bitmap, polygons: isCurrent ? deps.result(imageId)?.polygonCount : null };
  }
  function say({ state }: Surface, next: CellState): void {
    if (!sameState(state.peek(), next)) state.value = next;
  }
  function currentOverlay(i: number, imageId: string, size: number): Overlay | undefined {
    const view = deps.result(imageId);
    if (!store.isCompleted(i) || !view) return store.isCompleted(i) ? deps.staleOverlay(imageId) : undefined;
    const overlay = deps.overlay(imageId, view.mark, size);
    if (!overlay && settled.has(i)) deps.requestOverlay(imageId, view, size);
    return overlay ?? deps.staleOverlay(imageId);
  }
  function unveil(row: RowSurface): void {
    row.veiled = false;
    row.canvas.style.visibility = 'visible';
    paintRow(row);
  }
  function paintLater(row: RowSurface): void {
    if (soon.has(row)) return;
    // No frame is asked for: a hidden tab has none, and is to be right when it is looked at.
    if (soon.add(row).size === 1) deps.frames.after(GATHER_MS, paintWaiting);
  }
  const paintWaiting = (): void => batch(() => soon.forEach(unveil));
  function paint(indexes: Iterable<number>): void {
    const rows = new Set<RowSurface>();
    batch(() => {
      for (const i of indexes) {
        const surface = surfaces.get(i);
        if (surface?.row) rows.add(surface.row);
        else if (surface) say(surface, read(i, null));
      }
      rows.forEach(paintRow);
    });
  }
  return {
    state: (i: number): Signal<CellState> => surfaceOf(i).state,
    /** Gives a row of positions their canvas, as high as a picture; the returned function takes it away. `pitch` as in `RowSurface`. */
    attach(indexes: number[], canvas: HTMLCanvasElement, pitch: number): () => void {
      const calm = deps.calm();
      const waits = calm && indexes.some((i) => deps.thumbnail(store.idAt(i)) !== undefined);
      const row = { indexes, canvas, pitch, veiled: waits || !calm, shown: used.has(canvas) ? null : [] };
      // A recycled canvas still shows the images that it was used for before.
      canvas.style.visibility = row.veiled ? 'hidden' : 'visible';
      for (const i of indexes) surfaceOf(i).row = row;
      paintRow(row);
      if (!calm) soon.clear();
      else if (waits) paintLater(row);
      return () => {
        soon.delete(row);
        for (const i of indexes) {
          const surface = surfaces.get(i);
          if (surface?.row === row) surface.row = null;
        }
      };
    },
    /** Forgets all cells but these; called when others have become visible. */
    keep(positions: ReadonlySet<number>): void {
      for (const i of surfaces.keys()) if (!positions.has(i)) surfaces.delete(i);
    },
    /** Draws these now, as far as they are in the page. */
    paint,
    /** Draws this one in a moment, with whatever else has come for its row by then. */
    paintSoon(i: number): void {
      const row = surfaces.get(i)?.row;
      if (row && !row.veiled) paintLater(row);
    },
    /** Draws at once what would be drawn in a moment: nothing else comes. */
    paintWaiting,
    /** What a cell says has changed, not what it shows. */
    refresh(i: number): void {
      const surface = surfaces.get(i);
      if (surface) say(surface, read(i, surface.state.peek().drawnPolygons));
    },
    settle(positions: number[]): void {
      const before = settled;
      settled = new Set(positions);
      const rows = new Set<RowSurface>();
      for (const [i, { row, state }] of surfaces) {
        const isWhole = state.peek().drawnPolygons !== null;
        if (row && (row.veiled || (!isWhole && !before.has(i)))) rows.add(row);
      }
      batch(() => rows.forEach(unveil));
    },
    paintAll: (): void => paint(surfaces.keys()),
    get size() {
      return surfaces.size;
    },
  };
}

function drawContained(context: Context2d, bitmap: ImageBitmap, left: number, size: number): void {
  const scale = Math.min(size / bitmap.width, size / bitmap.height);
  const width = bitmap.width * scale;
  const height = bitmap.height * scale;
  context.drawImage(bitmap, left + (size - width) / 2, (size - height) / 2, width, height);
}

const sameState = (a: CellState, b: CellState): boolean =>
  a.imageId === b.imageId &&
  a.status === b.status &&
  a.code === b.code &&
  a.colour === b.colour &&
  a.drawnPolygons === b.drawnPolygons &&
  a.picked === b.picked &&
  a.unlike === b.unlike &&
  a.name === b.name;
