import type { Case, Moment } from './promtool.ts';
import { counter, gauge, line, type InputSeries, type Phase } from './series.ts';

const INTERVAL = '30s';
const minutes = (count: number): number => 2 * count;
const over = (...parts: readonly (readonly [minutes: number, value: number])[]): Phase[] =>
  parts.map(([length, value]) => [minutes(length), value]);

const ALL = 65;
const HEALTHY: readonly InputSeries[] = [
  gauge('up{job="segbench-api",instance="api"}', over([ALL, 1])),
  gauge('up{job="segbench-relay",instance="relay"}', over([ALL, 1])),
  gauge('up{job="segbench-worker",instance="w1"}', over([ALL, 1])),
  gauge('up{job="segbench-worker",instance="w2"}', over([ALL, 1])),
  gauge('segbench_relay_leader{job="segbench-relay",instance="relay"}', over([ALL, 1])),
  gauge('segbench_workers_reporting', over([ALL, 2])),
  gauge('segbench_queue_depth', over([ALL, 40])),
  gauge('segbench_queue_oldest_job_age_seconds', over([ALL, 3])),
  line('segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w1"}', 0, 30, minutes(ALL)),
  line('segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w2"}', 0, 30, minutes(ALL)),
  counter('segbench_events_total{status="completed"}', over([ALL, 20])),
  counter('segbench_events_total{status="failed"}', over([ALL, 0])),
  counter('segbench_events_total{status="cancelled"}', over([ALL, 0])),
  gauge('segbench_storage_size_bytes', over([ALL, 100e9])),
  gauge('segbench_storage_free_bytes', over([ALL, 40e9])),
  gauge('segbench_redis_memory_used_bytes{server="queue"}', over([ALL, 20e6])),
  gauge('segbench_redis_memory_limit_bytes{server="queue"}', over([ALL, 100e6])),
];

/** The healthy service but for some series; one with empty values is not there. */
function wakeCase(name: string, different: readonly InputSeries[], moments: readonly Moment[]): Case {
  const names = new Set(different.map(({ series }) => series));
  const rest = HEALTHY.filter(({ series }) => !names.has(series));
  return { name, interval: INTERVAL, series: [...rest, ...different.filter(({ values }) => values !== '')], moments };
}
const quietThenFiring = (alert: string, quiet: string, firing: string, recovered: string): Moment[] => [
  { at: quiet, firing: [] },
  { at: firing, firing: [alert] },
  { at: recovered, firing: [] },
];
const oldest = (...parts: readonly (readonly [number, number])[]) =>
  gauge('segbench_queue_oldest_job_age_seconds', over(...parts));
const events = (status: string, ...parts: readonly (readonly [number, number])[]) =>
  counter(`segbench_events_total{status="${status}"}`, over(...parts));
const ended = events('completed', [10, 20], [12, 0], [20, 20]);

export const WAKE_CASES: readonly Case[] = [
  wakeCase(
    'a healthy service wakes nobody',
    [],
    [
      { at: '30m', firing: [] },
      { at: '1h', firing: [] },
    ],
  ),
  wakeCase(
    'a job waits too long',
    [oldest([10, 30], [5, 700], [10, 2])],
    quietThenFiring('SegbenchOldestJob', '10m', '14m', '16m'),
  ),
  wakeCase(
    'a job waits for long, but not too long',
    [oldest([10, 30], [20, 590], [10, 2])],
    [{ at: '29m', firing: [] }],
  ),
  wakeCase(
    'nothing ends while images wait',
    [ended],
    [
      { at: '9m', firing: [] },
      // not yet five minutes
      { at: '14m', firing: [] },
      { at: '18m', firing: ['SegbenchNoProgress'] },
      { at: '24m', firing: [] },
    ],
  ),
  wakeCase(
    'nothing ends because nothing waits',
    [ended, gauge('segbench_queue_depth', over([ALL, 0]))],
    [
      { at: '18m', firing: [] },
      { at: '21m', firing: [] },
    ],
  ),
  wakeCase(
    'images fail',
    [events('completed', [10, 20], [10, 10], [30, 20]), events('failed', [10, 0], [10, 10], [30, 0])],
    quietThenFiring('SegbenchFailureRatio', '9m', '18m', '35m'),
  ),
  wakeCase(
    'one image in thirty fails',
    [events('completed', [10, 20], [20, 29]), events('failed', [10, 0], [20, 1])],
    [{ at: '29m', firing: [] }],
  ),
  wakeCase(
    'the only image fails',
    [
      events('completed', [40, 0]),
      events('failed', [10, 0], [0.5, 1], [30, 0]),
      gauge('segbench_queue_depth', over([ALL, 0])),
    ],
    [
      { at: '12m', firing: [] },
      { at: '19m', firing: [] },
    ],
  ),
  wakeCase(
    'the disk is nearly full',
    [gauge('segbench_storage_free_bytes', over([10, 40e9], [10, 5e9], [10, 40e9]))],
    // a fall by itself is no trend before it has lasted
    quietThenFiring('SegbenchDisk', '9m', '19m', '22m'),
  ),
  wakeCase(
    'the disk will be full in four hours',
    [line('segbench_storage_free_bytes', 45e9, -150e6, minutes(ALL))],
    [
      { at: '20m', firing: [] },
      { at: '60m', firing: ['SegbenchDisk'] },
    ],
  ),
  wakeCase(
    'a worker does not answer',
    [gauge('up{job="segbench-worker",instance="w2"}', over([10, 1], [5, 0], [10, 1]))],
    quietThenFiring('SegbenchWorkerSilent', '9m', '12m', '16m'),
  ),
  wakeCase(
    'a worker takes nothing while the other does',
    [
      {
        series: 'segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w2"}',
        values: `0+30x${minutes(10) - 1} 600+0x${minutes(10) - 1} 1200+30x${minutes(10)}`,
      },
    ],
    quietThenFiring('SegbenchWorkerSilent', '11m', '14m', '21m'),
  ),
  wakeCase(
    'a worker takes nothing because nothing waits',
    [
      gauge('segbench_queue_depth', over([ALL, 0])),
      gauge('segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w2"}', over([ALL, 0])),
    ],
    [{ at: '30m', firing: [] }],
  ),
  wakeCase(
    'the last worker is gone from the targets',
    [
      { series: 'up{job="segbench-worker",instance="w1"}', values: `1+0x${minutes(10) - 1} stale` },
      { series: 'up{job="segbench-worker",instance="w2"}', values: `1+0x${minutes(10) - 1} stale` },
      { series: 'segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w1"}', values: '' },
      { series: 'segbench_worker_active_timestamp_seconds{job="segbench-worker",instance="w2"}', values: '' },
      gauge('segbench_workers_reporting', over([10, 2], [5, 0], [10, 2])),
    ],
    quietThenFiring('SegbenchWorkerSilent', '9m', '12m', '16m'),
  ),
  wakeCase(
    'the queue’s Redis is nearly full',
    [gauge('segbench_redis_memory_used_bytes{server="queue"}', over([10, 20e6], [5, 85e6], [10, 20e6]))],
    quietThenFiring('SegbenchQueueMemory', '9m', '12m', '16m'),
  ),
  wakeCase(
    'the cache’s Redis is full, as it should be',
    [
      gauge('segbench_redis_memory_used_bytes{server="cache"}', over([ALL, 99e6])),
      gauge('segbench_redis_memory_limit_bytes{server="cache"}', over([ALL, 100e6])),
    ],
    [{ at: '30m', firing: [] }],
  ),
  wakeCase(
    'an API process does not answer',
    [gauge('up{job="segbench-api",instance="api"}', over([10, 1], [5, 0], [10, 1]))],
    quietThenFiring('SegbenchProcessDown', '9m', '12m', '16m'),
  ),
  wakeCase(
    'no relay leads',
    [gauge('segbench_relay_leader{job="segbench-relay",instance="relay"}', over([10, 1], [5, 0], [10, 1]))],
    quietThenFiring('SegbenchProcessDown', '9m', '12m', '16m'),
  ),
];
