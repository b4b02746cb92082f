import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { normaliseQuery } from './normalise-query.ts';
import { TERMINAL_STATUSES } from './contract/names.ts';
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
/** Of `segbench_db_connections_limit`, which each role has in its own way. */
export const CONNECTIONS_HELP = 'Connections to PostgreSQL that this process may have.';
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

  // The labels of an exemplar are no labels of the metric: they make no series.
  const httpDuration = new Histogram<'method' | 'route' | 'status' | 'trace_id'>({
    name: 'segbench_http_request_duration_seconds',
    help: 'From the request line to the last byte handed to the socket.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.5, 1, 2, 5, 10, 30],
    enableExemplars: true,
    registers: [],
  });
  // prom-client writes either format, but lets no metric with exemplars be made for a registry of the plain one
  registry.registerMetric(httpDuration);
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
  for (const [name, help, read] of [
    ['segbench_db_connections_busy', 'Queries that run, each on its connection.', () => pool.running],
    ['segbench_db_queries_waiting', 'Queries that wait for their turn on a connection.', () => pool.waiting],
  ] as const)
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
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
  const workerTransactions = new Counter({
    name: 'segbench_worker_transactions_total',
    help: 'Transactions of workers, each for all images that came together: claims of images, writes of outcomes.',
    labelNames: ['kind'] as const,
    registers,
  });
  const events = new Counter({
    name: 'segbench_events_total',
    help: 'Image events numbered and sent.',
    labelNames: ['status'] as const,
    registers,
  });
  // A series that begins at its first failure has no rate there.
  for (const status of TERMINAL_STATUSES) events.inc({ status }, 0);
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
    workerTransactions,
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
    /** One request; `traceId` null where nobody follows it. */
    http(labels: { method: string; route: string; status: string }, seconds: number, traceId: string | null) {
      httpDuration.observe({
        labels,
        value: seconds,
        ...(traceId !== null && { exemplarLabels: { trace_id: traceId } }),
      });
    },
    /** A gauge read at scrape time; absent while there is nothing to read. */
    gauge(name: string, help: string, read: () => number | null | Promise<number | null>) {
      return new Gauge({
        name,
        help,
        registers,
        async collect() {
          const value = await read();
          // a reset leaves a 0, which would be a value
          if (value === null) this.remove();
          else this.set(value);
        },
      });
    },
    /** A counter that somebody else keeps, read at scrape time; absent while there is nothing to read. */
    counter(name: string, help: string, read: () => number | null | Promise<number | null>) {
      return new Counter({
        name,
        help,
        registers,
        async collect() {
          const value = await read();
          this.reset();
          if (value === null) this.remove();
          else this.inc(value);
        },
      });
    },
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
