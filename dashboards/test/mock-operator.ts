const NOW = '2026-01-01T00:00:00.000Z';

const REPLIES: Record<string, unknown> = {
  'GET /api/metrics/health': {
    status: 'healthy',
    timestamp: NOW,
    services: {
      database: { status: 'healthy', latencyMs: 1.2 },
      queue: { status: 'healthy', latencyMs: 0.4 },
      cache: { status: 'healthy', latencyMs: 0.3 },
      inference: { status: 'healthy' },
    },
    system: {},
  },
  'GET /api/metrics/summary': {
    timestamp: NOW,
    uptime: 120,
    api: { requestsPerMinute: 212, avgResponseTime: 6.1, errorRate: 0 },
    database: { queriesPerMinute: 900, avgQueryTime: 1.1, slowQueries: 0 },
    system: { cpuUsage: 0.4, memoryUsage: 0.3, eventLoopLag: 1 },
    cache: { hitRate: 0.97, totalHits: 970, totalMisses: 30 },
    queue: {},
  },
  'GET /api/metrics/endpoints': {
    timestamp: NOW,
    totalRequests: 400,
    avgResponseTime: 6,
    errorRate: 0,
    slowEndpoints: [],
    percentiles: { p50: 3.4, p95: 18, p99: 41 },
  },
  'GET /api/queue': {
    waiting: 412,
    active: 16,
    delayed: 0,
    failed: 0,
    oldestAgeMs: 8200,
    workers: [1, 2].map((number) => ({
      id: `worker-1/${number}`,
      pid: 4000 + number,
      state: 'busy',
      model: 'nuclei 1',
      provider: 'cpu',
      imagesDone: 288 + number,
      lastError: null,
      busyRatio: 0.96,
      rssBytes: 312e6,
      seenAt: NOW,
    })),
  },
};

/** What the operator's page polls, as a service in good health would answer; undefined for unknown routes. */
export const operatorReply = (route: string): unknown => REPLIES[route];
