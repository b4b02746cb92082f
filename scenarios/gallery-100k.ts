/** A hundred thousand finished images in one gallery: what the page costs, however many there are. No model runs. */
import { GALLERY_BUDGETS } from './budgets-pages.ts';
import type { GalleryScenario } from './scenario.ts';

export const GALLERY_100K: GalleryScenario = {
  kind: 'gallery',
  name: 'gallery-100k',
  title: '100,000 finished images in one gallery, from end to end and back: first paint, nodes, memory, frames',
  images: { count: 100_000, quickCount: 5000 },
  phases: { pictures: 64, side: 256, sweeps: 6, sweepMs: 4000, visits: 40, quietMs: 500, timeoutMs: 60_000 },
  budgets: GALLERY_BUDGETS,
  notApplicable: {},
};
