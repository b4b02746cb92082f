import type { NowBatch, NowReply } from '#contract/now.ts';
import type { WorkerReport } from '#contract/queue.ts';

const START = '2026-01-01T00:00:00.000Z';

export const workerReport = (number: number, change: Partial<WorkerReport> = {}): WorkerReport => ({
  id: `worker-1/${number}`,
  pid: 4000 + number,
  state: 'busy',
  model: 'nuclei 1',
  provider: 'cpu',
  imagesDone: 288 + number,
  lastError: null,
  busyRatio: 0.96,
  rssBytes: 312e6,
  slots: 1,
  batchFill: 1,
  seenAt: START,
  ...change,
});
const idOf = (number: number): string => `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`;
/** A running batch; a higher number is a newer one. */
export const nowBatch = (number: number, change: Partial<NowBatch> = {}): NowBatch => ({
  id: idOf(number),
  projectId: idOf(900_000),
  projectName: 'plate 7',
  status: 'running',
  pausedReason: null,
  model: 'nuclei',
  modelVersion: '1',
  threshold: 0.5,
  priority: 0,
  total: 1000,
  counts: { queued: 412, processing: 16, completed: 572, failed: 0, cancelled: 0 },
  reused: 0,
  imagesPerSecond: 38,
  eta: { seconds: 11, low: 9, high: 15 },
  retryOf: null,
  forecast: null,
  createdAt: START,
  startedAt: START,
  finishedAt: null,
  ...change,
});
export const nowReply = (change: Partial<NowReply> = {}): NowReply => ({
  timestamp: START,
  queue: {
    waiting: 412,
    active: 16,
    delayed: 0,
    failed: 0,
    oldestAgeMs: 8200,
    workers: [workerReport(1), workerReport(2)],
  },
  finished: [],
  stages: { images: 64, waitMs: 5200, runMs: 48, runP95Ms: 61, publishMs: 74 },
  eventLagMs: 120,
  openBatches: 1,
  batches: [nowBatch(1)],
  ...change,
});

const REPLIES: Record<string, unknown> = {
  'GET /api/metrics/health': {
    status: 'healthy',
    timestamp: START,
    services: {
      database: { status: 'healthy', latencyMs: 1.2 },
      queue: { status: 'healthy', latencyMs: 0.4 },
      cache: { status: 'healthy', latencyMs: 0.3 },
      inference: { status: 'healthy' },
    },
    system: {},
  },
  'GET /api/metrics/summary': {
    timestamp: START,
    uptime: 120,
    api: { requestsPerMinute: 212, avgResponseTime: 6.1, errorRate: 0 },
    database: { queriesPerMinute: 900, avgQueryTime: 1.1, slowQueries: 0 },
    system: { cpuUsage: 0.4, memoryUsage: 0.3, eventLoopLag: 1 },
    cache: { hitRate: 0.97, totalHits: 970, totalMisses: 30 },
    queue: {},
  },
  'GET /api/metrics/endpoints': {
    timestamp: START,
    totalRequests: 400,
    avgResponseTime: 6,
    errorRate: 0,
    slowEndpoints: [],
    percentiles: { p50: 3.4, p95: 18, p99: 41 },
  },
};

/** What the operator's page polls, as a service in good health would answer; undefined for unknown routes. */
export function operatorReply(route: string): unknown {
  return route === 'GET /api/now' ? nowReply({ timestamp: new Date().toISOString() }) : REPLIES[route];
}
