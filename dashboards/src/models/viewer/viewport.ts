/** What of an image is seen: a point of the screen is `image * scale + (x, y)`, in CSS pixels from the stage's corner. */
export interface Viewport {
  scale: number;
  x: number;
  y: number;
}
export interface Size {
  width: number;
  height: number;
}
/** [left, top, right, bottom] in image pixels. */
export type Box = readonly [number, number, number, number];

/** Screen pixels for one of the image: enough to count them. */
export const MAX_SCALE = 32;
/** A tiny image is not blown up to fill a large screen. */
const MAX_FIT = 8;

export const fitScale = (image: Size, stage: Size): number =>
  Math.min(MAX_FIT, stage.width / Math.max(1, image.width), stage.height / Math.max(1, image.height));

/** Keeps the image on the stage: centred in a direction in which it is smaller, else without a gap at its edges. */
export function clampView({ scale, x, y }: Viewport, image: Size, stage: Size): Viewport {
  const least = Math.min(1, fitScale(image, stage));
  const clamped = Math.min(MAX_SCALE, Math.max(least, scale));
  const along = (offset: number, length: number, room: number): number => {
    const shown = length * clamped;
    return shown <= room ? (room - shown) / 2 : Math.min(0, Math.max(room - shown, offset));
  };
  return { scale: clamped, x: along(x, image.width, stage.width), y: along(y, image.height, stage.height) };
}

export const fitView = (image: Size, stage: Size): Viewport =>
  clampView({ scale: fitScale(image, stage), x: 0, y: 0 }, image, stage);

export const panBy = ({ scale, x, y }: Viewport, dx: number, dy: number, image: Size, stage: Size): Viewport =>
  clampView({ scale, x: x + dx, y: y + dy }, image, stage);

/** What is at (`px`, `py`) of the stage stays there. */
export function zoomAt(
  view: Viewport,
  factor: number,
  [px, py]: readonly [number, number],
  image: Size,
  stage: Size,
): Viewport {
  const least = Math.min(1, fitScale(image, stage));
  const scale = Math.min(MAX_SCALE, Math.max(least, view.scale * factor));
  const ratio = scale / view.scale;
  return clampView({ scale, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio }, image, stage);
}

/** Moves, without zooming, until the whole box can be seen, or its middle where it is larger than the stage. */
export function showBox(view: Viewport, [left, top, right, bottom]: Box, image: Size, stage: Size): Viewport {
  const along = (offset: number, from: number, to: number, room: number): number => {
    const [low, high] = [from * view.scale + offset, to * view.scale + offset];
    if (low >= 0 && high <= room) return offset;
    return room / 2 - ((from + to) / 2) * view.scale;
  };
  const x = along(view.x, left, right, stage.width);
  const y = along(view.y, top, bottom, stage.height);
  return clampView({ scale: view.scale, x, y }, image, stage);
}

/** The part of the image that is seen, with `margin` stages more on each side. */
export function seenBox({ scale, x, y }: Viewport, stage: Size, margin = 0): Box {
  const [mx, my] = [stage.width * margin, stage.height * margin];
  return [(-mx - x) / scale, (-my - y) / scale, (stage.width + mx - x) / scale, (stage.height + my - y) / scale];
}

/** Whether something drawn for `drawn`, with `margin` stages on each side, still fills the stage and is sharp enough at `now`. */
export function covers(drawn: Viewport, now: Viewport, image: Size, stage: Size, margin: number): boolean {
  if (now.scale > drawn.scale * 1.5 || now.scale < drawn.scale / 1.5) return false;
  const [left, top, right, bottom] = seenBox(drawn, stage, margin);
  const [l, t, r, b] = seenBox(now, stage);
  return (
    Math.max(0, l) >= left &&
    Math.max(0, t) >= top &&
    Math.min(image.width, r) <= right &&
    Math.min(image.height, b) <= bottom
  );
}

/** CSS that shows what was drawn for `drawn` as it stands at `now`; its origin is the stage's corner. */
export function moved(drawn: Viewport, now: Viewport): string {
  const scale = now.scale / drawn.scale;
  return `translate(${now.x - drawn.x * scale}px, ${now.y - drawn.y * scale}px) scale(${scale})`;
}

export const isFit = (view: Viewport, image: Size, stage: Size): boolean => view.scale <= fitScale(image, stage) * 1.01;
