import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { BulkScenario } from '../../../scenarios/scenario.ts';

const { phases } = BULK_1000;

/** `bulk-1000` in small: the same phases and budgets, as much of each as it takes to see a violation. */
export const SMALL: BulkScenario = {
  ...BULK_1000,
  name: 'plants',
  images: { ...BULK_1000.images, count: 48, minSide: 96, medianSide: 112, maxSide: 128, maxCells: 12 },
  phases: {
    ...phases,
    batch: { ...phases.batch, timeoutMs: 60_000 },
    burst: { ...phases.burst, settleTimeoutMs: 8_000 },
    browse: { ...phases.browse, requests: 120, pages: 2, distinctImages: 4 },
    downloads: { ...phases.downloads, fileBytes: 96 * 1024 * 1024 },
    scroll: { sweeps: 7, sweepMs: 800 },
  },
};
