import { signal, type Signal } from '@preact/signals';
import type { FailureCode, ImageStatus } from '#contract/names.ts';
import type { FrameScheduler } from './frame-queue.ts';
import type { ImageStore } from './ImageStore.ts';
import type { Overlay } from './Overlays.ts';
import type { ResultView } from './result-cache.ts';

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
interface Surface {
  state: Signal<CellState>;
  canvas: HTMLCanvasElement | null;
  /** Its average colour is all that it shows: it rushes by, or waits for its turn. A canvas costs a layer of its own, so it stays out of the way. */
  veiled: boolean;
}

/** A painted canvas costs the frame a millisecond or two: a row of them at once, and the frame is late. */
const A_FRAME = 2;

export type Cells = ReturnType<typeof createCells>;

/** The cells that exist in the page right now: one signal each for what they say, one canvas each for what they show. */
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
}) {
  const { store } = deps;
  const surfaces = new Map<number, Surface>();
  /** Positions that have stayed visible; only for these is work begun. */
  let settled: ReadonlySet<number> = new Set();

  /** Came into the page during a slow scroll, out of sight still, and wait for a frame that paints them. */
  const waiting: number[] = [];

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
    if (!surface) surfaces.set(i, (surface = { state: signal(read(i, null)), canvas: null, veiled: false }));
    return surface;
  }

  /** Average colour, then thumbnail, then overlay: paints what there is, and says in the cell's state what that was. */
  function paint(i: number): void {
    const surface = surfaces.get(i);
    if (!surface) return;
    const { canvas } = surface;
    const context = surface.veiled ? null : canvas?.getContext('2d');
    let drawn: number | null = null;
    if (canvas && context) {
      const size = canvas.width;
      const imageId = store.idAt(i);
      const thumbnail = deps.thumbnail(imageId);
      const overlay = currentOverlay(i, imageId, size);
      context.clearRect(0, 0, size, size);
      if (thumbnail) drawContained(context, thumbnail, size);
      if (overlay) {
        context.drawImage(overlay.bitmap, 0, 0, size, size);
        if (overlay.mark === store.markAt(i) && store.isCompleted(i))
          drawn = deps.result(imageId)?.polygonCount ?? null;
      }
    }
    say(surface, read(i, drawn));
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
  function unveil(i: number, surface: Surface): void {
    surface.veiled = false;
    if (surface.canvas) surface.canvas.style.visibility = 'visible';
    paint(i);
  }
  function paintWaiting(): void {
    // A wide screen has long rows: none may still wait when the next one comes.
    const share = Math.max(A_FRAME, Math.ceil(waiting.length / 4));
    for (let n = 0; n < share && waiting.length > 0;) {
      const i = waiting.shift()!;
      const surface = surfaces.get(i);
      if (!surface?.veiled) continue;
      unveil(i, surface);
      n++;
    }
    if (waiting.length > 0) deps.frames.requestFrame(paintWaiting);
  }
  return {
    state: (i: number): Signal<CellState> => surfaceOf(i).state,
    /** Gives position `i` a canvas; the returned function takes it away. */
    attach(i: number, canvas: HTMLCanvasElement): () => void {
      const surface = surfaceOf(i);
      surface.canvas = canvas;
      const calm = deps.calm();
      const waits = calm && deps.thumbnail(store.idAt(i)) !== undefined;
      surface.veiled = waits || !calm;
      // A recycled canvas still shows the image that it was used for before.
      canvas.style.visibility = surface.veiled ? 'hidden' : 'visible';
      paint(i);
      if (!calm) waiting.length = 0;
      else if (waits && waiting.push(i) === 1) deps.frames.requestFrame(paintWaiting);
      return () => {
        if (surface.canvas === canvas) surface.canvas = null;
      };
    },
    /** Forgets all cells but these; called when others have become visible. */
    keep(positions: ReadonlySet<number>): void {
      for (const i of surfaces.keys()) if (!positions.has(i)) surfaces.delete(i);
    },
    paint,
    /** What a cell says has changed, not what it shows. */
    refresh(i: number): void {
      const surface = surfaces.get(i);
      if (surface) say(surface, read(i, surface.state.peek().drawnPolygons));
    },
    settle(positions: number[]): void {
      const before = settled;
      settled = new Set(positions);
      for (const [i, surface] of surfaces) {
        const isWhole = surface.state.peek().drawnPolygons !== null;
        if (!surface.veiled && (isWhole || before.has(i))) continue;
        unveil(i, surface);
      }
    },
    paintAll(): void {
      for (const i of surfaces.keys()) paint(i);
    },
    has: (i: number): boolean => surfaces.has(i),
    get size() {
      return surfaces.size;
    },
  };
}

function drawContained(context: CanvasRenderingContext2D, bitmap: ImageBitmap, size: number): void {
  const scale = Math.min(size / bitmap.width, size / bitmap.height);
  const width = bitmap.width * scale;
  const height = bitmap.height * scale;
  context.drawImage(bitmap, (size - width) / 2, (size - height) / 2, width, height);
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
