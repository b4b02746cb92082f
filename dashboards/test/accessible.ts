import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'puppeteer-core';

type Scheme = 'light' | 'dark';
interface Look {
  name: string;
  width: number;
  height: number;
  /** Device pixels of a CSS pixel. */
  scale?: number;
  scheme: Scheme;
  /** Rules of axe; all where absent, none where empty. */
  rules?: readonly string[];
}
const COLOURS = ['color-contrast', 'link-in-text-block'];
/** What changes with the size or the colours is looked for again; the rest is the same document. */
const LOOKS: readonly Look[] = [
  { name: 'desk', width: 1280, height: 800, scheme: 'light' },
  { name: 'desk at night', width: 1280, height: 800, scheme: 'dark', rules: COLOURS },
  { name: 'phone', width: 390, height: 844, scheme: 'light', rules: [...COLOURS, 'scrollable-region-focusable'] },
  { name: 'desk at 200 %', width: 640, height: 400, scale: 2, scheme: 'light', rules: ['scrollable-region-focusable'] },
];

/** What axe finds in the page as it is: `rule: what it means, at which node`. */
export async function violationsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  // By the debugger: the page's own policy lets no script in.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (only) =>
      (window as unknown as { axe: { run(at: Document, options: object): Promise<AxeResults> } }).axe.run(document, {
        resultTypes: ['violations'],
        ...(only && { runOnly: only }),
      }),
    rules && [...rules],
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${help}, at ${target.join(' ')}${any[0] ? ` (${any[0].message})` : ''}`),
  );
}

/** By how much the page is wider than the screen, and what sticks out; null where nothing does. */
const tooWide = (page: Page): Promise<string | null> =>
  page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide <= 0) return null;
    const out = [...document.querySelectorAll('body *')].filter(
      (node) => node.getBoundingClientRect().right > document.documentElement.clientWidth + 1,
    );
    return `${wide} px too wide, by ${out
      .slice(0, 4)
      .map((node) => `${node.tagName.toLowerCase()}.${node.className}`)
      .join(', ')}`;
  });

/** Two frames: styles of another size or scheme have come, and observers of sizes have run. */
const drawn = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/**
 * What keeps somebody from using the page as it is now: what axe-core finds, in light and dark, on a desk and on a phone; and that it
 * scrolls sideways at 390 px or at 200 %. The page is afterwards as it was.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  const before = page.viewport();
  const found: string[] = [];
  for (const { name, width, height, scale = 1, scheme, rules } of LOOKS) {
    await page.setViewport({ width, height, deviceScaleFactor: scale });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await drawn(page);
    found.push(...(await violationsOf(page, rules)).map((fault) => `${name}: ${fault}`));
    const wide = await tooWide(page);
    if (wide !== null) found.push(`${name}: ${wide}`);
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(before);
  return found;
}
