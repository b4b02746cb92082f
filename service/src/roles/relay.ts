import { createLeader, type Leadership } from '../batches/leader.ts';
import { startLoop } from '../batches/loop.ts';
import { isTransient, withRetry } from '../batches/locks.ts';
import { createJobQueue, type JobQueue } from '../batches/queue.ts';
import { readQueue, type QueueCounts } from '../batches/read.ts';
import { reconcileOnce } from '../batches/reconcile.ts';
import { createPace, refillMs, relayOnce } from '../batches/relay.ts';
import { createCache, type CacheServer } from '../cache.ts';
import { createPurges } from '../cdn/purges.ts';
import type { Config } from '../config.ts';
import { crashInQueue, crashPointsOf, type CrashPoints } from '../crash-points.ts';
import { createDatabase, idleInTransactionMs, type Sql } from '../database/client.ts';
import { startDeletion } from '../deletion/loops.ts';
import { listenTo } from '../events/listener.ts';
import { createTamper } from '../events/plant.ts';
import { pruneFrames, sequenceOnce } from '../events/sequencer.ts';
import { showBuild } from '../build-info.ts';
import { startMetricsServer } from '../metrics-server.ts';
import { CONNECTIONS_HELP, createMetrics, type Metrics } from '../metrics.ts';
import { plantInQueue } from '../plants.ts';
import { createStorage } from '../storage.ts';
import { createFollower, type Follower } from '../traces/follow.ts';
import { createTraces } from '../traces/traces.ts';
import { createWebhooks } from '../webhooks/outbox.ts';
import { showServers } from './relay-gauges.ts';
import { createLog, textOf, type Log, type RoleHandle } from './role.ts';

/** While Redis does not answer. */
const RELAY_RETRY_MS = 250;
const RECONCILE_MS = 1_000;
const ORPHANS_EVERY_MS = 30_000;
const SEQUENCE_POLL_MS = 1_000;
const PRUNE_MS = 60_000;

interface RelayDeps {
  config: Config;
  sql: Sql;
  queue: JobQueue;
  cache: CacheServer;
  purges: ReturnType<typeof createPurges>;
  webhooks: ReturnType<typeof createWebhooks>;
  follower: Follower | null;
  metrics: Metrics;
  log: Log;
  points: CrashPoints | null;
}

/** Says what goes wrong with one part; an outage is one line, not one line a step. */
function reporter(log: Log, what: string): (error: unknown) => void {
  let last = '';
  return (error) => {
    const message = `${what}: ${textOf(error)}`;
    log(message === last || isTransient(error) ? 'info' : 'warn', message);
    last = message;
  };
}

/** What only the leader does: outbox to queue, recovery, numbering of events. */
function lead({ config, sql, queue, cache, purges, webhooks, follower, metrics, log, points }: RelayDeps): Leadership {
  const report = (what: string) => reporter(log, what);
  const { leaseMs, failurePauseRatio } = config;
  let orphansAt = 0;
  let filledAt = performance.now();
  const pace = createPace();
  const { queueWindow: window } = config;
  const inTurn = !config.plant.has('first-come');
  const relay = startLoop({
    everyMs: RELAY_RETRY_MS,
    async step() {
      const sinceMs = performance.now() - filledAt;
      filledAt += sinceMs;
      const ahead = Math.min(window, pace.ahead());
      const relayed = await relayOnce(sql, queue, { window, ahead, leaseMs, inTurn, onMoved: follower?.moved });
      pace.observe(relayed, sinceMs);
      return refillMs(relayed.moved, sinceMs, ahead);
    },
    onError: report('relay'),
  });
  const reconciler = startLoop({
    everyMs: RECONCILE_MS,
    async step() {
      const orphans = performance.now() >= orphansAt;
      if (orphans) orphansAt = performance.now() + ORPHANS_EVERY_MS;
      const done = await reconcileOnce(sql, queue, { leaseMs, failurePauseRatio, orphans });
      const parts = Object.entries(done).filter(([, count]) => count > 0);
      if (parts.length > 0) log('warn', `reconciled: ${parts.map(([what, count]) => `${what} ${count}`).join(', ')}`);
    },
    onError: report('reconciler'),
  });
  const tamper = createTamper(config.plant);
  const sequencer = startLoop({
    everyMs: SEQUENCE_POLL_MS,
    gatherMs: config.eventBatching ? config.eventWindowMs : 0,
    step: () =>
      withRetry(() =>
        sequenceOnce(sql, {
          ...(tamper ? { tamper } : {}),
          follower,
          // who hears of a change and reads must see it: cached pages go before the event does
          async beforeCommit(projectIds) {
            await Promise.all(projectIds.map((id) => cache.bump(id)));
            points?.reach('numbered');
          },
          onSent(events) {
            for (const { status, publishMs } of events) {
              metrics.events.inc({ status });
              metrics.stageDuration.observe({ stage: 'publish' }, publishMs / 1000);
            }
          },
        }),
      ),
    onError: report('sequencer'),
  });
  const prune = startLoop({
    everyMs: PRUNE_MS,
    step: () => pruneFrames(sql, { maxAgeMs: config.eventLogMs, maxFrames: config.eventLogFrames }),
    onError: report('event log'),
  });
  const deletion = startDeletion({
    sql,
    storage: createStorage(config.dataDir),
    graceMs: config.collectAfterMs,
    onError: report,
    log: (message) => log('info', message),
  });
  const purging = purges.start();
  const hooks = webhooks.start();
  const following = follower === null ? [] : [follower.start(report('traces'))];
  const listener = listenTo({
    databaseUrl: config.databaseUrl,
    channels: ['segbench_jobs', 'segbench_events'],
    onNotify: (channel) => (channel === 'segbench_jobs' ? relay : sequencer).wake(),
    onConnected() {
      relay.wake();
      sequencer.wake();
    },
  });
  return {
    async stop() {
      await listener.close();
      await Promise.all(
        [relay, reconciler, sequencer, prune, purging, hooks, ...following, ...deletion].map((loop) => loop.stop()),
      );
    },
  };
}

/** The relay role: one leader among any number of relays, the others stand by. */
export async function startRelay(config: Config): Promise<RoleHandle> {
  const log = createLog(config);
  const metrics = createMetrics('relay');
  showBuild(metrics);
  metrics.gauge('segbench_db_connections_limit', CONNECTIONS_HELP, () => config.databasePool);
  const sql = createDatabase(config.databaseUrl, {
    max: config.databasePool,
    metrics,
    name: 'segbench-relay',
    idleInTransactionMs: idleInTransactionMs(config),
  });
  const points = crashPointsOf(config);
  const redis = createJobQueue({ url: config.queueRedisUrl, prefix: config.queuePrefix });
  const queue = plantInQueue(crashInQueue(redis, points), config.plant);
  const cache = createCache({ url: config.cacheRedisUrl, enabled: config.cache, prefix: config.queuePrefix });
  await cache.open();
  // once a process: a term of leadership may end and another begin
  const purges = createPurges({ sql, config, metrics, onError: reporter(log, 'purges of the CDN') });
  const webhooks = createWebhooks({
    sql,
    config,
    metrics,
    log,
    onError: reporter(log, 'webhooks'),
  });
  const traces = await createTraces(config, metrics, log);
  const follower = traces === null ? null : createFollower({ sql, traces, metrics });
  const leader = createLeader({
    databaseUrl: config.databaseUrl,
    lead: async () => lead({ config, sql, queue, cache, purges, webhooks, follower, metrics, log, points }),
    log: (message) => log('warn', message),
  });
  let counts: QueueCounts = { waiting: 0, active: 0, delayed: 0, failed: 0, oldestAgeMs: 0 };
  const gauges = startLoop({
    everyMs: RECONCILE_MS,
    step: async () => void (counts = await readQueue(sql, null)),
    onError: () => {},
  });
  metrics.gauge('segbench_relay_leader', '1 in the process that leads.', () => (leader.isLeader() ? 1 : 0));
  showServers({ metrics, sql, queue: redis, cache, prefix: config.queuePrefix, counts: () => counts });
  const server = await startMetricsServer(metrics, config.metricsPort, { host: config.metricsHost });
  return {
    metricsUrl: `${server.url}/metrics`,
    async close() {
      await leader.close();
      await traces?.close();
      await gauges.stop();
      await queue.close();
      await cache.close();
      await sql.end({ timeout: 2 });
      await server.close();
    },
  };
}
