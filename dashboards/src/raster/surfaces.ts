import { MARGIN } from '../models/Stage.ts';
import type { Size, Viewport } from '../models/viewport.ts';
import { drawMark, place } from './draw-shapes.ts';
import type { Shapes } from './shapes.ts';

/** From so many screen pixels for one of the picture on, its pixels are shown as they are. */
const PIXELS_FROM = 4;

export interface Layer {
  layer: HTMLElement;
  picture: HTMLCanvasElement;
  overlay: HTMLCanvasElement;
  marks: HTMLCanvasElement;
}
export type Surfaces = ReturnType<typeof createSurfaces>;

/** Three canvases over each other, a margin larger than the stage: the picture, its outlines, and what is pointed at. */
export function createSurfaces({ layer, picture, overlay, marks }: Layer) {
  let shown: { view: Viewport; stage: Size; ratio: number } | null = null;

  /** A context for `canvas` in image pixels; the canvas is emptied. */
  function prepare(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
    const context = shown && canvas.getContext('2d');
    if (!shown || !context) return null;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    place(context, shown.view, shown.stage, MARGIN, shown.ratio);
    return context;
  }
  return {
    place(css: string): void {
      layer.style.transform = css;
    },
    /** What is drawn from now on is for this view. */
    begin(view: Viewport, stage: Size, ratio: number): void {
      if (!shown || shown.stage !== stage || shown.ratio !== ratio) {
        const [width, height] = [stage.width * (1 + 2 * MARGIN), stage.height * (1 + 2 * MARGIN)];
        const [left, top] = [stage.width * MARGIN, stage.height * MARGIN];
        Object.assign(layer.style, {
          width: `${width}px`,
          height: `${height}px`,
          left: `${-left}px`,
          top: `${-top}px`,
          transformOrigin: `${left}px ${top}px`,
        });
        for (const canvas of [picture, overlay, marks]) {
          canvas.width = Math.max(1, Math.round(width * ratio));
          canvas.height = Math.max(1, Math.round(height * ratio));
        }
      }
      shown = { view, stage, ratio };
    },
    picture(level: { width: number; picture: ImageBitmap } | null, image: Size): void {
      const context = prepare(picture);
      if (!context || !shown || !level) return;
      context.imageSmoothingEnabled = (shown.view.scale * shown.ratio * image.width) / level.width < PIXELS_FROM;
      context.drawImage(level.picture, 0, 0, image.width, image.height);
    },
    /** Takes the bitmap over. */
    overlay(bitmap: ImageBitmap | null): void {
      overlay.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
    },
    marks(shapes: Shapes | null, hovered: number, selected: number): void {
      const context = prepare(marks);
      if (!context || !shown || !shapes) return;
      if (hovered >= 0 && hovered !== selected) drawMark(context, shapes, hovered, shown.view.scale, false);
      if (selected >= 0) drawMark(context, shapes, selected, shown.view.scale, true);
    },
  };
}
