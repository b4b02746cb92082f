/** Budgets of the scenarios that load the service beyond what it bears. `budgets-reliability.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';
import { SOAK_BUDGETS, SOAK_COUNTS } from './budgets-soak.ts';

const DESIGN = 'segbench: overload at twice the capacity keeps 90 % of the peak';
const OWN = 'segbench: as if nobody else were there';
const ROLLING = 'segbench: a rolling restart fails no request';
const WALL = 'segbench: a tenant sees its own';
const STORM = 'segbench: a storm of events reaches every reader, once, in few frames';
const SWEEP = 'segbench: what a plan stands on is whole';

export const OVERLOAD_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'overload_goodput_ratio',
    unit: 'ratio',
    timed: true,
    operator: '>=',
    limit: 0.9,
    description:
      'Requests answered a second at twice the capacity, by the most that were answered a second without overload',
    source: DESIGN,
  },
  {
    name: 'overload_p99_ratio',
    unit: 'ratio',
    timed: true,
    operator: '<=',
    limit: 3,
    description:
      'Latency of accepted requests from their intended start, 99th percentile without the first 2 s, by that of a light load',
    source: DESIGN,
  },
  {
    name: 'overload_other_answers',
    unit: 'count',
    operator: '=',
    limit: 0,
    description:
      'Answers that are neither 2xx nor 429 or 503 with Retry-After, broken connections and timeouts among them',
    source: DESIGN,
  },
  {
    name: 'overload_rss_growth_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 128e6,
    description: 'Growth of the API’s resident memory during the overload',
    source: DESIGN,
  },
  {
    name: 'overload_recovery_ms',
    unit: 'ms',
    operator: '<',
    limit: 10_000,
    description:
      'From the end of the overload until half of the requests are as quick again as before, within 1.5 times',
    source: DESIGN,
  },
  {
    name: 'idle_sockets_p95_ratio',
    unit: 'ratio',
    timed: true,
    operator: '<=',
    limit: 1.5,
    description:
      'Latency beside 1,000 idle sockets and a reader that never reads, 95th percentile, by that without them',
    source: OWN,
  },
  {
    name: 'idle_sockets_gaps',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Events that a reader beside them missed, saw twice or out of order',
    source: OWN,
  },
];

export const FAIRNESS_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'fairness_other_project_ratio',
    unit: 'ratio',
    timed: true,
    operator: '<',
    limit: 5,
    description: 'Time of a batch of 100 images behind one of 10,000 of another project, by its time alone',
    source: OWN,
  },
  {
    name: 'fairness_urgent_ratio',
    unit: 'ratio',
    timed: true,
    operator: '<',
    limit: 5,
    description:
      'Time of a batch of 100 images with priority 10 behind one of 10,000 of the same project, by its time alone',
    source: OWN,
  },
];

export const DRAIN_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'drain_failed_requests',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Requests that a client behind a balancer saw fail during a rolling restart; nothing is tried again',
    source: ROLLING,
  },
  {
    name: 'drain_images_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images that did not complete exactly once, and counters that differ from rows',
    source: ROLLING,
  },
  {
    name: 'drain_sequence_gaps',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Event numbers that a socket which was closed with 1001 and came back missed or saw twice',
    source: ROLLING,
  },
  {
    name: 'drain_bad_exits',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Processes that did not end with code 0, and sockets that were closed with another code than 1001',
    source: ROLLING,
  },
  {
    name: 'drain_exit_ms',
    unit: 'ms',
    operator: '<',
    limit: 12_000,
    description: 'From SIGTERM to the end of the slowest process',
    source: ROLLING,
  },
];

export const STORM_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'storm_events_missing',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images whose end a reader was not told of, over all readers',
    source: STORM,
  },
  {
    name: 'storm_duplicates',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images whose end a reader was told of more than once, over all readers',
    source: STORM,
  },
  {
    name: 'storm_sequence_gaps',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Event numbers that a reader missed or saw twice, and snapshots instead of what it missed',
    source: STORM,
  },
  {
    name: 'storm_frames_ratio',
    unit: 'ratio',
    operator: '<=',
    limit: 1.1,
    description: 'Frames with events that a reader got, by one for each window of 100 ms and for each 500 events',
    source: STORM,
  },
  {
    name: 'storm_delivery_p99_ms',
    unit: 'ms',
    operator: '<',
    limit: 2000,
    description: 'From the end of an image in the database until a reader had it, 99th percentile',
    source: STORM,
  },
  {
    name: 'storm_rss_growth_bytes',
    unit: 'bytes',
    operator: '<',
    limit: 128e6,
    description: 'Growth of the API’s resident memory during the storm',
    source: STORM,
  },
];

export const TENANT_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'tenants_small_ratio',
    unit: 'ratio',
    timed: true,
    operator: '<',
    limit: 5,
    description: 'Time of one tenant’s batch of 100 images beside another’s ten projects, by its time alone',
    source: OWN,
  },
  {
    name: 'tenants_foreign_events',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Events of another tenant’s images that a reader was told of',
    source: WALL,
  },
  {
    name: 'tenants_foreign_answers',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Requests for what another tenant has that were answered by anything but 404, or by `missing` in bulk',
    source: WALL,
  },
  {
    name: 'tenants_images_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images that did not complete, or whose end their own tenant was not told of exactly once',
    source: WALL,
  },
];

export const CAPACITY_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'capacity_images_wrong',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images of all levels that did not complete, and batches whose counters differ from counted rows',
    source: SWEEP,
  },
  {
    name: 'capacity_levels',
    unit: 'count',
    operator: '>=',
    limit: 6,
    description: 'Numbers of workers whose rate was measured: as many as the scalability law needs to be fitted',
    source: SWEEP,
  },
];

export const LOAD_BUDGETS: readonly BudgetSpec[] = [
  ...OVERLOAD_BUDGETS,
  ...FAIRNESS_BUDGETS,
  ...DRAIN_BUDGETS,
  ...SOAK_BUDGETS,
  ...SOAK_COUNTS,
  ...STORM_BUDGETS,
  ...TENANT_BUDGETS,
  ...CAPACITY_BUDGETS,
];
