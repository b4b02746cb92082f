import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EndpointsReply, SummaryReply } from '#contract/metrics.ts';
import type { ReplyOf } from '#contract/client.ts';
import type { FastifyInstance } from 'fastify';
import { putReports } from '../../src/batches/worker-report.ts';
import { checkHealth } from '../../src/plugins/health.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';

type Performance = ReplyOf<'GET /api/metrics/performance'>;
type Health = ReplyOf<'GET /api/metrics/health'>;
type Slow = ReplyOf<'GET /api/metrics/slow-queries'>;
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
/** Milliseconds after the start, moved by hand. */
let clock = 0;
const START = Date.parse('2026-03-02T09:30:00Z');
let service: TestApp;

const read = async <T>(name: string) => (await (await service.call(`/api/metrics/${name}`)).json()) as T;
const send = async (path: string, times: number, init: { key?: null } = {}) => {
  for (let index = 0; index < times; index++) await (await service.call(path, init)).arrayBuffer();
};
/** The minute is over: nothing of it may be seen any more. */
const nextMinute = () => (clock += 61_000);

beforeAll(async () => {
  service = await startTestApp({}, { now: () => START + clock });
});
afterAll(() => service.close());

describe('the last minute of requests', () => {
  it('counts every request of it by route, with the share of failures, and nothing older', async () => {
    await send('/healthz', 7);
    nextMinute();
    await send('/healthz', 12);
    await send(`/api/images/${UNKNOWN}`, 4);
    await send('/api/session', 2, { key: null });
    await service.sql`alter table audit rename to audit_away`;
    await send('/api/audit', 6);
    await service.sql`alter table audit_away rename to audit`;

    const endpoints = await read<EndpointsReply>('endpoints');
    expect(endpoints).toMatchObject({ totalRequests: 24, errorRate: 6 / 24 });
    const byName = new Map(endpoints.slowEndpoints.map(({ endpoint, ...figures }) => [endpoint, figures]));
    expect([...byName.keys()].toSorted()).toEqual([
      'GET /api/audit',
      'GET /api/images/:id',
      'GET /api/session',
      'GET /healthz',
    ]);
    expect(byName.get('GET /healthz')).toMatchObject({ count: 12, errorRate: 0 });
    expect(byName.get('GET /api/audit')).toMatchObject({ count: 6, errorRate: 1 });
    // That reading is a request as well.
    const { api, timestamp } = await read<SummaryReply>('summary');
    expect(api).toMatchObject({ requestsPerMinute: 25, errorRate: 6 / 25 });
    expect(Number.isNaN(Date.parse(timestamp))).toBe(false);
    nextMinute();
    expect(await read<EndpointsReply>('endpoints')).toMatchObject({
      totalRequests: 0,
      avgResponseTime: 0,
      errorRate: 0,
      slowEndpoints: [],
    });
  });

  it('has the mean and the percentiles of known latencies, slowest route first', async () => {
    nextMinute();
    const { http } = service.app.metrics.windows;
    for (let ms = 1; ms <= 100; ms++) http.record(ms, ms > 90, ms > 50 ? 'GET /slow' : 'GET /fast');
    const endpoints = await read<EndpointsReply>('endpoints');
    expect(endpoints).toMatchObject({
      totalRequests: 100,
      avgResponseTime: 50.5,
      errorRate: 0.1,
      percentiles: { p50: 50, p95: 95, p99: 99 },
      slowEndpoints: [
        { endpoint: 'GET /slow', avgResponseTime: 75.5, count: 50, errorRate: 0.2 },
        { endpoint: 'GET /fast', avgResponseTime: 25.5, count: 50, errorRate: 0 },
      ],
    });
  });
});

describe('the last minute of the database', () => {
  it('counts queries, their mean and the slow ones', async () => {
    const { metrics } = service.app;
    const record = metrics.query.bind(metrics);
    const took = (...durations: number[]) => durations.forEach((ms) => record('select 1', ms, 0, 1, false));
    // What the service itself asks takes 10 ms each, however busy the machine is.
    vi.spyOn(metrics, 'query').mockImplementation((text, _took, ...rest) => record(text, 10, ...rest));
    const database = async () => (await read<SummaryReply>('summary')).database;
    nextMinute();
    expect((await database()).slowQueries).toBe(0);
    nextMinute();
    took(10, 20, 60, 70, 140);
    const { queriesPerMinute, avgQueryTime, slowQueries } = await database();
    expect(slowQueries).toBe(3);
    expect(queriesPerMinute).toBeGreaterThanOrEqual(5);
    expect(avgQueryTime * queriesPerMinute).toBeCloseTo(300 + 10 * (queriesPerMinute - 5));
    nextMinute();
    expect((await database()).slowQueries).toBe(0);
  });

  it('lists slow queries by their shape, longest first, with what to do', async () => {
    await service.tenant.sql.unsafe(`select pg_sleep(0.06), 'private' as note where 4711 > 1`);
    await service.tenant.sql.unsafe(`select pg_sleep(0.12), count(*) from projects where name = 'private'`);
    const { slowQueries, recommendations } = await read<Slow>('slow-queries');
    const own = slowQueries.filter(({ query }) => query.includes('pg_sleep'));
    expect(own.map(({ query }) => query)).toEqual([
      'select pg_sleep(?), count(*) from projects where name = ?',
      'select pg_sleep(?), ? as note where ? > ?',
    ]);
    expect(own[0]!.duration).toBeGreaterThanOrEqual(120);
    expect(own.map(({ rowCount }) => rowCount)).toEqual([1, 1]);
    expect(JSON.stringify(slowQueries)).not.toMatch(/private|4711/);
    expect(recommendations.some((advice) => advice.startsWith('large offset or count'))).toBe(true);
    expect(recommendations.some((advice) => advice.startsWith('no known pattern'))).toBe(true);
  });
});

describe('the rest of the figures', () => {
  it('has the hit rate of the last minute and totals since the start', async () => {
    const { metrics } = service.app;
    const before = (await read<SummaryReply>('summary')).cache;
    nextMinute();
    for (let index = 0; index < 3; index++) metrics.cacheHit('list');
    metrics.cacheMiss('list');
    expect((await read<SummaryReply>('summary')).cache).toEqual({
      hitRate: 0.75,
      totalHits: before.totalHits + 3,
      totalMisses: before.totalMisses + 1,
    });
    nextMinute();
    expect((await read<SummaryReply>('summary')).cache.hitRate).toBe(0);
  });

  it('sees the event loop blocked for 200 ms, and keeps it as a peak', async () => {
    const until = performance.now() + 200;
    while (performance.now() < until);
    const { system } = await read<Performance>('performance');
    expect(system.peaks.eventLoopLag).toBeGreaterThanOrEqual(150);
    expect(system.current.eventLoopLag).toBeGreaterThanOrEqual(150);
    expect(system.peaks.cpuUsage).toBeGreaterThanOrEqual(system.averages.cpuUsage);
    expect(system.current.memoryUsage).toBeGreaterThan(0);
  });

  it('shows the pool as it is while queries run and wait', async () => {
    const { sql } = service.tenant;
    // Of four connections one holds a lock that six queries wait for: three of them at the server, the others for a connection.
    const holder = await sql.reserve();
    await holder`select pg_advisory_lock(4711)`;
    const waiters = Array.from({ length: 6 }, () => sql`select pg_advisory_xact_lock(4711)`.execute());
    const pool = () => service.app.metrics.databasePool(4);
    await until(() => pool().idleCount === 1 && pool().waitingCount >= 3);
    expect(pool().totalCount).toBe(4);
    await holder`select pg_advisory_unlock(4711)`;
    holder.release();
    await Promise.all(waiters);
    expect((await read<Performance>('performance')).databasePool).toMatchObject({ totalCount: 4, waitingCount: 0 });
  });
});

describe('health', () => {
  it('says what does not work, and what that means for the whole', async () => {
    const answers = () => Promise.resolve('PONG');
    const refuses = () => Promise.reject(new Error('gone'));
    const partsWith = (change: object) => ({
      connections: { service: () => ({ execute: answers }) },
      cache: { redis: { ping: answers } },
      queueRedis: { ping: answers },
      queue: () => Promise.resolve({ workers: [{}, {}] }),
      storage: { dataDir: service.dataDir },
      config: { maxFileBytes: 1 },
      ...change,
    });
    const statusOf = async (change: object) => {
      const { status, services } = await checkHealth(partsWith(change) as unknown as FastifyInstance);
      return {
        status,
        parts: Object.entries(services)
          .filter((part) => part[1].status !== 'healthy')
          .map(([name]) => name),
      };
    };
    expect(await statusOf({})).toEqual({ status: 'healthy', parts: [] });
    expect(await statusOf({ connections: { service: () => ({ execute: refuses }) } })).toEqual({
      status: 'unhealthy',
      parts: ['database'],
    });
    expect(await statusOf({ queueRedis: { ping: refuses } })).toEqual({ status: 'degraded', parts: ['queue'] });
    for (const full of [{ config: { maxFileBytes: 1e18 } }, { storage: { dataDir: `${service.dataDir}/unmounted` } }])
      expect(await statusOf(full)).toEqual({ status: 'degraded', parts: ['storage'] });
    expect(await statusOf({ cache: { redis: { ping: refuses } } })).toEqual({ status: 'degraded', parts: ['cache'] });
    const queue = () => Promise.resolve({ workers: [] });
    expect(await statusOf({ queue })).toEqual({ status: 'degraded', parts: ['inference'] });
  });

  it('counts workers that report and images that wait', async () => {
    const { cache, config } = service.app;
    expect((await read<Health>('health')).services.inference).toMatchObject({ status: 'degraded', workers: 0 });
    const report = {
      id: 'w/1',
      pid: 1,
      state: 'idle',
      model: 'nuclei',
      provider: 'cpu',
      imagesDone: 0,
      lastError: null,
      busyRatio: 0,
      rssBytes: 1,
      slots: 1,
      batchFill: null,
      seenAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
    await putReports(cache.redis, config.queuePrefix, 'w', [report]);
    await cache.redis.persist(`${config.queuePrefix}:workers`);
    expect((await read<Health>('health')).services.inference.workers).toBe(1);
    const json = async (path: string, body: unknown) =>
      (await (await service.call(path, { method: 'POST', json: body })).json()) as { id: string };
    const { id } = await json('/api/projects', { name: 'waiting' });
    await uploadPictures(service, id, 3);
    await json(`/api/projects/${id}/batches`, { all: true });
    const { queue } = await read<SummaryReply>('summary');
    expect(queue).toMatchObject({ waiting: 3, active: 0, failed: 0, workers: 1 });
    expect(queue.oldestAgeMs).toBeGreaterThanOrEqual(0);
  });
});
