import type { ObservedPage } from './page.ts';

const centreOf = (finder: string) =>
  `(() => { const found = ${finder}; if (!found) return null; const box = found.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2, disabled: found.disabled === true }; })()`;

interface Target {
  x: number;
  y: number;
  disabled: boolean;
}

/** A click as the browser gets one from a person: pressed and released at a point of the screen. */
async function clickAt({ cdp }: ObservedPage, { x, y }: Target): Promise<void> {
  const button = { x, y, button: 'left', clickCount: 1 } as const;
  await cdp.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  await cdp.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...button });
  await cdp.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...button });
}

/** Presses the page's own button with this text, waiting until it can be pressed. */
export async function clickButton(page: ObservedPage, text: string, timeoutMs = 30_000): Promise<void> {
  const wanted = JSON.stringify(text.toLowerCase());
  const finder = `[...document.querySelectorAll('button')].find((button) => button.textContent.trim().toLowerCase() === ${wanted})`;
  const until = Date.now() + timeoutMs;
  for (;;) {
    const target = await page.evaluate<Target | null>(centreOf(finder));
    if (target && !target.disabled) return clickAt(page, target);
    if (Date.now() > until)
      throw new Error(`page: button "${text}" ${target ? 'stayed disabled' : 'did not appear'} for ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Whether the page answers a person: a click on a filter chip (else the heading), from the event's own time to the next paint
 * (Event Timing API, the interval that INP is made of). Event Timing leaves out what took less than 16 ms.
 */
export async function measureClick(page: ObservedPage): Promise<number> {
  const before = (await page.dump()).interactions.length;
  const finder = `document.querySelector('[data-filter="completed"]') ?? document.querySelector('h1') ?? document.body`;
  const target = await page.evaluate<Target>(centreOf(finder));
  await clickAt(page, target);
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))');
  const durations = (await page.dump()).interactions.slice(before).map(({ duration }) => duration);
  const all = await page.evaluate<Target | null>(centreOf(`document.querySelector('[data-filter="all"]')`));
  if (all) await clickAt(page, all);
  return Math.max(16, ...durations);
}
