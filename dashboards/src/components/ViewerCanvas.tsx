import { addressOf } from '#contract/client.ts';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Viewer, ViewerResult } from '../models/Viewer.ts';
import { OVERLAY_FILL, OVERLAY_STROKE } from '../raster/draw-overlay.ts';

const SELECTED_STROKE = '#ffb454';
const SELECTED_FILL = 'rgb(255 180 84 / 0.35)';
const RENDER_PX = 2048;

function drawOutlines(canvas: HTMLCanvasElement, result: ViewerResult, selected: number | null): void {
  const context = canvas.getContext('2d');
  const shown = canvas.clientWidth * devicePixelRatio;
  if (!context || shown === 0) return;
  const scale = shown / result.width;
  canvas.width = Math.round(shown);
  canvas.height = Math.round(result.height * scale);
  context.scale(scale, scale);
  for (const { id, internal, path } of result.outlines) {
    context.lineWidth = (id === selected ? 2.5 : 1.25) * (devicePixelRatio / scale);
    context.strokeStyle = id === selected ? SELECTED_STROKE : OVERLAY_STROKE;
    context.fillStyle = id === selected ? SELECTED_FILL : OVERLAY_FILL;
    if (!internal) context.fill(path);
    context.stroke(path);
  }
}

/** The picture with its outlines over it; a click selects the outline below. */
export function ViewerCanvas({ viewer, name }: { viewer: Viewer; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = viewer.image.value!;
  const result = viewer.result.value;
  const selected = viewer.selected.value;
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !result) return undefined;
    const draw = (): void => drawOutlines(element, result, selected);
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    draw();
    return () => observer.disconnect();
  }, [result, selected]);

  const select = (event: MouseEvent): void => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || !result) return;
    // Paths are in image pixels, under the canvas' own transform: the point is in the canvas' pixels.
    const ratio = element.width / element.clientWidth;
    const hit = result.outlines.findLast(({ path }) =>
      context.isPointInPath(path, event.offsetX * ratio, event.offsetY * ratio),
    );
    viewer.selected.value = hit?.id ?? null;
  };
  return (
    <div
      class="viewer-picture"
      style={{
        aspectRatio: `${image.width} / ${image.height}`,
        width: `min(100%, calc((100vh - 180px) * ${image.width / image.height}))`,
      }}
    >
      <img
        src={addressOf('GET /api/images/{id}/render', {
          path: { id: image.id },
          query: { w: Math.min(RENDER_PX, image.width), f: 'webp' },
        })}
        alt={name}
      />
      <canvas ref={canvas} onClick={select} />
    </div>
  );
}
