import type { BudgetName, BudgetSpec } from '../loadtest/src/contract.ts';

export type BrowseRequest = 'list' | 'image' | 'picture';

export interface Scenario {
  name: string;
  title: string;
  /** Sides in pixels. */
  images: {
    count: number;
    quickCount: number;
    minSide: number;
    maxSide: number;
    medianSide: number;
    maxCells: number;
  };
  phases: {
    upload: { concurrency: number; filesPerRequest: number };
    batch: { threshold: number; timeoutMs: number };
    burst: { windowMs: number; settleTimeoutMs: number; quietMs: number; clickAnswerMs: number };
    browse: {
      concurrency: number;
      requests: number;
      mix: readonly BrowseRequest[];
      pageSize: number;
      pages: number;
      distinctImages: number;
      pictureWidth: number;
    };
    /** Every byte is read once, in ranges of 1 MiB to `maxRangeBytes`. */
    downloads: { clients: number; fileBytes: number; maxRangeBytes: number };
    scroll: { sweeps: number; sweepMs: number };
  };
  budgets: readonly BudgetSpec[];
  /** Budgets that this scenario does not exercise, each with the reason. */
  notApplicable: Partial<Record<BudgetName, string>>;
}
