/** Bulk runs of other sizes and shapes: what they don't say is as in `bulk-1000`. */
import type { BudgetName } from '../loadtest/src/contract.ts';
import { BULK_1000 } from './bulk-1000.ts';
import { BUDGETS } from './budgets.ts';
import type { BulkScenario } from './scenario.ts';

const { images, phases } = BULK_1000;
const HOUR_MS = 3_600_000;

/** The same on the laptop of somebody who looks at it: a fourth of this machine's processor for the page. */
export const BULK_1000_SLOW_PAGE: BulkScenario = {
  ...BULK_1000,
  name: 'bulk-1000-slow-page',
  title: '1,000 images, watched by a page whose processor is four times slower than this machine',
  slowerPage: 4,
};

/** Three hundred cells an image: result bytes, polygons and what a page keeps of them. */
export const BULK_1000_DENSE: BulkScenario = {
  ...BULK_1000,
  name: 'bulk-1000-dense',
  title: '1,000 images of about 300 cells each: results, polygons and pictures at their heaviest',
  images: { ...images, minSide: 320, medianSide: 448, maxSide: 640, minCells: 240, maxCells: 360 },
  phases: { ...phases, batch: { ...phases.batch, timeoutMs: HOUR_MS } },
};

/** Ten times as many as the limits were written for. */
export const BULK_10000: BulkScenario = {
  ...BULK_1000,
  name: 'bulk-10000',
  title: '10,000 small images in one batch: what grows with their number',
  images: { ...images, count: 10_000, quickCount: 500, minSide: 64, medianSide: 128, maxSide: 256, maxCells: 40 },
  phases: {
    ...phases,
    upload: { ...phases.upload, filesPerRequest: 100 },
    batch: { ...phases.batch, timeoutMs: HOUR_MS },
    burst: { ...phases.burst, windowMs: 20_000, settleTimeoutMs: 600_000 },
  },
};

/** From thumbnails to slides that are cut into tiles. */
export const MIXED_SIZES: BulkScenario = {
  ...BULK_1000,
  name: 'mixed-sizes',
  title: '200 images with sides of 32 to 2,048 pixels: padding, tiles and batches of unlike shapes',
  images: { ...images, count: 200, quickCount: 40, minSide: 32, medianSide: 256, maxSide: 2048, maxCells: 600 },
  phases: {
    ...phases,
    upload: { ...phases.upload, filesPerRequest: 5 },
    batch: { ...phases.batch, timeoutMs: HOUR_MS },
    browse: { ...phases.browse, pages: 4 },
  },
};

/** Somebody's own images, by `--images DIR`: how well they are segmented stands beside how fast. */
export const REAL_IMAGES: BulkScenario = {
  ...BULK_1000,
  name: 'real-images',
  title: 'all images of a folder (--images DIR); with labels beside them also how well they are segmented',
  needsImages: true,
  phases: { ...phases, batch: { ...phases.batch, timeoutMs: HOUR_MS } },
};

/** Budgets that the phases of the way out alone can say something of. */
const OF_DOWNLOADS: readonly BudgetName[] = ['download_rss_growth_bytes', 'service_rss_bytes', 'delivery_missing'];
const notOf = (names: readonly BudgetName[], why: string): BulkScenario['notApplicable'] =>
  Object.fromEntries(BUDGETS.flatMap(({ name }) => (names.includes(name) ? [] : [[name, why]])));

/** One file of a gigabyte, many readers. */
export const DOWNLOADS: BulkScenario = {
  ...BULK_1000,
  name: 'downloads',
  title: '64 clients read ranges of one file of 1 GiB: the memory of the API must not follow',
  images: { ...images, count: 20, quickCount: 10 },
  runs: ['upload', 'batch', 'downloads'],
  phases: { ...phases, downloads: { ...phases.downloads, clients: 64, fileBytes: 1024 ** 3 } },
  notApplicable: notOf(OF_DOWNLOADS, 'this scenario does nothing but download'),
};
