import type { BulkScenario } from '../../../scenarios/scenario.ts';
import type { Batch } from '#contract/batches.ts';
import type { BudgetName, ClientSummary, Measurement, Measurements, RunData } from '../contract.ts';
import type { ObservedPage } from '../drivers/browser/page.ts';
import type { LedgerSocket } from '../drivers/ledger-socket.ts';
import type { UploadedImage, UploadOutcome } from '../drivers/upload.ts';
import type { ImageSet } from '../images/image-set.ts';
import type { CpuReading, ProcessSampler } from '../measure/processes.ts';
import type { Scrape } from '../measure/scrape.ts';
import type { RunFolder } from './folder.ts';
import type { Progress } from './progress.ts';
import type { Services } from './services.ts';

const PAGES = { optimized: '/projects/', naive: '/naive/projects/' } as const;

export type ClientMode = RunData['client'];

/** One batch as the harness followed it. Times in epoch ms. */
export interface FollowedBatch {
  batch: Batch;
  clickedAtMs: number;
  postedAtMs: number;
  finishedAtMs: number;
}

/** What the phases of a run share: what they work with, and what they leave for the ones that follow. */
export interface Bench {
  scenario: BulkScenario;
  mode: ClientMode;
  /** Path of the page that is measured; the self-test page takes the gallery's place. */
  pagePath: (projectId: string) => string;
  /** A violation planted in the page, by tests. */
  pageScript?: string | undefined;
  services: Services;
  set: ImageSet;
  folder: RunFolder;
  progress: Progress;
  sampler: ProcessSampler;
  signal: AbortSignal;
  seed: number;

  measurements: Measurements;
  client: ClientSummary;
  phases: RunData['phases'];
  projectId?: string;
  upload?: UploadOutcome;
  socket?: LedgerSocket;
  page?: ObservedPage;
  pssBefore?: number;
  first?: FollowedBatch;
  burst?: FollowedBatch;
  cpuOfBatch?: { before: CpuReading; after: CpuReading };
  scrapes: Record<string, Scrape[]>;
  cells?: Map<string, string>;
  notes: string[];
}

/** A run that has done nothing yet. */
export const createBench = (
  given: Omit<Bench, 'measurements' | 'client' | 'phases' | 'scrapes' | 'notes' | 'pagePath'> &
    Partial<Pick<Bench, 'pagePath'>>,
  scrapes: Scrape[],
): Bench => ({
  pagePath: (projectId) => PAGES[given.mode] + projectId,
  ...given,
  measurements: {},
  client: emptyClientSummary(),
  phases: [],
  scrapes: { start: scrapes },
  notes: [],
});

export const emptyClientSummary = (): ClientSummary => ({
  settleMs: null,
  settleFromStartMs: null,
  batchSettleMs: null,
  toasts: 0,
  apiCalls: {},
  bulkCalls: 0,
  resultBytesWire: 0,
  heapRetainedBytes: null,
  heapPeakBytes: null,
  rendererPssBytes: null,
  domNodesMax: 0,
  longFrames: 0,
  blockingMs: 0,
  framesP95Ms: null,
  inpMs: null,
});

export function measured(bench: Bench, name: BudgetName, measurement: Measurement | number): void {
  bench.measurements[name] = typeof measurement === 'number' ? { actual: measurement } : measurement;
}

/** What an earlier phase should have left; its absence is a defect of the order of phases. */
export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there yet: phases ran out of order`);
  return value;
}

export const uploadedOf = (bench: Bench): UploadedImage[] => need(bench.upload, 'the upload').uploaded;
export const imageIdsOf = (bench: Bench): string[] => uploadedOf(bench).map(({ image }) => image.id);
