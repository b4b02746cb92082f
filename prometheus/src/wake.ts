import { duration, runbookOf, type AlertRule, type RuleOptions } from './rule.ts';

const OLDEST_SECONDS = 600;
const STUCK_SECONDS = 300;
const FAILED_SHARE = 0.1;
const FAILED_SECONDS = 600;
const FAILED_LEAST = 20;
const DISK_FREE = 0.1;
const QUEUE_MEMORY = 0.8;
const SILENT_SECONDS = 120;
const ENDED = 'segbench_events_total{status=~"completed|failed|cancelled"}';
const FAILED = 'segbench_events_total{status="failed"}';
const DECIDED = 'segbench_events_total{status=~"completed|failed"}';

/**
 * What wakes somebody: something is lost or stands still, and does not mend itself. Written by hand; each has one symptom, so that a
 * fault fires the alert that names it. Images are counted where their end is told to readers, so a stuck sequencer is no progress.
 */
export function wakingAlerts(options: RuleOptions): AlertRule[] {
  const hurried = (seconds: number) => seconds / options.hurry;
  const range = duration(hurried(FAILED_SECONDS));
  const alert = (name: string, expr: string, forSeconds: number, summary: string, description: string): AlertRule => ({
    alert: name,
    expr,
    for: duration(forSeconds),
    labels: { severity: 'page' },
    annotations: { summary, description, runbook_url: runbookOf(options, name) },
  });
  return [
    alert(
      'SegbenchOldestJob',
      `max (segbench_queue_oldest_job_age_seconds) > ${hurried(OLDEST_SECONDS)}`,
      hurried(60),
      'A job has waited {{ $value | humanizeDuration }} for a worker',
      'In Redis wait as many jobs as are worked off in a second, 64 at least: at the ten images a minute of the budget, none waits for seven minutes.',
    ),
    alert(
      'SegbenchNoProgress',
      `max (segbench_queue_depth) > 0\nunless\n  sum (increase(${ENDED}[1m])) > 0`,
      hurried(STUCK_SECONDS),
      '{{ $value | humanize }} images wait, and none has ended for minutes',
      'No image was told to have ended, whether completed, failed or cancelled, while images of batches that are not paused wait.',
    ),
    alert(
      'SegbenchFailureRatio',
      [
        `  sum (increase(${FAILED}[${range}])) / sum (increase(${DECIDED}[${range}])) > ${FAILED_SHARE}`,
        `and\n  sum (increase(${DECIDED}[${range}])) >= ${FAILED_LEAST}`,
      ].join('\n'),
      30,
      '{{ $value | humanizePercentage }} of the images of the last ten minutes failed',
      `More than ${FAILED_SHARE * 100} % of at least ${FAILED_LEAST} images ended as failed, after all their tries.`,
    ),
    alert(
      'SegbenchDisk',
      [
        `  min (segbench_storage_free_bytes / segbench_storage_size_bytes) < ${DISK_FREE}`,
        'or',
        // a line through an hour, where there is an hour to draw it through
        '  (',
        '    min (predict_linear(segbench_storage_free_bytes[1h], 4 * 3600) / segbench_storage_size_bytes) < 0',
        '  and min (segbench_storage_free_bytes / segbench_storage_size_bytes) < 0.5',
        '  and min (segbench_storage_free_bytes offset 30m) > 0',
        '  )',
      ].join('\n'),
      hurried(300),
      'The disk of DATA_DIR is full soon',
      `Less than ${DISK_FREE * 100} % is free, or at the pace of the last hour nothing is in four hours. A full disk refuses uploads and exports with 507.`,
    ),
    alert(
      'SegbenchWorkerSilent',
      [
        '  up{job="segbench-worker"} == 0',
        'or',
        // one that lives and takes nothing, while others do: else it is no progress
        '  (',
        `    time() - segbench_worker_active_timestamp_seconds > ${SILENT_SECONDS}`,
        '  and on () max (segbench_queue_depth) > 0',
        `  and on () sum (increase(${DECIDED}[2m])) > 0`,
        '  )',
        'or',
        // the last one is gone from the list of targets as well
        '  (max (segbench_workers_reporting) == 0 unless on () count (up{job="segbench-worker"} == 1))',
      ].join('\n'),
      60,
      'A worker says nothing{{ with $labels.instance }}: {{ . }}{{ end }}',
      'It does not answer, or takes no job while others do, or there is none at all.',
    ),
    alert(
      'SegbenchQueueMemory',
      'max (segbench_redis_memory_used_bytes{server="queue"} / segbench_redis_memory_limit_bytes{server="queue"}) > ' +
        QUEUE_MEMORY,
      60,
      'The queue’s Redis is {{ $value | humanizePercentage }} full',
      'It evicts nothing (noeviction): when it is full, no job can be added or taken.',
    ),
    alert(
      'SegbenchProcessDown',
      '  up{job=~"segbench-(api|relay)"} == 0\nor\n  absent(segbench_relay_leader == 1)',
      60,
      '{{ with $labels.job }}{{ . }} {{ $labels.instance }} does not answer{{ else }}No relay leads{{ end }}',
      'An API process or a relay does not answer, or no relay leads: without one no job reaches a worker and no event a reader.',
    ),
  ];
}
