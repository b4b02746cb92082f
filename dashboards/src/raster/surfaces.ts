import { MARGIN } from '../models/viewer/Stage.ts';
import type { PlacedPart } from '../models/viewer/Parts.ts';
import type { Size, Viewport } from '../models/viewer/viewport.ts';
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
  /** @param pixels of the image, for one of what is drawn next */
  function smooth(context: CanvasRenderingContext2D, pixels: number): void {
    if (shown) context.imageSmoothingEnabled = shown.view.scale * shown.ratio * pixels < PIXELS_FROM;
  }
  function drawPart(context: CanvasRenderingContext2D, { part, picture: tile }: PlacedPart<ImageBitmap>): void {
    smooth(context, part.reduction);
    context.drawImage(tile, part.left, part.top, part.width, part.height);
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
    /** A level of all of it, and over that what is here of its parts. */
    picture(
      level: { width: number; picture: ImageBitmap } | null,
      image: Size,
      parts: readonly PlacedPart<ImageBitmap>[],
    ): void {
      const context = prepare(picture);
      if (!context) return;
      if (level) {
        smooth(context, image.width / level.width);
        context.drawImage(level.picture, 0, 0, image.width, image.height);
      }
      for (const each of parts) drawPart(context, each);
    },
    /** One more part, over what is drawn already. */
    part(placed: PlacedPart<ImageBitmap>): void {
      const context = shown && picture.getContext('2d');
      if (context) drawPart(context, placed);
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
