/** One large image with thousands of outlines in the viewer, moved and zoomed. No model runs. */
import { VIEWER_BUDGETS } from './budgets-pages.ts';
import type { ViewerScenario } from './scenario.ts';

export const VIEWER: ViewerScenario = {
  kind: 'viewer',
  name: 'viewer',
  title:
    'an image of 8,000 × 8,000 pixels with 5,000 outlines, moved and zoomed: frames, full resolution, memory, wrong outlines',
  images: { count: 5000, quickCount: 1000 },
  phases: {
    side: 8000,
    quickSide: 4500,
    moves: 3,
    moveMs: 3000,
    looks: 4,
    picks: 8,
    quietMs: 300,
    timeoutMs: 30_000,
  },
  budgets: VIEWER_BUDGETS,
  notApplicable: {},
};
