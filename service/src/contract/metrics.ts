import { Type, type Static } from 'typebox';
import { Literals, Timestamp } from './common.ts';

const n = Type.Number();
const HEALTH = ['healthy', 'degraded', 'unhealthy'] as const;
const Status = Literals(HEALTH);
const Part = Type.Object({ status: Status, latencyMs: n });

/**
 * Times in ms, ratios 0-1 (CPU: of all cores, memory: of the machine's); rates, means, percentiles and the hit rate are those of the
 * last minute of this process, totals those since its start. `eventLoopLag` is the longest that a timer came late in five seconds.
 */
export const System = Type.Object({ cpuUsage: n, memoryUsage: n, eventLoopLag: n });
export type System = Static<typeof System>;
const Api = Type.Object({ requestsPerMinute: n, avgResponseTime: n, errorRate: n });
const Database = Type.Object({ queriesPerMinute: n, avgQueryTime: n, slowQueries: n });
const CacheTotals = Type.Object({ hitRate: n, totalHits: n, totalMisses: n });
const QueueTotals = Type.Object({ waiting: n, active: n, failed: n, oldestAgeMs: n, workers: n });

export const HealthReply = Type.Object({
  status: Status,
  timestamp: Timestamp,
  services: Type.Object({
    database: Part,
    queue: Part,
    cache: Part,
    inference: Type.Object({ status: Status, latencyMs: n, workers: n }),
    /** The disk of DATA_DIR: degraded where it has no room for an upload. */
    storage: Part,
  }),
  system: System,
});
export type HealthReply = Static<typeof HealthReply>;

export const SummaryReply = Type.Object({
  timestamp: Timestamp,
  uptime: n,
  api: Api,
  database: Database,
  system: System,
  cache: CacheTotals,
  queue: QueueTotals,
});
export type SummaryReply = Static<typeof SummaryReply>;
export const SlowQueriesReply = Type.Object({
  timestamp: Timestamp,
  slowQueries: Type.Array(Type.Object({ query: Type.String(), duration: n, rowCount: n })),
  recommendations: Type.Array(Type.String()),
});
export const EndpointsReply = Type.Object({
  timestamp: Timestamp,
  totalRequests: n,
  avgResponseTime: n,
  errorRate: n,
  slowEndpoints: Type.Array(Type.Object({ endpoint: Type.String(), avgResponseTime: n, count: n, errorRate: n })),
  percentiles: Type.Object({ p50: n, p95: n, p99: n }),
});
export type EndpointsReply = Static<typeof EndpointsReply>;
export const PerformanceReply = Type.Object({
  timestamp: Timestamp,
  api: Api,
  database: Database,
  system: Type.Object({ current: System, averages: System, peaks: System }),
  cache: CacheTotals,
  databasePool: Type.Object({ totalCount: n, idleCount: n, waitingCount: n }),
  uptime: n,
});
