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
  { name: 'tablet', width: 800, height: 1100, scheme: 'light', rules: [] },
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

/** What a person presses or fills in, where it can be seen. An option is reached by its list, by arrows; what is hidden has a button. */
const INTERACTIVE = 'a[href], button, input, select, textarea, summary';

/** What can be pressed but lies, in part or whole, beside the screen where no scrolling gets it; null where there is nothing. */
const cutOff = (page: Page): Promise<string | null> =>
  page.evaluate((selector) => {
    const scrolls = (node: Element | null): boolean =>
      node !== null &&
      ((node.scrollWidth > node.clientWidth && /auto|scroll/.test(getComputedStyle(node).overflowX)) ||
        scrolls(node.parentElement));
    const out = [...document.querySelectorAll<HTMLElement>(selector)].filter((node) => {
      const { left, right, width } = node.getBoundingClientRect();
      const beside = left < -1 || right > document.documentElement.clientWidth + 1;
      return beside && width > 1 && node.checkVisibility({ visibilityProperty: true }) && !scrolls(node.parentElement);
    });
    return out.length === 0 ? null : `cut off: ${out.map((node) => node.outerHTML.slice(0, 60)).join(', ')}`;
  }, INTERACTIVE);

/** Polite live regions, where there is more than one: they cut each other short. A field's `<output>` is one, and speaks at each step. */
const tooManyRegions = (page: Page): Promise<string | null> =>
  page.evaluate(() => {
    const polite = [...document.querySelectorAll('output, [role=status], [role=log], [aria-live=polite]')];
    if (polite.length < 2) return null;
    return `${polite.length} polite live regions: ${polite.map((node) => node.outerHTML.slice(0, 60)).join(', ')}`;
  });

/** Two frames: styles of another size or scheme have come, and observers of sizes have run. */
const drawn = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/**
 * What keeps somebody from using the page as it is now: what axe-core finds, in light and dark, on a desk and on a phone; that it
 * scrolls sideways, or has buttons beside the screen, on a tablet, at 390 px or at 200 %; and that it has more than one polite live region. The page is afterwards as it was.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  const before = page.viewport();
  const regions = await tooManyRegions(page);
  const found = regions === null ? [] : [regions];
  for (const { name, width, height, scale = 1, scheme, rules } of LOOKS) {
    await page.setViewport({ width, height, deviceScaleFactor: scale });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await drawn(page);
    const broken = rules?.length === 0 ? [] : await violationsOf(page, rules);
    found.push(...broken.map((fault) => `${name}: ${fault}`));
    for (const look of [tooWide, cutOff]) {
      const fault = await look(page);
      if (fault !== null) found.push(`${name}: ${fault}`);
    }
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(before);
  return found;
}

/** What can be pressed or filled in but is not reached by the tabulator, as the start of its HTML. */
export async function unreachedOf(page: Page): Promise<string[]> {
  await page.evaluate((selector) => {
    const left = [...document.querySelectorAll<HTMLElement>(selector)].filter(
      (node) => !node.matches(':disabled, [aria-hidden="true"], [role="option"]') && node.checkVisibility(),
    );
    Object.assign(window, { leftToReach: new Set(left) });
  }, INTERACTIVE);
  /** Notes where the focus is, and says how many are left; what the page has taken away meanwhile needs no reaching. */
  const note = () =>
    page.evaluate(() => {
      const { leftToReach: left } = window as unknown as { leftToReach: Set<Element> };
      left.delete(document.activeElement!);
      for (const node of left) if (!node.isConnected) left.delete(node);
      return left.size;
    });
  // From wherever the focus was, once to the end and once all through.
  let left = await note();
  for (let press = 2 * left + 20; left > 0 && press > 0; press--) {
    await page.keyboard.press('Tab');
    left = await note();
  }
  return page.evaluate(() =>
    [...(window as unknown as { leftToReach: Set<Element> }).leftToReach].map((node) => node.outerHTML.slice(0, 120)),
  );
}
