import { summed } from '../../prometheus/src/promql.ts';
import { WEBHOOK_WAITS_SECONDS } from '../../prometheus/src/tickets.ts';
import { AUTO, one, type DashboardSpec } from './panel.ts';

const rate = (metric: string, by = '', only = ''): string => summed('rate', metric, { only }, by)(AUTO);

export const SERVERS: DashboardSpec = {
  uid: 'segbench-servers',
  title: 'segbench: database and queue',
  description:
    'PostgreSQL, both Redis, and what waits in them, webhooks among it. Every relay shows the same: panels take the largest.',
  from: 'now-3h',
  rows: [
    {
      title: 'Queue',
      panels: [
        {
          title: 'Images',
          description: 'Of open batches: waiting, in work, and of paused batches.',
          unit: 'short',
          queries: [
            { expr: 'max(segbench_queue_depth)', legend: 'waiting' },
            { expr: 'max(segbench_queue_active)', legend: 'in work' },
            { expr: 'max(segbench_queue_paused)', legend: 'paused' },
          ],
          stacked: true,
        },
        {
          title: 'Oldest job',
          description: 'How long the oldest job in Redis has waited for a worker. Over the line somebody is woken.',
          unit: 's',
          queries: one('max(segbench_queue_oldest_job_age_seconds)', 'oldest job'),
          limit: { value: 600, good: 'below' },
        },
        {
          title: 'Oldest batch',
          description: 'Age of the oldest batch with images that wait: a large one may take its time.',
          unit: 's',
          queries: one('max(segbench_queue_oldest_age_seconds)', 'oldest batch'),
        },
        {
          title: 'Events that have no number yet',
          description: 'Age of the oldest: how late readers are told.',
          unit: 's',
          queries: one('max(segbench_events_oldest_age_seconds)', 'oldest event'),
        },
        {
          title: 'Ends of images',
          description: 'A minute, by how they ended, as readers are told.',
          unit: 'cpm',
          queries: one(
            `60 * ${rate('segbench_events_total', 'status', 'status=~"completed|failed|cancelled"')}`,
            '{{status}}',
          ),
        },
        {
          title: 'Memory of Redis',
          description:
            'Share of maxmemory. The queue evicts nothing: over the line somebody is woken. The cache fills up and evicts, as it should.',
          unit: 'percentunit',
          queries: one(
            'max by (server) (segbench_redis_memory_used_bytes / segbench_redis_memory_limit_bytes)',
            '{{server}}',
          ),
          limit: { value: 0.8, good: 'below' },
          max: 1,
        },
      ],
    },
    {
      title: 'PostgreSQL',
      panels: [
        {
          title: 'Queries',
          description: 'A second, by role.',
          unit: 'cps',
          queries: one(rate('segbench_db_query_duration_seconds_count', 'role'), '{{role}}'),
          stacked: true,
        },
        {
          title: 'Query time',
          description: '95th percentile by role, without the wait for a connection.',
          unit: 's',
          queries: one(
            `histogram_quantile(0.95, ${rate('segbench_db_query_duration_seconds_bucket', 'le, role')})`,
            '{{role}}',
          ),
        },
        {
          title: 'Wait for a connection',
          description:
            '95th percentile by role. Above a few milliseconds: DATABASE_POOL is small, or queries are slow.',
          unit: 's',
          queries: one(
            `histogram_quantile(0.95, ${rate('segbench_db_pool_wait_seconds_bucket', 'le, role')})`,
            '{{role}}',
          ),
        },
        {
          title: 'Connections in use',
          description: 'Share of the connections that each process may have.',
          unit: 'percentunit',
          queries: one('segbench_db_connections_busy / segbench_db_connections_limit', '{{role}} {{instance}}'),
          max: 1,
        },
        {
          title: 'Queries that wait',
          description: 'For their turn on a connection, by process.',
          unit: 'short',
          queries: one('segbench_db_queries_waiting', '{{role}} {{instance}}'),
        },
        {
          title: 'Connections of the server',
          description: 'All clients together, and max_connections.',
          unit: 'short',
          queries: [
            { expr: 'max(segbench_postgres_connections)', legend: 'open' },
            { expr: 'max(segbench_postgres_connections_limit)', legend: 'limit' },
          ],
        },
        {
          title: 'Transactions',
          description: 'A second: committed, rolled back, and deadlocks that were broken.',
          unit: 'cps',
          queries: ['commits', 'rollbacks', 'deadlocks'].map((what) => ({
            expr: `max(rate(segbench_postgres_${what}_total[${AUTO}]))`,
            legend: what,
          })),
        },
        {
          title: 'Oldest transaction',
          description: 'A long one holds locks, and keeps dead rows from being cleared.',
          unit: 's',
          queries: one('max(segbench_postgres_oldest_transaction_seconds)', 'oldest'),
        },
        {
          title: 'Blocks found in memory',
          description: 'Share of the blocks that were in shared buffers. Below 0.99 for long: more memory.',
          unit: 'percentunit',
          queries: one(
            `max(rate(segbench_postgres_blocks_hit_total[${AUTO}])) / (max(rate(segbench_postgres_blocks_hit_total[${AUTO}])) + max(rate(segbench_postgres_blocks_read_total[${AUTO}])))`,
            'hits',
          ),
          max: 1,
        },
        {
          title: 'Size of the database',
          description: 'On its disk, indexes and dead rows included.',
          unit: 'decbytes',
          queries: one('max(segbench_postgres_size_bytes)', 'size'),
          width: 12,
        },
        {
          title: 'Disk of DATA_DIR',
          description: 'Free, and in all. A tenth wakes somebody.',
          unit: 'decbytes',
          queries: [
            { expr: 'min(segbench_storage_free_bytes)', legend: 'free' },
            { expr: 'max(segbench_storage_size_bytes)', legend: 'size' },
          ],
          width: 12,
        },
      ],
    },
    {
      title: 'Webhooks',
      panels: [
        {
          title: 'Attempts',
          description:
            'A minute: sent, failed and tried again later, given up. Given up is lost: the log and the audit say which.',
          unit: 'cpm',
          queries: one(`60 * ${rate('segbench_webhooks_total', 'outcome')}`, '{{outcome}}'),
        },
        {
          title: 'Messages that wait',
          description: 'For a receiver to take them. They wait in PostgreSQL; of a tenant 10,000 at most.',
          unit: 'short',
          queries: one('max(segbench_webhooks_waiting)', 'waiting'),
        },
        {
          title: 'Oldest message',
          description:
            'Age of the oldest that nobody took. Over the line for ten minutes there is a ticket: a receiver is away.',
          unit: 's',
          queries: one('max(segbench_webhooks_oldest_age_seconds)', 'oldest'),
          limit: { value: WEBHOOK_WAITS_SECONDS, good: 'below' },
        },
      ],
    },
  ],
};
