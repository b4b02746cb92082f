/** Budgets of the pages with very many images. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';

const SIZE = 'segbench: a gallery of 100,000 images costs what one of 1,000 does';

export const GALLERY_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'gallery_first_paint_ms',
    unit: 'ms',
    operator: '<',
    limit: 1000,
    description: 'First contentful paint of the gallery',
    source: SIZE,
  },
  {
    name: 'gallery_dom_nodes',
    unit: 'count',
    operator: '<',
    limit: 600,
    description: 'Elements in the page, the most of all looks: opened, at each end, and after a jump',
    source: SIZE,
  },
  {
    name: 'gallery_heap_retained_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 60e6,
    description:
      'Heap, DOM and array buffers that the page retains after it was scrolled from end to end and back, after forced garbage collection',
    source: SIZE,
  },
  {
    name: 'gallery_frame_p95_ms',
    unit: 'ms',
    operator: '<=',
    limit: 20,
    description: 'Frame interval while the gallery is scrolled from end to end, 95th percentile, median of the sweeps',
    source: SIZE,
  },
  {
    name: 'gallery_wrong_cells',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Cells in view that, once the page is quiet, do not show the outlines that the database has',
    source: SIZE,
  },
];
