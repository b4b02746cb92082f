import type { Browser, CDPSession, Page } from 'puppeteer-core';
import { fastClock } from '../stand-in/busy-day.ts';
import type { Day } from '../stand-in/day.ts';
import { IN_VIEW } from './gallery.ts';

export type HourPageName = 'operator' | 'gallery';

/** One page that is open for the whole hour, and what of it can be compared with what it was told. */
export interface HourPage {
  name: HourPageName;
  page: Page;
  cdp: CDPSession;
  errors: string[];
  /** What the day has told until now, of which the page must know. */
  told: () => number;
  /** What is wrong with what it shows, of which it must know `told`; null for nothing. */
  fault: (told: number) => Promise<string | null>;
  /** Whether it says that what it shows is old. */
  saysOld: () => Promise<boolean>;
}

const VIEWPORT = { width: 1280, height: 800 };
/** Seconds of the day from one batch of the operator's page to the next. */
const BATCH_EVERY_S = 10;

interface OperatorShown {
  age: string | null;
  batch: string | null;
}
const OPERATOR = `({
  age: document.querySelector('[data-age]')?.dataset.age ?? null,
  batch: document.querySelector('[data-batch]')?.dataset.batch ?? null,
})`;

interface GalleryShown {
  live: boolean;
  lost: boolean;
  batchId: string | null;
  done: number;
  cells: [id: string, polygons: number][];
}
const GALLERY = `(() => {
  const bar = document.querySelector('[role=progressbar]');
  return {
    live: document.querySelector('.connection-live') !== null,
    lost: document.querySelector('.connection-lost') !== null,
    batchId: bar?.dataset.batchId ?? null,
    done: Number(bar?.getAttribute('aria-valuenow')),
    cells: ${IN_VIEW},
  };
})()`;

/** The operator's page: its newest batch is the one of the second of which it was told, and its data is called fresh. */
export function operatorFault({ age, batch }: OperatorShown, told: number): string | null {
  if (age !== 'fresh') return `its data is said to be ${age ?? 'of no age'}`;
  const shown = Number(batch?.slice(-12));
  const expected = Math.floor(told / BATCH_EVERY_S);
  return shown >= expected ? null : `shows batch ${shown} where ${expected} had begun`;
}

/** What is so of an image that has ended: outlines of its result, and how long that has been told, in seconds of the day. */
interface Ended {
  polygons: number;
  agoSeconds: number;
}
interface GalleryTruth {
  batches: readonly string[];
  /** Null for one that has not ended yet. */
  image: (id: string) => Ended | null;
  /** Images that have ended, over all batches of `total` each. */
  told: number;
  total: number;
  /** While a batch runs, a gallery asks for results now and then: for so long it may show none. */
  resultsWithinSeconds: number;
}

/** The gallery: live, its bar as far as the batches were, and no image in view with other outlines than it has, or for too long with none. */
export function galleryFault(
  shown: Pick<GalleryShown, 'live' | 'batchId' | 'done' | 'cells'>,
  { batches, image, told, total, resultsWithinSeconds }: GalleryTruth,
): string | null {
  if (!shown.live) return 'says that it is not live';
  const batch = shown.batchId === null ? -1 : batches.indexOf(shown.batchId);
  const known = batch * total + shown.done;
  if (!(batch >= 0 && known >= told)) return `its bar knows of ${known} images of ${told}`;
  if (shown.cells.length === 0) return 'shows no image';
  const wrong = shown.cells.filter(([id, polygons]) => {
    const ended = image(id);
    if (ended === null || ended.polygons === polygons) return false;
    return polygons !== NONE || ended.agoSeconds > resultsWithinSeconds;
  });
  const [first] = wrong;
  if (first === undefined) return null;
  const what = first[1] === NONE ? 'none' : first[1];
  return `${wrong.length} of ${shown.cells.length} images in view show other outlines, the first ${what} of ${image(first[0])?.polygons}`;
}
/** What a cell says that shows no outlines. */
const NONE = -1;

async function openPage(browser: Browser, url: string, speed: number, ready: string, script?: string) {
  // A context each: two pages of one share a process, and its heap.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(VIEWPORT);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.evaluateOnNewDocument(fastClock, speed);
  if (script) await page.evaluateOnNewDocument(script);
  await page.goto(url);
  await page.waitForSelector(ready);
  return { page, cdp: await page.createCDPSession(), errors };
}

interface HourOptions {
  /** Of the pages' clocks. */
  speed: number;
  resultsWithinSeconds: number;
  /** Runs in the pages before their own: defects planted by tests. */
  script?: string | undefined;
}

async function openOperator(browser: Browser, day: Day, { speed, script }: HourOptions): Promise<HourPage> {
  const opened = await openPage(browser, `${day.url}/`, speed, '.plot canvas', script);
  const shown = async () => (await opened.page.evaluate(OPERATOR)) as OperatorShown;
  return {
    name: 'operator',
    ...opened,
    told: day.second,
    fault: async (told) => operatorFault(await shown(), told),
    saysOld: async () => (await shown()).age === 'stale',
  };
}

/** A gallery, open on the day, with a clock as fast as its. */
export async function openGallery(
  browser: Browser,
  day: Day,
  { speed, resultsWithinSeconds, script }: HourOptions,
): Promise<HourPage> {
  const { project, url } = day;
  const total = project.images.length;
  const opened = await openPage(browser, `${url}/projects/${project.id}`, speed, '[data-image-id]', script);
  const shown = async () => (await opened.page.evaluate(GALLERY)) as GalleryShown;
  const image = (id: string): Ended | null => {
    const place = project.positionOf(id);
    const agoSeconds = day.endedAgo(place);
    return agoSeconds === null ? null : { polygons: project.images[place]!.result!.polygonCount, agoSeconds };
  };
  return {
    name: 'gallery',
    ...opened,
    told: () => day.told.events,
    async fault(told) {
      const batches = project.batches.map(({ id }) => id);
      return galleryFault(await shown(), { batches, image, told, total, resultsWithinSeconds });
    },
    saysOld: async () => (await shown()).lost,
  };
}

/** Both pages, open on the day. */
export const openHourPages = async (browser: Browser, day: Day, options: HourOptions): Promise<HourPage[]> => [
  await openOperator(browser, day, options),
  await openGallery(browser, day, options),
];
