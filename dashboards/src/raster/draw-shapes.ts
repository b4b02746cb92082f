import { seenBox, type Size, type Viewport } from '../models/viewer/viewport.ts';
import { FILL_ALPHA, OUTLINE } from './colour.ts';
import { visitInBox, withHoles, type Shapes } from './shapes.ts';

const STROKE = `rgb(${OUTLINE.join(' ')})`;
const FILL = `rgb(${OUTLINE.join(' ')} / ${FILL_ALPHA})`;

export interface ShapesStyle {
  /** Without it only outlines are drawn. */
  filled: boolean;
  /** Device pixels for a CSS pixel. */
  ratio: number;
}
type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

function trace(context: Context, shapes: Shapes, i: number): void {
  context.beginPath();
  addRing(context, shapes, i);
}
function addRing(context: Context, { points, starts }: Shapes, i: number): void {
  const [from, to] = [starts[i] ?? 0, starts[i + 1] ?? 0];
  for (let at = from; at < to; at += 2) {
    if (at === from) context.moveTo(points[at]!, points[at + 1]!);
    else context.lineTo(points[at]!, points[at + 1]!);
  }
  context.closePath();
}

/** Image pixels to those of a canvas that reaches `margin` stages beyond the stage on each side. */
export function place(context: Context, view: Viewport, stage: Size, margin: number, ratio: number): void {
  const { scale, x, y } = view;
  const [left, top] = [x + stage.width * margin, y + stage.height * margin];
  context.setTransform(scale * ratio, 0, 0, scale * ratio, left * ratio, top * ratio);
}

/**
 * Draws the polygons that can be seen, holes cut out of the fill. One path a polygon: a single large path is the slowest form.
 * @returns how many were drawn.
 */
export function drawShapes(
  context: Context,
  shapes: Shapes,
  view: Viewport,
  stage: Size,
  margin: number,
  { filled, ratio }: ShapesStyle,
): number {
  place(context, view, stage, margin, ratio);
  context.lineWidth = 1.25 / view.scale;
  context.lineJoin = 'round';
  context.strokeStyle = STROKE;
  return visitInBox(shapes, seenBox(view, stage, margin), (i) => {
    trace(context, shapes, i);
    if (filled) {
      const hole = shapes.internal[i] === 1;
      context.globalCompositeOperation = hole ? 'destination-out' : 'source-over';
      context.fillStyle = hole ? '#000' : FILL;
      context.fill();
      context.globalCompositeOperation = 'source-over';
    }
    context.stroke();
  });
}

const MARK = { hovered: '#ffffff', selected: '#ffb454', selectedFill: 'rgb(255 180 84 / 0.35)' };

/** One polygon that is pointed at, or chosen; dark beneath, so that it is seen on any ground. */
export function drawMark(context: Context, shapes: Shapes, i: number, scale: number, selected: boolean): void {
  if (i < 0 || i >= shapes.count) return;
  context.beginPath();
  for (const ring of withHoles(shapes, i)) addRing(context, shapes, ring);
  if (selected) {
    context.fillStyle = MARK.selectedFill;
    context.fill('evenodd');
  }
  context.lineJoin = 'round';
  context.lineWidth = 4.5 / scale;
  context.strokeStyle = 'rgb(0 0 0 / 0.6)';
  context.stroke();
  context.lineWidth = 2.25 / scale;
  context.strokeStyle = selected ? MARK.selected : MARK.hovered;
  context.stroke();
}
