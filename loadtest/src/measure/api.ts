import { percentileOfBuckets } from './percentile.ts';
import { bucketsOf, histogramMean, sumOf, type Bucket, type Sample } from './prometheus.ts';

const HTTP = 'segbench_http_request_duration_seconds';
const QUERY = 'segbench_db_query_duration_seconds';
const TRANSACTIONS = 'segbench_worker_transactions_total';

/** Uploads, downloads and exports take as long as their bytes do; a socket's request lasts as long as the socket. */
export function isJudgedRoute({ method, route }: Record<string, string>): boolean {
  if (method === 'POST' && /\/projects\/[^/]+\/images$/.test(route ?? '')) return false;
  return !/\/(download|exports)(\/|$)|\/api\/events$/.test(route ?? '');
}

/** Mean response time over all judged routes, ms; null when nothing was counted. */
export function apiLatencyMeanMs(counted: readonly Sample[]): number | null {
  const mean = histogramMean(counted, HTTP, isJudgedRoute);
  return mean === null ? null : mean * 1000;
}

/** 95th percentile of all queries of all roles, ms, from buckets that have an edge at the limit. */
export const queryP95 = (counted: readonly Sample[]) =>
  percentileOfBuckets(
    bucketsOf(counted, QUERY).map(([edge, count]): Bucket => [edge * 1000, count]),
    0.95,
  );

export const queryCount = (counted: readonly Sample[]): number => sumOf(counted, `${QUERY}_count`);

/** How often workers claimed images, and wrote what became of them: each time for all that came together. */
export function workerTransactions(counted: readonly Sample[]): { claims: number; writes: number } {
  const of = (kind: string): number => sumOf(counted, TRANSACTIONS, (labels) => labels['kind'] === kind);
  return { claims: of('claim'), writes: of('write') };
}
