import sharp from 'sharp';
import type { Polygon } from '#contract/results.ts';
import type { ObservedPage } from '../drivers/browser/page.ts';
import { judgeDrawn, type Drawn, type Mask, type Place, type Rect } from './drawn.ts';

/** Of red, green and blue the largest less the smallest: the picture is gray, outlines and their fill are not. */
const COLOURED = 20;
/** Round corners and the ring of the focus. */
const EDGE_PX = 8;

/** CSS pixels of the window; `view` from the corner of the stage. */
interface Stage {
  box: Rect;
  /** How far the page is scrolled. */
  scrolled: readonly [x: number, y: number];
  view: Place;
  /** Of what lies over the stage: buttons, words. */
  over: Rect[];
}
const STAGE = `(() => {
  const stage = document.querySelector('[data-view-stage]');
  const rect = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom };
  };
  const [scale, x, y] = stage.querySelector('[data-view]').dataset.view.split(' ').map(Number);
  const over = [...stage.children].filter((child) => !child.matches('.view-layer')).map(rect);
  return { box: rect(stage), scrolled: [scrollX, scrollY], view: { scale, x, y }, over };
})()`;

export const stageOf = (page: ObservedPage): Promise<Stage> => page.evaluate<Stage>(STAGE);

export const middleOf = ({ box }: Stage): readonly [number, number] => [
  (box.left + box.right) / 2,
  (box.top + box.bottom) / 2,
];

/** What has a colour in a part of the screen, as it is presented. */
async function colouredIn(
  { cdp }: ObservedPage,
  { left, top, right, bottom }: Rect,
  [scrollX, scrollY]: Stage['scrolled'],
): Promise<Mask> {
  // The browser counts from the corner of the page, not of the window.
  const clip = { x: left + scrollX, y: top + scrollY, width: right - left, height: bottom - top, scale: 1 };
  const { data: png } = await cdp.send('Page.captureScreenshot', { format: 'png', clip, captureBeyondViewport: false });
  const { data, info } = await sharp(Buffer.from(png, 'base64'))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = new Uint8Array(info.width * info.height);
  for (let pixel = 0; pixel < at.length; pixel++) {
    const [red, green, blue] = [data[pixel * 3]!, data[pixel * 3 + 1]!, data[pixel * 3 + 2]!];
    at[pixel] = Math.max(red, green, blue) - Math.min(red, green, blue) >= COLOURED ? 1 : 0;
  }
  return { width: info.width, height: info.height, at };
}

/** A look at the screen: the outlines that it shows against those that it should. */
export async function lookAt(page: ObservedPage, polygons: readonly Polygon[]): Promise<Drawn> {
  const { box, scrolled, view, over } = await stageOf(page);
  const clip = {
    left: Math.ceil(box.left) + EDGE_PX,
    top: Math.ceil(box.top) + EDGE_PX,
    right: Math.floor(box.right) - EDGE_PX,
    bottom: Math.floor(box.bottom) - EDGE_PX,
  };
  const mask = await colouredIn(page, clip, scrolled);
  const place = { scale: view.scale, x: box.left + view.x - clip.left, y: box.top + view.y - clip.top };
  const covered = over.map(({ left, top, right, bottom }) => ({
    left: left - clip.left,
    top: top - clip.top,
    right: right - clip.left,
    bottom: bottom - clip.top,
  }));
  return judgeDrawn(mask, polygons, place, covered);
}

const isIn = ({ left, top, right, bottom }: Rect, [x, y]: readonly [number, number], margin: number): boolean =>
  x > left + margin && x < right - margin && y > top + margin && y < bottom - margin;

/** Up to `count` outlines of those in view, spread evenly, each with the point of the screen that is its middle. */
export function pointsOn(
  { box, view, over }: Stage,
  polygons: readonly Polygon[],
  count: number,
): { id: number; point: readonly [number, number] }[] {
  const inView = polygons.flatMap(({ id, bbox }) => {
    const [left = 0, top = 0, width = 0, height = 0] = bbox;
    const x = box.left + view.x + (left + width / 2) * view.scale;
    const y = box.top + view.y + (top + height / 2) * view.scale;
    const point = [x, y] as const;
    return isIn(box, point, EDGE_PX) && !over.some((rect) => isIn(rect, point, -EDGE_PX)) ? [{ id, point }] : [];
  });
  const step = Math.max(1, inView.length / count);
  return Array.from({ length: Math.min(count, inView.length) }, (_, i) => inView[Math.floor(i * step)]!);
}
