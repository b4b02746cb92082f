/** Shapes of a comparison: what one block measured, what is concluded, and the `compare` section of `result.json`. */

/** What one block of images cost on one side. Times in ms. Null: this side does not tell. */
export interface BlockFigures {
  /** CPU time of all processes of the service, database and queue apart, by the block's images. */
  cpuMsPerImage: number | null;
  /** From the start to the last event, by the block's images. */
  batchMsPerImage: number;
  /** From the batch's POST to an image's last event at the client, over the block's images. */
  imageP50Ms: number;
  imageP95Ms: number;
  imagesPerSecond: number;
  /** Of a fixed mix of reads after the batch. */
  apiP50Ms: number | null;
  apiP95Ms: number | null;
  /** Statements sent to PostgreSQL, less those that each event window costs, by images. */
  queriesPerImage: number | null;
  apiBytesPerImage: number | null;
  framesPerBatch: number | null;
  /** Images whose terminal event did not come exactly once. */
  eventsWrong: number;
  notCompleted: number;
  /** Warnings of leaked listeners since the side began, over its processes. */
  listenerWarnings: number | null;
  cpuMsByRole: Record<string, number>;
  /** Mean time of an image in each stage. */
  stageMs: Record<string, number>;
  /** Share of the machine that processes outside this comparison took, 0-1. */
  foreignCpuShare: number | null;
  generatorLagP99Ms: number | null;
  /** From the batch's POST to its end. */
  durationMs: number;
}

/** Base, base again, and head: the three blocks of one pair, run in an order drawn by chance. */
export interface Triple {
  a: BlockFigures;
  again: BlockFigures;
  b: BlockFigures;
  order: string;
}

export type CompareVerdict = 'pass' | 'regression' | 'inconclusive';

/** One primary metric at the last look. Ratios are head / base. */
export interface MetricDecision {
  metric: string;
  name: string;
  unit: 'ms';
  base: number;
  now: number;
  ratio: number;
  low: number;
  high: number;
  /** Growth that matters, as a share. */
  limit: number;
  /** Adjusted for the primary metrics. */
  p: number;
  /** Growth that would have been found in 95 of 100 runs like this one; null: none, with so few pairs. */
  smallest: number | null;
  /** Base again against base, which are the same program: what the noise makes of nothing. */
  control: { ratio: number; low: number; high: number };
  verdict: CompareVerdict;
  why: string;
}

/** A count or a number of bytes: medians over blocks, and whether all of head's blocks were above all of base's. */
export interface CountDecision {
  metric: string;
  name: string;
  unit: 'count' | 'bytes';
  base: number | null;
  now: number | null;
  limit: number | null;
  verdict: CompareVerdict | 'not-run';
  why: string;
}

export interface Decision {
  verdict: CompareVerdict;
  /** The verdict in sentences. */
  words: string[];
  /** Nothing that may still come would change it: stop here. */
  clear: boolean;
  metrics: MetricDecision[];
  counts: CountDecision[];
  notes: string[];
}

/** Mean per image in a stage, or of a role's CPU; `moved`: by a twentieth at least, and its interval excludes 1. */
export interface StageMove {
  kind: 'stage' | 'cpu';
  name: string;
  baseMs: number;
  nowMs: number;
  ratio: number;
  low: number;
  high: number;
  moved: boolean;
}

export interface SideInfo {
  name: 'base' | 'head';
  /** A commit's name, or a target's adapter. */
  ref: string;
  /** Its hash, or a target's version; empty where it tells none. */
  commit: string;
}

/** `compare` of `result.json`. */
export interface CompareSection extends Decision {
  base: SideInfo;
  head: SideInfo;
  seed: number;
  imagesPerBlock: number;
  plannedPairs: number;
  pairs: number;
  looks: number[];
  stages: StageMove[];
  triples: Triple[];
  /** SHA-256 over what must be equal for two machines' times to be set side by side. */
  fingerprint: string;
  simulated: boolean;
}
