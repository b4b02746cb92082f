type Point = readonly [number, number];

/** Further than this from where it went down, a pointer drags. */
const DRAG_PX = 4;
/** Zoom for a pixel of the wheel: a notch of 100 px is a fifth. */
const WHEEL = 0.0018;

/**
 * Mouse, pen and fingers on an element as pan, zoom, point and press, in CSS pixels from its corner. One pointer drags, two pinch.
 * @returns what ends it
 */
export function trackPointers(
  element: HTMLElement,
  on: {
    onPan: (dx: number, dy: number) => void;
    onZoom: (factor: number, at: Point) => void;
    /** Where a pointer rests that is not down; null when there is none. */
    onPoint: (at: Point | null) => void;
    /** Went down and up at one place. */
    onPress: (at: Point) => void;
  },
): () => void {
  const down = new Map<number, Point>();
  let from: Point | null = null;
  let dragging = false;

  const at = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = element.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  /** Buttons that lie on the element are no part of it. */
  const own = ({ target }: Event): boolean => !(target instanceof Element && target.closest('button'));
  const middle = (points: Point[]): Point => [
    points.reduce((sum, [x]) => sum + x, 0) / points.length,
    points.reduce((sum, [, y]) => sum + y, 0) / points.length,
  ];
  const spread = ([a, b]: Point[]): number => (a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0);

  const listeners: Record<string, (event: never) => void> = {
    pointerdown(event: PointerEvent) {
      if (!own(event) || (event.pointerType === 'mouse' && event.button !== 0)) return;
      element.setPointerCapture(event.pointerId);
      down.set(event.pointerId, at(event));
      if (down.size === 1) {
        from = at(event);
        dragging = false;
      } else dragging = true;
    },
    pointermove(event: PointerEvent) {
      const now = at(event);
      if (!down.has(event.pointerId)) return on.onPoint(own(event) ? now : null);
      const before = [...down.values()];
      down.set(event.pointerId, now);
      const after = [...down.values()];
      if (!dragging && from && Math.hypot(now[0] - from[0], now[1] - from[1]) < DRAG_PX) return;
      if (!dragging) on.onPoint(null);
      dragging = true;
      const [was, is] = [middle(before), middle(after)];
      on.onPan(is[0] - was[0], is[1] - was[1]);
      if (after.length === 2 && spread(before) > 0) on.onZoom(spread(after) / spread(before), is);
    },
    pointerup(event: PointerEvent) {
      if (!down.delete(event.pointerId)) return;
      if (!dragging && down.size === 0) on.onPress(at(event));
    },
    pointercancel(event: PointerEvent) {
      down.delete(event.pointerId);
    },
    pointerleave: () => on.onPoint(null),
    wheel(event: WheelEvent) {
      event.preventDefault();
      // Lines and pages are of a size that nobody knows.
      const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? 16 : 400);
      on.onZoom(Math.exp(-pixels * WHEEL), at(event));
    },
  };
  for (const [name, listen] of Object.entries(listeners))
    element.addEventListener(name, listen as EventListener, { passive: false });
  return () => {
    for (const [name, listen] of Object.entries(listeners)) element.removeEventListener(name, listen as EventListener);
  };
}
