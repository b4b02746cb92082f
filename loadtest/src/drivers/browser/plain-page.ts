import type { Browser } from 'puppeteer-core';
import { VIEWPORT } from './page.ts';
import { installRecorder } from './recorder.ts';

/** What a screen of the gallery shows, seven to a row, and as far to scroll as a hundred images. */
const BOXES = 105;

/** Runs in the page, so it may use nothing from outside its own body. */
function drawBoxes(count: number): void {
  const style = new CSSStyleSheet();
  style.replaceSync(
    'body{margin:0;display:grid;grid-template-columns:repeat(7,1fr);gap:8px;background:#fff}p{height:195px;margin:0}canvas{display:block}',
  );
  document.adoptedStyleSheets = [style];
  const draw = (canvas: HTMLCanvasElement, hue: number): void => {
    const context = canvas.getContext('2d')!;
    context.fillStyle = `hsl(${hue} 40% 40%)`;
    context.fillRect(0, 0, 169, 169);
  };
  const pictures = Array.from({ length: count }, (_, at) => {
    const [box, canvas] = [document.createElement('p'), document.createElement('canvas')];
    canvas.width = canvas.height = 169;
    draw(canvas, at * 7);
    box.append(canvas, String(at));
    document.body.append(box);
    return canvas;
  });
  let row = 0;
  addEventListener('scroll', () => {
    const next = Math.floor(scrollY / 203);
    if (next === row) return;
    row = next;
    for (const canvas of pictures.slice(row * 7, row * 7 + 7)) draw(canvas, row);
  });
}

/**
 * A page of pictures in a tab of its own, a row of which is drawn anew for each row that is scrolled, and nothing else: what frames of
 * such a page take in this browser on this machine at this moment, whatever program draws it.
 */
export async function openPlainPage(browser: Browser) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(VIEWPORT);
  await page.evaluateOnNewDocument(installRecorder);
  await page.goto('data:text/html,<!doctype html><title>plain</title>');
  await page.evaluate(drawBoxes, BOXES);
  return {
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
