/** Shapes that the stages of a run hand to each other through files, and the result file (schema version 1). */
import type { BudgetName } from './budget-names.ts';
import type { CapacitySection } from './capacity/contract.ts';
import type { CompareSection } from './compare/contract.ts';
import type { Identity } from './measure/identities.ts';
import type { LogHistogram } from './measure/log-histogram.ts';
import type { Percentile } from './measure/percentile.ts';
import type { ReportPlot, ReportTable } from './report-parts.ts';

export * from './budget-names.ts';
export * from './report-parts.ts';
export type { Identity, Percentile };

export const VERDICTS = ['pass', 'fail', 'regression', 'inconclusive', 'error', 'interrupted'] as const;
export type Verdict = (typeof VERDICTS)[number];
export type BudgetVerdict = 'pass' | 'fail' | 'inconclusive' | 'not-run' | 'n/a';
export const OPERATORS = ['<=', '<', '=', '>='] as const;
export type Operator = (typeof OPERATORS)[number];
export type BudgetUnit = 'ms' | 'bytes' | 'count' | 'ratio' | 'per-minute';

export interface BudgetSpec {
  name: BudgetName;
  unit: BudgetUnit;
  operator: Operator;
  limit: number;
  description: string;
  source: string;
  /** A ratio of times: foreign load can be what moved it, as with a time. */
  timed?: boolean;
  /** Below this number of images a pass proves nothing and reads `n/a`; a violation still fails. */
  minCount?: number;
}

/**
 * `actual` null: not measured, and `note` says why. `values`: the repeats or sweeps that `actual` was taken from.
 * A wait that timed out is measured too: its `actual` is the time waited, in the budget's unit (JSON has no Infinity).
 */
export interface Measurement {
  actual: number | null;
  values?: number[];
  note?: string;
  /** Why the load or the instrument fell short of the scenario, so that a pass would prove nothing: it reads `inconclusive`. */
  weakened?: string;
  /** Why neither a pass nor a violation would prove anything, such as a load that came late: it reads `inconclusive`. */
  unjudgeable?: string;
  /** The same of something that does nothing of its own, measured beside it: what this machine can do at this moment, whatever runs. */
  floor?: { actual: number; of: string };
  /** Why this budget says nothing about this target or scenario: it reads `n/a` and does not count. */
  notApplicable?: string;
  /** Of a percentile: what it was read from. Absent where none is kept. */
  percentile?: Percentile;
  /** Of frames: the figure of each sweep, by kind of movement. `actual` is their median, of several kinds the largest. */
  sweeps?: number[][];
}
export type Measurements = Partial<Record<BudgetName, Measurement>>;

export interface JudgedBudget {
  name: BudgetName;
  unit: BudgetUnit;
  operator: Operator;
  limit: number;
  actual: number | null;
  values: number[];
  verdict: BudgetVerdict;
  source: string;
  note?: string;
  percentile?: Percentile;
}

export interface Delivery {
  submitted: number;
  completed: number;
  failed: number;
  terminalEventsReceived: number;
  duplicates: number;
  missing: number;
  sequenceGaps: number;
  /** Where somebody looked: images that have a row, that the page shows as they ended, and that it was told of late. */
  stored?: number;
  shown?: number;
  late?: number;
}

export interface Accuracy {
  dataset: string;
  split: string | null;
  images: number;
  ap50: number;
  ap75: number;
  meanIoU: number;
  countErrorRatio: number;
}

export interface StageSummary {
  count: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  cpuMsPerImage: number | null;
  /** Values by size, `[k, count]`: from 2^(k/8) to 2^((k+1)/8) ms. Absent in results of earlier versions. */
  histogram?: LogHistogram;
}

export interface ClientSummary {
  /** The judged settle: of the completion burst. */
  settleMs: number | null;
  /** From the burst's start rather than from its last frame. */
  settleFromStartMs: number | null;
  /** Of the measured batch itself, before the burst. */
  batchSettleMs: number | null;
  toasts: number;
  apiCalls: Record<string, number>;
  bulkCalls: number;
  resultBytesWire: number;
  heapRetainedBytes: number | null;
  heapPeakBytes: number | null;
  rendererPssBytes: number | null;
  domNodesMax: number;
  longFrames: number;
  blockingMs: number;
  framesP95Ms: number | null;
  inpMs: number | null;
  /** Frames with events that the page was sent, from its opening to the end of the burst. */
  eventFrames?: number;
}

export interface EnvironmentInfo {
  cpuModel: string;
  cores: number;
  memoryBytes: number;
  os: string;
  node: string;
  postgres: string;
  redis: string;
  browser: string;
  inference: { pool: string; provider: string; model: string; modelSha256: string };
  provider: 'embedded' | 'testcontainers' | 'external';
  /** Share of the run's time in which some task waited for a CPU (PSI), 0-1; null where the kernel has none. */
  psiCpuSome: number | null;
  notes: string[];
}

export interface RejectedFile {
  name: string;
  code: string;
  message: string;
}

/** What disturbed the clocks from outside the measured system. Null: not measured. */
export interface NoiseInfo {
  /** Share of the machine's CPU time that processes outside this run took, 0-1. */
  foreignCpuShare: number | null;
  /** How late the harness's own timers fired, 99th percentile. */
  generatorLagP99Ms: number | null;
}

/** One of the repeats that a result was merged from. */
export interface Repeat {
  startedAt: string;
  finishedAt: string;
  noise?: NoiseInfo;
  /** What of its own two counts did not agree, in words. */
  contradictions: string[];
  /** What the ratchet's figures are made of. Absent in results of earlier versions. */
  counts?: RepeatCounts;
}
export interface RepeatCounts extends Pick<RunData, 'database' | 'batchEvents'> {
  client: Pick<ClientSummary, 'apiCalls' | 'resultBytesWire'>;
}

/** What a run leaves in `measurements.json` for the judge: everything but verdicts. */
export interface RunData {
  scenario: string;
  client: 'optimized' | 'naive';
  seed: number;
  startedAt: string;
  finishedAt: string;
  environment: EnvironmentInfo;
  images: {
    count: number;
    source: 'synthetic' | 'directory';
    bytes: number;
    sha256OfSet: string;
    rejected: RejectedFile[];
    failedByCode: Record<string, number>;
  };
  measurements: Measurements;
  delivery: Delivery;
  accuracy: Accuracy | null;
  stages: Record<string, StageSummary>;
  clientSummary: ClientSummary;
  efficiency: {
    cpuRatio: number | null;
    imagesPerSecond: number | null;
    rawImagesPerSecond: number | null;
    throughputRatio: number | null;
  };
  process: Record<string, { rssPeakBytes: number; cpuSeconds: number }>;
  phases: { name: string; startedAt: string; durationMs: number }[];
  noise?: NoiseInfo;
  /** Statements sent to PostgreSQL by the service in the measured batch, and the transactions of its workers. */
  database?: { queries: number; queriesPerImage: number; claims?: number; writes?: number };
  /** Frames with events of the measured batch at the subscriber outside the page, from its first to its last. */
  batchEvents?: { frames: number; durationMs: number };
  /** Inference workers of this service; absent for a service that is not ours. */
  workers?: number;
  /** How it scales, and what an image costs: what `npm run plan` reads. */
  capacity?: CapacitySection;
  /** Settings that this run gave the service beside those of every run: what was switched off. */
  settings?: Record<string, string>;
  /** What the scenario has to show beside budgets. */
  tables?: ReportTable[];
  plots?: ReportPlot[];
  /** What the verdict can be found again from: a file in the run's folder. */
  rawLedger?: { file: string; sha256: string; bytes: number };
  /** Checks of the instruments; one that does not hold makes the run inconclusive. */
  identities?: Identity[];
  /** In their order; of a run that was not repeated absent. */
  repeats?: Repeat[];
  /** Set when the run ended early. */
  stopped?: { reason: 'interrupted' | 'error'; message: string };
}

/** One metric beside its value in the baseline. `gate` false: reported, never a verdict. */
export interface BaselineRow {
  metric: string;
  unit: BudgetUnit;
  base: number | null;
  now: number | null;
  /** now / base; null where base is 0 or either is missing. */
  ratio: number | null;
  gate: boolean;
  verdict: 'same' | 'better' | 'regression' | 'incomparable' | 'reported';
}
export interface BaselineComparison {
  file: string;
  /** False: another scenario, client, model or set of images; nothing is concluded from such a pair. */
  comparable: boolean;
  notes: string[];
  rows: BaselineRow[];
}

/** One count beside the committed one. `missing`: the file has none. */
export interface RatchetRow {
  metric: string;
  name: string;
  unit: BudgetUnit;
  recorded: number | null;
  limit: number | null;
  now: number | null;
  /** Of each repeat that can show it, where there were several. */
  values?: number[];
  verdict: 'pass' | 'regression' | 'missing' | 'not-run';
  why: string;
}
export interface RatchetComparison {
  rows: RatchetRow[];
  /** What is not held and why, and how growth is accepted. */
  notes: string[];
}

/** One figure of a run with an optimisation and of one without it. */
export interface WithoutRow {
  metric: string;
  unit: BudgetUnit;
  with: number | null;
  without: number | null;
  /** without / with; null where `with` is 0 or either is missing. */
  ratio: number | null;
  /** Whether the two differ by more than two equal runs do. */
  moved: boolean;
}
export interface WithoutComparison {
  name: string;
  /** What turned it off, such as `CACHE=off`. */
  setting: string;
  rows: WithoutRow[];
  /** Why the run without it ended early, when it did. */
  stopped?: string;
}

export interface ResultFile extends Omit<RunData, 'measurements' | 'clientSummary' | 'client'> {
  schemaVersion: 1;
  tool: { name: string; version: string; commit: string };
  verdict: Verdict;
  budgets: JudgedBudget[];
  clientMode: 'optimized' | 'naive';
  client: ClientSummary;
  /** What a reader must know to trust the verdict: noise, contradictions between two counts, why it ended early. */
  notes: string[];
  baseline?: BaselineComparison;
  /** Counts and bytes against `scenarios/ratchet.json`. */
  ratchet?: RatchetComparison;
  /** What each optimisation named by `--without` is worth; no part of the verdict. */
  without?: WithoutComparison[];
  /** Of `npm run compare`: head against base; `budgets` is empty then. */
  compare?: CompareSection;
}
