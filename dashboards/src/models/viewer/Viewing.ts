import { effect, signal } from '@preact/signals';
import type { Surfaces } from '../../raster/surfaces.ts';
import type { Api } from '../api.ts';
import type { Clock } from '../clock.ts';
import { formatCount } from '../format.ts';
import { lodFor } from './levels.ts';
import { createLiveRegion } from '../LiveRegion.ts';
import { createNeighbours } from './Neighbours.ts';
import type { Part } from './part-grid.ts';
import { createParts, type Parts } from './Parts.ts';
import { createPicture } from './Picture.ts';
import { createStage, MARGIN } from './Stage.ts';
import type { DrawRequest } from './viewer-deps.ts';
import { createViewer, type Viewer } from './Viewer.ts';
import { seenBox } from './viewport.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/viewer.ts';

export interface ViewingDeps {
  api: Api;
  imageId: string;
  clock: Clock;
  storage: Storage;
  /** Device pixels for a CSS pixel. */
  ratio: () => number;
  painter: {
    shapes: (key: string, bytes: Uint8Array<ArrayBuffer>) => void;
    keepOnly: (imageId: string) => void;
    draw: (request: DrawRequest) => Promise<ImageBitmap | null>;
  };
  loadPicture: (imageId: string, width: number, signal: AbortSignal) => Promise<ImageBitmap>;
  loadPart: (imageId: string, part: Part, signal: AbortSignal) => Promise<ImageBitmap>;
  /** The address is another image's now. */
  onGo: (imageId: string) => void;
}
export type Viewing = ReturnType<typeof createViewing>;

/** Keys that follow each other faster are held. */
const HELD_MS = 150;

/** One image after the other on one stage: what is shown, how, and what comes before and after. */
export function createViewing(deps: ViewingDeps) {
  const { api, painter } = deps;
  const opacity = signal(1);
  const filled = signal(true);
  /** Parts of what is in view are still to come. */
  const sharpening = signal(false);
  const neighbours = createNeighbours(deps);
  const live = createLiveRegion(deps.clock);
  let surfaces: Surfaces | null = null;
  let picture: ReturnType<typeof createPicture<ImageBitmap>> | null = null;
  let parts: Parts<ImageBitmap> | null = null;
  let lastGo = -Infinity;
  let cancelOpen: (() => void) | null = null;

  const viewer = signal<Viewer>(newViewer(deps.imageId));
  /** Shown once it is known: until then the image before stays, and with it the focus. */
  let coming = viewer.peek();
  const stage = createStage({
    clock: deps.clock,
    image: () => viewer.peek().image.peek(),
    place: (css) => surfaces?.place(css),
    async draw(view, size, shown) {
      const of = viewer.peek();
      const image = of.image.peek();
      if (!surfaces || !image) return;
      const ratio = deps.ratio();
      picture?.need(image.width * view.scale * ratio);
      parts?.need(seenBox(view, size, MARGIN), view.scale * ratio);
      const lod = of.needLod(lodFor(view.scale * ratio));
      const style = { filled: filled.peek(), ratio };
      const key = `${of.imageId} ${lod}`;
      const bitmap = lod && (await painter.draw({ key, view, stage: size, margin: MARGIN, style }));
      if (of !== viewer.peek() || !surfaces) return bitmap?.close();
      surfaces.begin(view, size, ratio);
      surfaces.picture(picture?.best ?? null, image, parts?.held() ?? []);
      surfaces.overlay(bitmap);
      surfaces.marks(of.shapes.peek(), of.hovered.peek(), of.selected.peek());
      shown();
    },
  });

  function newViewer(imageId: string): Viewer {
    return createViewer({
      api,
      imageId,
      onShapes(lod, bytes) {
        painter.shapes(`${imageId} ${lod}`, bytes);
        if (viewer.peek().imageId === imageId) void stage.redraw();
      },
    });
  }
  function startPicture(of: Viewer): void {
    const image = of.image.peek()!;
    const onFailed = (cause: unknown): void => of.tell(new Error(WORDS.noPicture(wordsOf(cause))));
    picture?.stop();
    parts?.stop();
    sharpening.value = false;
    picture = createPicture<ImageBitmap>({
      image,
      load: (width, abort) => deps.loadPicture(of.imageId, width, abort),
      onChange: () => of === viewer.peek() && surfaces?.picture(picture?.best ?? null, image, parts?.held() ?? []),
      onFailed,
    });
    parts = createParts<ImageBitmap>({
      image,
      load: (part, abort) => deps.loadPart(of.imageId, part, abort),
      onPart: (placed) => of === viewer.peek() && surfaces?.part(placed),
      onFailed,
      onWaiting: (waiting) => of === viewer.peek() && (sharpening.value = waiting),
    });
  }
  async function open(of: Viewer): Promise<void> {
    await of.start();
    if (of !== coming) return;
    const image = of.image.peek();
    const before = viewer.peek();
    const isAgain = before !== of && before.imageId === of.imageId && before.image.peek() !== null;
    // What was shown is more than nothing.
    if (isAgain && !image) return void (coming = before);
    viewer.value = of;
    painter.keepOnly(of.imageId);
    if (!image) return;
    startPicture(of);
    if (isAgain) void stage.redraw();
    else stage.reset();
    await neighbours.look(image.projectId, image.id);
  }
  /** Who does not see the picture change hears which one it is. */
  function tell(of: Viewer): void {
    const image = of.image.peek();
    if (!image || of !== coming) return;
    const { place } = neighbours.around.peek();
    const where = place && WORDS.place(formatCount(place.at), formatCount(place.of));
    live.announce(WORDS.shown(image.name, where, COMMON.status[image.status]));
  }
  const stopMarks = effect(() => {
    const { shapes, hovered, selected } = viewer.value;
    surfaces?.marks(shapes.value, hovered.value, selected.value);
  });

  return {
    viewer,
    stage,
    opacity,
    filled,
    sharpening,
    around: neighbours.around,
    live,
    attach(next: Surfaces | null): void {
      surfaces = next;
      if (next) void stage.redraw();
    },
    start: (): Promise<void> => open(viewer.peek()),
    /** Another image in place of this one; the page stays. While a key is held, only where it stops is anything read. */
    go(imageId: string | null): void {
      const projectId = viewer.peek().image.peek()?.projectId;
      if (imageId === null || imageId === coming.imageId) return;
      const wanted = newViewer(imageId);
      coming = wanted;
      deps.onGo(imageId);
      // The next press of a key may come before the image does.
      if (projectId) void neighbours.look(projectId, imageId);
      const now = deps.clock.now();
      cancelOpen?.();
      cancelOpen = deps.clock.after(
        now - lastGo < HELD_MS ? HELD_MS : 0,
        () => void open(wanted).then(() => tell(wanted)),
      );
      lastGo = now;
    },
    /** Reads this image anew, after something of it could not be had. */
    again(): Promise<void> {
      coming = newViewer(viewer.peek().imageId);
      return open(coming);
    },
    setFilled(on: boolean): void {
      filled.value = on;
      void stage.redraw();
    },
    /** Chooses a polygon and brings it into view. */
    choose(index: number): void {
      const of = viewer.peek();
      of.select(index === of.selected.peek() ? -1 : index);
      const box = of.boxOf(of.selected.peek());
      if (box) stage.show(box);
    },
    stop(): void {
      stopMarks();
      cancelOpen?.();
      live.stop();
      stage.stop();
      picture?.stop();
      parts?.stop();
      surfaces = null;
    },
  };
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
