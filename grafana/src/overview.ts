import { summed } from '../../prometheus/src/promql.ts';
import { BURN_PANEL, LIVE_BUDGET_PANELS } from './budget-panels.ts';
import { AUTO, one, type DashboardSpec, type PanelSpec } from './panel.ts';

const HTTP = 'segbench_http_request_duration_seconds';
const rate = (metric: string, by = '', only = ''): string => summed('rate', metric, { only }, by)(AUTO);

const stat = (
  title: string,
  description: string,
  unit: string,
  expr: string,
  rest: Partial<PanelSpec> = {},
): PanelSpec => ({
  kind: 'stat',
  title,
  description,
  unit,
  queries: one(expr, ''),
  width: 4,
  ...rest,
});

const NOW: readonly PanelSpec[] = [
  stat(
    'Images a minute',
    'Images that completed, now.',
    'cpm',
    `60 * ${rate('segbench_events_total', '', 'status="completed"')}`,
  ),
  stat(
    'Waiting',
    'Images that wait for a worker, of batches that are not paused.',
    'short',
    'max(segbench_queue_depth)',
  ),
  stat(
    'Oldest job',
    'How long the oldest job in Redis has waited. Ten minutes wake somebody.',
    's',
    'max(segbench_queue_oldest_job_age_seconds)',
    {
      limit: { value: 600, good: 'below' },
    },
  ),
  stat(
    'Workers',
    'Worker processes that have reported in the last seconds.',
    'short',
    'max(segbench_workers_reporting)',
    {
      limit: { value: 1, good: 'above' },
    },
  ),
  stat(
    'Relays that lead',
    'One leads; without it no job reaches a worker and no event a reader.',
    'short',
    'sum(segbench_relay_leader)',
    {
      limit: { value: 1, good: 'above' },
    },
  ),
  stat(
    'Disk free',
    'Of DATA_DIR. A tenth wakes somebody.',
    'percentunit',
    'min(segbench_storage_free_bytes / segbench_storage_size_bytes)',
    {
      limit: { value: 0.1, good: 'above' },
    },
  ),
];

const HTTP_PANELS: readonly PanelSpec[] = [
  {
    title: 'Requests',
    description: 'Answers a second by route template.',
    unit: 'reqps',
    queries: one(rate(`${HTTP}_count`, 'route'), '{{route}}'),
    stacked: true,
  },
  {
    title: 'Errors',
    description:
      'Answers a second with 4xx or 5xx, by route and status. 503 with OVERLOADED is load that is shed. The very first of a route and status is not in it: a series that begins has no rate.',
    unit: 'reqps',
    queries: one(rate(`${HTTP}_count`, 'route, status', 'status=~"[45].."'), '{{status}} {{route}}'),
  },
  {
    title: 'Duration',
    description: '50th, 95th and 99th percentile of all routes, sockets apart. Points lead to traces.',
    unit: 's',
    queries: [0.5, 0.95, 0.99].map((q) => ({
      expr: `histogram_quantile(${q}, ${rate(`${HTTP}_bucket`, 'le')})`,
      legend: `p${q * 100}`,
    })),
    exemplars: true,
  },
  {
    title: 'Refused because busy',
    description: 'Requests a second that were refused at once with 503, by why.',
    unit: 'reqps',
    queries: one(rate('segbench_shed_requests_total', 'reason'), '{{reason}}'),
  },
  {
    title: 'Sockets',
    description: 'Open WebSockets, those that follow events, and of these the ones that do not keep up.',
    unit: 'short',
    queries: [
      { expr: 'sum(segbench_sockets_held)', legend: 'open' },
      { expr: 'sum(segbench_event_readers)', legend: 'readers' },
      { expr: 'sum(segbench_event_readers_behind)', legend: 'behind' },
    ],
  },
  {
    title: 'Sockets in use',
    description: 'Share of the WebSockets that each process may have (SOCKETS). At 1 more are refused.',
    unit: 'percentunit',
    queries: one('segbench_sockets_held / segbench_sockets_limit', '{{role}} {{instance}}'),
    max: 1,
  },
  {
    title: 'Connections and readers ended',
    description: 'A second: refused over a limit, cut because they were too slow, ended because they took nothing.',
    unit: 'cps',
    queries: [
      { expr: rate('segbench_connections_refused_total'), legend: 'connections refused' },
      { expr: rate('segbench_sockets_refused_total'), legend: 'sockets refused' },
      { expr: rate('segbench_slow_bodies_cut_total'), legend: 'slow bodies' },
      { expr: rate('segbench_slow_readers_cut_total'), legend: 'slow readers' },
      { expr: rate('segbench_event_readers_ended_total'), legend: 'event readers' },
    ],
    width: 24,
  },
];

const PROCESSES: readonly PanelSpec[] = [
  {
    title: 'CPU',
    description: 'Cores that each process keeps busy, without its children.',
    unit: 'short',
    queries: one(rate('process_cpu_seconds_total', 'role, instance'), '{{role}} {{instance}}'),
  },
  {
    title: 'Memory',
    description: 'Resident memory of each process, without its children.',
    unit: 'decbytes',
    queries: one('process_resident_memory_bytes', '{{role}} {{instance}}'),
  },
  {
    title: 'Event loop',
    description: 'How late timers are, 99th percentile since the last scrape.',
    unit: 's',
    queries: one('nodejs_eventloop_lag_p99_seconds', '{{role}} {{instance}}'),
  },
  {
    title: 'Versions',
    description: 'Processes by what they run: two at once while a new version is rolled out, never for long.',
    unit: 'short',
    queries: one('count by (version, node) (segbench_build_info)', '{{version}}, Node {{node}}'),
    stacked: true,
  },
  {
    title: 'Compression and cache',
    description: 'Look-ups a second of each cache, by outcome.',
    unit: 'cps',
    queries: one(rate('segbench_cache_requests_total', 'cache, outcome'), '{{cache}} {{outcome}}'),
  },
  {
    title: 'Warnings',
    description:
      'Warnings of Node, such as of listeners that are never taken away, and children that died while they decoded an upload.',
    unit: 'short',
    queries: [
      { expr: summed('increase', 'segbench_process_warnings_total', {}, 'name')(AUTO), legend: '{{name}}' },
      { expr: summed('increase', 'segbench_decoders_lost_total')(AUTO), legend: 'decoders lost' },
    ],
  },
];

export const OVERVIEW: DashboardSpec = {
  uid: 'segbench-overview',
  title: 'segbench: overview',
  description: 'Whether it works, whether it keeps its budgets, and what is asked of it.',
  from: 'now-3h',
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'Budgets', panels: [...LIVE_BUDGET_PANELS, BURN_PANEL] },
    { title: 'Requests and sockets', panels: HTTP_PANELS },
    { title: 'Processes', panels: PROCESSES },
  ],
};
