import { signal } from '@preact/signals';
import type { Clock } from '../clock.ts';
import {
  clampView,
  covers,
  fitView,
  isFit,
  moved,
  panBy,
  showBox,
  zoomAt,
  type Box,
  type Size,
  type Viewport,
} from './viewport.ts';

/** What is drawn reaches so many stages beyond the stage on each side, so that a pan has something to show. */
export const MARGIN = 0.25;
/** After the last movement it is drawn anew, sharp and centred. */
const REST_MS = 80;

export type Stage = ReturnType<typeof createStage>;

/**
 * Pan and zoom. While the view moves, what was drawn last is moved by the compositor, whatever it shows; drawing, in a worker, follows when
 * the view rests, or when it has left what was drawn. One drawing is under way at a time, and the latest view is drawn after it.
 */
export function createStage(deps: {
  clock: Clock;
  image: () => Size | null;
  /** Draws for a view, and calls `shown` in the moment in which the canvases show it. */
  draw: (view: Viewport, stage: Size, shown: () => void) => Promise<void>;
  /** Places the layer of canvases. */
  place: (css: string) => void;
}) {
  const { clock, image } = deps;
  const size = signal<Size>({ width: 0, height: 0 });
  const view = signal<Viewport>({ scale: 1, x: 0, y: 0 });
  let drawn: Viewport | null = null;
  let drawnSize: Size | null = null;
  let fitted = true;
  let busy = false;
  let again = false;
  let stopped = false;
  let cancel: (() => void) | null = null;

  function moveLayer(): void {
    if (drawn) deps.place(moved(drawn, view.peek()));
  }
  async function redraw(): Promise<void> {
    cancel?.();
    cancel = null;
    const stage = size.peek();
    if (stopped || !image() || stage.width === 0) return;
    if (busy) return void (again = true);
    busy = true;
    const target = view.peek();
    try {
      await deps.draw(target, stage, () => {
        drawn = target;
        drawnSize = stage;
        moveLayer();
      });
    } finally {
      busy = false;
      if (again) {
        again = false;
        void redraw();
      }
    }
  }
  function set(next: Viewport): void {
    const of = image();
    if (!of) return;
    const stage = size.peek();
    view.value = next;
    fitted = isFit(next, of, stage);
    moveLayer();
    if (!drawn || drawnSize !== stage || !covers(drawn, next, of, stage, MARGIN)) return void redraw();
    cancel?.();
    cancel = clock.after(REST_MS, () => void redraw());
  }
  const change = (how: (now: Viewport, of: Size, stage: Size) => Viewport): void => {
    const of = image();
    if (of && size.peek().width > 0) set(how(view.peek(), of, size.peek()));
  };
  return {
    size,
    view,
    resize(next: Size): void {
      const before = size.peek();
      if (before.width === next.width && before.height === next.height) return;
      size.value = next;
      change((now, of) => (fitted ? fitView(of, next) : clampView(now, of, next)));
    },
    fit: (): void => change((_, of, stage) => fitView(of, stage)),
    panBy: (dx: number, dy: number): void => change((now, of, stage) => panBy(now, dx, dy, of, stage)),
    zoomAt: (factor: number, at: readonly [number, number]): void =>
      change((now, of, stage) => zoomAt(now, factor, at, of, stage)),
    /** About the middle of the stage. */
    zoom: (factor: number): void =>
      change((now, of, stage) => zoomAt(now, factor, [stage.width / 2, stage.height / 2], of, stage)),
    show: (box: Box): void => change((now, of, stage) => showBox(now, box, of, stage)),
    /** Image pixels at a point of the stage. */
    imageAt([px, py]: readonly [number, number]): [number, number] {
      const { scale, x, y } = view.peek();
      return [(px - x) / scale, (py - y) / scale];
    },
    isFit: (): boolean => fitted,
    redraw,
    /** Another image: nothing of the one before is right. */
    reset(): void {
      drawn = null;
      fitted = true;
      change((_, of, stage) => fitView(of, stage));
    },
    stop(): void {
      stopped = true;
      cancel?.();
    },
  };
}
