import type { Browser, Page } from 'puppeteer-core';
import { quantile } from '../../measure/statistics.ts';
import { VIEWPORT } from './page.ts';
import { installRecorder } from './recorder.ts';

/** Rows of seven, and as far to scroll as a hundred images. */
const ROWS = 15;
/** As often is a page told of images that have ended. */
const TOLD_EVERY_MS = 100;

/** These run in the page, so they may use nothing from outside their own body. */

/** @param everyMs from one row that is drawn anew to the next; null: one for each row that is scrolled */
function drawRows(count: number, everyMs: number | null): void {
  const style = new CSSStyleSheet();
  style.replaceSync(
    'body{margin:0;background:#fff}p{height:195px;margin:0 0 8px}canvas{display:block}span{display:inline-block;width:177px}',
  );
  document.adoptedStyleSheets = [style];
  const drawn = new OffscreenCanvas(1231, 169);
  const context = drawn.getContext('2d')!;
  // Handed over whole, as a gallery does: a canvas that is drawn on directly may be copied for each frame.
  const draw = (canvas: HTMLCanvasElement, hue: number): void => {
    for (let at = 0; at < 7; at++) {
      context.fillStyle = `hsl(${hue + at * 7} 40% 40%)`;
      context.fillRect(at * 177, 0, 169, 169);
    }
    canvas.getContext('bitmaprenderer')!.transferFromImageBitmap(drawn.transferToImageBitmap());
  };
  const rows = Array.from({ length: count }, (_, row) => {
    const [box, canvas] = [document.createElement('p'), document.createElement('canvas')];
    draw(canvas, row * 49);
    box.append(
      canvas,
      ...Array.from({ length: 7 }, (_, at) => Object.assign(document.createElement('span'), { textContent: at })),
    );
    document.body.append(box);
    return canvas;
  });
  let turn = 0;
  const anew = (row: number): void => {
    if (rows[row]) draw(rows[row], turn);
  };
  if (everyMs === null)
    addEventListener('scroll', () => {
      const row = Math.floor(scrollY / 203);
      if (row === turn) return;
      turn = row;
      anew(row);
    });
  else {
    const inView = Math.ceil(innerHeight / 203);
    setInterval(() => anew(++turn % inView), everyMs);
  }
}

/** A picture half as wide and high again as the window, under the pointer while that is down, and zoomed by the wheel. */
function drawPicture(): void {
  const style = new CSSStyleSheet();
  style.replaceSync(
    'body{margin:0;overflow:hidden;background:#fff}canvas{position:absolute;left:-25vw;top:-25vh;will-change:transform}',
  );
  document.adoptedStyleSheets = [style];
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [innerWidth * 1.5, innerHeight * 1.5];
  const context = canvas.getContext('2d')!;
  for (let at = 0; at < 2000; at++) {
    context.fillStyle = `hsl(${at * 7} 40% 40%)`;
    context.fillRect((at * 97) % canvas.width, (at * 61) % canvas.height, 30, 30);
  }
  document.body.append(canvas);
  let [x, y, scale] = [0, 0, 1];
  const place = (): void => void (canvas.style.transform = `translate(${x}px,${y}px) scale(${scale})`);
  addEventListener('pointermove', ({ buttons, clientX, clientY }) => {
    if (buttons !== 1) return;
    [x, y] = [clientX - innerWidth / 2, clientY - innerHeight / 2];
    place();
  });
  addEventListener('wheel', ({ deltaY }) => {
    scale *= Math.exp(-deltaY * 0.0018);
    place();
  });
}

const DRAWN = {
  /** Pictures of which a row is drawn anew for each row that is scrolled. */
  scrolled: (page: Page) => page.evaluate(drawRows, ROWS, null),
  /** Pictures of which a row in view is drawn anew ten times a second. */
  told: (page: Page) => page.evaluate(drawRows, ROWS, TOLD_EVERY_MS),
  /** One large picture that the pointer drags and the wheel zooms. */
  moved: (page: Page) => page.evaluate(drawPicture),
};
export type PlainPage = Awaited<ReturnType<typeof openPlainPage>>;

/**
 * A page in a tab of its own with as much to draw as one that is judged, and nothing else: what frames of such a page take in this browser
 * on this machine at this moment, whatever program draws it.
 */
async function openPlainPage(browser: Browser, kind: keyof typeof DRAWN) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(VIEWPORT);
  await page.evaluateOnNewDocument(installRecorder);
  await page.goto('data:text/html,<!doctype html><title>plain</title>');
  await DRAWN[kind](page);
  return {
    page,
    /** From end to end. @returns milliseconds between frames */
    sweep: (durationMs: number, forward: boolean): Promise<number[]> =>
      page.evaluate(
        async (ms, isForward) => (await window.segbenchRecorder!.sweep(ms, isForward)).intervals,
        durationMs,
        forward,
      ),
    close: () => context.close(),
  };
}

/** Opens it, has it looked at, closes it. */
export async function onPlainPage<T>(
  browser: Browser,
  kind: keyof typeof DRAWN,
  look: (plain: PlainPage) => Promise<T>,
): Promise<T> {
  const plain = await openPlainPage(browser, kind);
  try {
    return await look(plain);
  } finally {
    await plain.close();
  }
}

/** @returns the 95th percentile of a plain page's frame intervals while it is scrolled from end to end, ms. */
export const plainSweepP95 = (browser: Browser, durationMs: number): Promise<number> =>
  onPlainPage(browser, 'scrolled', async (plain) => quantile(await plain.sweep(durationMs, true), 0.95));
