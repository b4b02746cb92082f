/**
 * A bulk run as a microscopist starts one: a thousand images at once, one page open, then browsing and a large download.
 * Every number that shapes the load stands here, so that two runs that name this scenario did the same work.
 */
import { BUDGETS } from './budgets.ts';
import type { BulkScenario } from './scenario.ts';

export const BULK_1000: BulkScenario = {
  kind: 'bulk',
  name: 'bulk-1000',
  title: '1,000 images from upload to pixel, a completion burst, browsing, downloads and scrolling',
  images: {
    count: 1000,
    quickCount: 100,
    minSide: 128,
    maxSide: 512,
    medianSide: 256,
    maxCells: 120,
  },
  phases: {
    upload: { concurrency: 4, filesPerRequest: 20 },
    batch: { threshold: 0.5, timeoutMs: 600_000 },
    /** All images again, answered from the result cache: as many terminal events as images within `windowMs`. */
    burst: { windowMs: 2000, settleTimeoutMs: 120_000, quietMs: 500, clickAnswerMs: 200 },
    browse: {
      concurrency: 4,
      requests: 3000,
      /** One turn of the mix; it repeats until `requests` are sent. */
      mix: ['list', 'image', 'image', 'picture', 'list', 'image', 'picture', 'image', 'list', 'picture'],
      pageSize: 50,
      pages: 10,
      distinctImages: 45,
      pictureWidth: 160,
    },
    downloads: { clients: 32, fileBytes: 256 * 1024 * 1024, maxRangeBytes: 4 * 1024 * 1024 },
    scroll: { sweeps: 5, sweepMs: 3000 },
  },
  budgets: BUDGETS,
  notApplicable: {},
};
