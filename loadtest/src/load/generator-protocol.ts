import type { EncodedHistogram } from '../drivers/histogram.ts';

/** One request of the mix; it repeats in order. */
export interface MixRequest {
  name: string;
  method: 'GET' | 'POST';
  path: string;
  body?: string;
  headers?: Record<string, string>;
  /** What an answer must be beside 2xx; one that is not counts as `wrong`. */
  expect?: { status: number; bytes?: number; includes?: readonly string[]; excludes?: string };
}
export interface GeneratorTask {
  url: string;
  key: string;
  mix: MixRequest[];
  durationMs: number;
  seed: number;
  /** Open: so many a second, whatever comes back. Closed: so many at a time. */
  load: { kind: 'open'; perSecond: number } | { kind: 'closed'; concurrency: number };
  /** Of the series below. */
  bucketMs: number;
  /** `settledP99Ms` leaves out what was intended before. */
  settleMs: number;
}
export interface Bucket {
  /** From the start of the load, ms. */
  atMs: number;
  ok: number;
  refused: number;
  failed: number;
  /** Of accepted requests by their intended start in this bucket; null without any. */
  p50Ms: number | null;
  p99Ms: number | null;
}
export interface GeneratorReport {
  intended: number;
  sent: number;
  /** Answered 2xx. */
  ok: number;
  /** 429 and 503 with Retry-After. */
  refused: number;
  /** 2xx, and not what was expected, by name of the request. */
  wrong: Record<string, number>;
  /** Accepted requests by name, from their intended start after `settleMs`; ms. */
  byName: Record<
    string,
    { count: number; p50Ms: number; p95Ms: number; p99Ms: number; maxMs: number; hdr: EncodedHistogram }
  >;
  /** Everything else, by status or error. */
  failed: Record<string, number>;
  /** From the first intended start to the last answer, ms. */
  tookMs: number;
  /** Accepted requests, from their intended start; ms. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
  /** Of those intended after `settleMs`. */
  settledP99Ms: number | null;
  /** How long refusals took; ms. */
  refusedP99Ms: number | null;
  /** Start of a request after its intended one, ms, 99th percentile. */
  lagP99Ms: number | null;
  /** What these were read from; absent where nothing was recorded. */
  hdr: Partial<Record<'ok' | 'settled' | 'lag', EncodedHistogram>>;
  /** Requests on their way on average: counted at each start and end; and by rate and mean time of their histogram (Little 1961). */
  inFlight: { counted: number; byLittle: number };
  buckets: Bucket[];
}
