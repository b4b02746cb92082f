import { createServer, type Server } from 'node:http';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { normaliseQuery } from './normalise-query.ts';
import { WARNING_NAMES, warningCounts } from './warnings.ts';
import { createWindow } from './windows.ts';

export interface SlowQuery {
  query: string;
  /** Milliseconds. */
  duration: number;
  rowCount: number;
  at: number;
}

/** A query over this goes into the slow list. */
export const SLOW_QUERY_MS = 50;
const SLOW_QUERIES_KEPT = 50;
/** Of `nodejs_eventloop_lag_*`. Its timer costs a process that does nothing 3.6 CPU ms a second at 10 ms, 0.8 at 50 ms. */
const LOOP_PRECISION_MS = 50;

/**
 * The one registry of a process. Edges of the buckets lie on the budgets, so that a budget is judged without interpolation.
 * @param now milliseconds of the last-minute windows; injected for tests.
 */
export function createMetrics(role: string, now: () => number = Date.now) {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
  // Gauges that call themselves totals, against the naming convention.
  for (const kind of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  const registers = [registry];
  const slow: SlowQuery[] = [];
  const cacheTotals = { hits: 0, misses: 0 };
  const pool = { running: 0, waiting: 0 };
  const windows = {
    http: createWindow(undefined, now),
    database: createWindow(undefined, now),
    slow: createWindow(4096, now),
    /** A miss counts as failed. */
    cache: createWindow(8192, now),
  };

  const httpDuration = new Histogram({
    name: 'segbench_http_request_duration_seconds',
    help: 'From the request line to the last byte handed to the socket.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const dbQueryDuration = new Histogram({
    name: 'segbench_db_query_duration_seconds',
    help: 'From a query being first in line on its connection to its last row, without the wait before.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers,
  });
  const dbPoolWait = new Histogram({
    name: 'segbench_db_pool_wait_seconds',
    help: 'Wait of a query for its turn on a connection.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const cacheRequests = new Counter({
    name: 'segbench_cache_requests_total',
    help: 'Reads answered by a cache (hit) or not (miss).',
    labelNames: ['cache', 'outcome'] as const,
    registers,
  });
  const stageDuration = new Histogram({
    name: 'segbench_stage_duration_seconds',
    help: 'Time of one image in one stage.',
    labelNames: ['stage'] as const,
    buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300],
    registers,
  });
  const inferenceExecution = new Histogram({
    name: 'segbench_inference_execution_seconds',
    help: 'Execution of one image in a child, without the queue.',
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const events = new Counter({
    name: 'segbench_events_total',
    help: 'Image events numbered and sent.',
    labelNames: ['status'] as const,
    registers,
  });
  new Counter({
    name: 'segbench_process_warnings_total',
    help: 'Warnings of Node, such as of listeners that are added and never taken away.',
    labelNames: ['name'] as const,
    registers,
    collect() {
      this.reset();
      for (const name of WARNING_NAMES) this.inc({ name }, warningCounts()[name]);
    },
  });
  const compressionBytes = new Counter({
    name: 'segbench_compression_bytes_total',
    help: 'Bytes of compressible JSON replies before and after compression.',
    labelNames: ['stage', 'route'] as const,
    registers,
  });

  return {
    role,
    registry,
    registers,
    windows,
    slow: slow as readonly SlowQuery[],
    cacheTotals: cacheTotals as Readonly<typeof cacheTotals>,
    httpDuration,
    dbQueryDuration,
    dbPoolWait,
    cacheRequests,
    stageDuration,
    inferenceExecution,
    events,
    compressionBytes,
    cacheHit(cache: string) {
      cacheTotals.hits++;
      windows.cache.record(0, false, cache);
      cacheRequests.inc({ cache, outcome: 'hit' });
    },
    cacheMiss(cache: string) {
      cacheTotals.misses++;
      windows.cache.record(0, true, cache);
      cacheRequests.inc({ cache, outcome: 'miss' });
    },
    /** Queries that run and wait now; `client.ts` keeps them. */
    pool,
    databasePool: (max: number) => ({
      totalCount: max,
      idleCount: Math.max(0, max - pool.running),
      waitingCount: pool.waiting,
    }),
    /** `waitMs` for a connection, then `durationMs` on it. */
    query(text: string, durationMs: number, waitMs: number, rowCount: number, failed: boolean) {
      dbQueryDuration.observe(durationMs / 1000);
      dbPoolWait.observe(waitMs / 1000);
      windows.database.record(durationMs, failed, '');
      if (durationMs < SLOW_QUERY_MS) return;
      windows.slow.record(durationMs, failed, '');
      slow.push({
        query: normaliseQuery(text),
        duration: durationMs,
        rowCount,
        at: now(),
      });
      if (slow.length > SLOW_QUERIES_KEPT) slow.shift();
    },
    /** A gauge read at scrape time. */
    gauge(name: string, help: string, read: () => number) {
      return new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * `/metrics` and `/healthz` of one process on its own port (loopback by default), without a key.
 * @param health answers `/healthz`; false or a rejection is a 503.
 */
export async function startMetricsServer(
  metrics: Metrics,
  port: number,
  options: { host?: string; health?: () => boolean | Promise<boolean> } = {},
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const host = options.host ?? '127.0.0.1';
  const answer = async (path: string): Promise<{ status: number; type: string; body: string }> => {
    if (path === '/metrics')
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    if (path !== '/healthz') return { status: 404, type: 'text/plain', body: 'only /metrics and /healthz\n' };
    const healthy = (await options.health?.()) ?? true;
    return {
      status: healthy ? 200 : 503,
      type: 'application/json',
      body: JSON.stringify({ healthy, role: metrics.role }),
    };
  };
  const server: Server = createServer((request, reply) => {
    answer((request.url ?? '/').split('?')[0] ?? '/').then(
      ({ status, type, body }) => reply.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => reply.writeHead(503, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
