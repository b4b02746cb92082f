import type { FastifyInstance } from 'fastify';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { EndpointsReply, HealthReply, PerformanceReply, SlowQueriesReply, SummaryReply } from '#contract/metrics.ts';
import { showBudgets } from '../budget-gauges.ts';
import { showBuild } from '../build-info.ts';
import { showDisk } from '../disk-gauges.ts';
import { apiError } from '../errors.ts';
import { expose } from '../exposition.ts';
import { SLOW_QUERY_MS } from '../metrics.ts';
import { checkHealth } from '../plugins/health.ts';
import { recommend } from '../plugins/recommendations.ts';
import { replies } from './schemas.ts';

function readings(app: FastifyInstance) {
  const { windows, cacheTotals } = app.metrics;
  const http = windows.http.read();
  const database = windows.database.read();
  const cache = windows.cache.read();
  return {
    api: { requestsPerMinute: http.perMinute, avgResponseTime: http.meanMs, errorRate: http.errorRate },
    database: {
      queriesPerMinute: database.perMinute,
      avgQueryTime: database.meanMs,
      slowQueries: windows.slow.read().count,
    },
    cache: {
      hitRate: cache.count === 0 ? 0 : 1 - cache.errorRate,
      totalHits: cacheTotals.hits,
      totalMisses: cacheTotals.misses,
    },
  };
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  showBuild(app.metrics);
  showBudgets(app.metrics);
  showDisk(app.metrics, app.config.dataDir);
  const tags = ['metrics'];
  const onRequest = app.requireScope('metrics');
  const uptimeMs = () => process.uptime() * 1000;
  const timestamp = () => new Date().toISOString();

  app.get('/api/metrics/health', {
    onRequest,
    schema: { tags, summary: 'What works and what does not', response: replies({ 200: HealthReply }) },
    handler: async () => ({ ...(await checkHealth(app)), timestamp: timestamp(), system: app.system.read().current }),
  });
  app.get('/api/metrics/summary', {
    onRequest,
    schema: { tags, summary: 'The last minute on one page', response: replies({ 200: SummaryReply }) },
    handler: async () => {
      const { waiting, active, failed, oldestAgeMs, workers } = await app.queue();
      const queue = { waiting, active, failed, oldestAgeMs, workers: workers.length };
      return {
        timestamp: timestamp(),
        uptime: uptimeMs(),
        ...readings(app),
        system: app.system.read().current,
        queue,
      };
    },
  });
  app.get('/api/metrics/performance', {
    onRequest,
    schema: { tags, summary: 'The last minute, with averages and peaks', response: replies({ 200: PerformanceReply }) },
    handler: async () => ({
      timestamp: timestamp(),
      ...readings(app),
      system: app.system.read(),
      databasePool: app.metrics.databasePool(app.config.databasePool),
      uptime: uptimeMs(),
    }),
  });
  app.get('/api/metrics/slow-queries', {
    onRequest,
    schema: { tags, summary: `Queries over ${SLOW_QUERY_MS} ms`, response: replies({ 200: SlowQueriesReply }) },
    handler: async () => {
      const slowQueries = app.metrics.slow
        .map(({ query, duration, rowCount }) => ({ query, duration, rowCount }))
        .sort((a, b) => b.duration - a.duration);
      return { timestamp: timestamp(), slowQueries, recommendations: recommend(slowQueries) };
    },
  });
  app.get('/api/metrics/endpoints', {
    onRequest,
    schema: { tags, summary: 'The last minute by route, slowest first', response: replies({ 200: EndpointsReply }) },
    handler: async () => {
      const { count, meanMs, errorRate, percentiles, byLabel } = app.metrics.windows.http.read();
      const slowEndpoints = byLabel
        .sort((a, b) => b.meanMs - a.meanMs)
        .slice(0, 20)
        .map((route) => ({
          endpoint: route.label,
          avgResponseTime: route.meanMs,
          count: route.count,
          errorRate: route.errorRate,
        }));
      return {
        timestamp: timestamp(),
        totalRequests: count,
        avgResponseTime: meanMs,
        errorRate,
        slowEndpoints,
        percentiles,
      };
    },
  });

  app.get('/metrics', {
    schema: {
      tags,
      summary:
        'Prometheus text, or OpenMetrics for whoever asks for it; with a key of scope metrics, or on METRICS_PORT without',
      response: replies({ 200: Type.String() }),
    },
    handler: async (request, reply) => {
      const key = await app.identify(request);
      if (!key) throw apiError('UNAUTHENTICATED');
      if (!key.scopes.includes('metrics')) throw apiError('FORBIDDEN', `key ${key.name} lacks the scope metrics`);
      const { type, body } = await expose(app.metrics.registry, request.headers.accept);
      return reply.type(type).send(body);
    },
  });
  const Alive = Type.Object({ status: Type.String() });
  app.get('/healthz', {
    schema: { tags, summary: 'The process lives', response: replies({ 200: Alive }) },
    handler: async () => ({ status: 'ok' }),
  });
  app.get('/readyz', {
    schema: {
      tags,
      summary: 'The process can answer: its database does, and it was not asked to end',
      response: replies({ 200: Alive }),
    },
    handler: async () => {
      if (app.drain.isEnding()) throw apiError('ENDING');
      try {
        await app.connections.service`select 1`;
      } catch (error) {
        app.log.warn({ err: error }, 'not ready');
        throw apiError('UNAVAILABLE');
      }
      return { status: 'ready' };
    },
  });
};
export default routes;
