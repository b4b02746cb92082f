import { summed } from '../../prometheus/src/promql.ts';
import { AUTO, one, type DashboardSpec, type Query } from './panel.ts';

const POOL = 'segbench_inference';
const rate = (name: string, by = '', only = ''): string => summed('rate', `${POOL}_${name}`, { only }, by)(AUTO);
const quantiles = (name: string): Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({
    expr: `histogram_quantile(${q}, ${rate(`${name}_bucket`, 'le')})`,
    legend: `p${q * 100}`,
  }));

export const INFERENCE: DashboardSpec = {
  uid: 'segbench-inference',
  title: 'segbench: inference pool',
  description: 'Workers and their children, in Triton’s terms: a request is an image, an execution a batch.',
  from: 'now-3h',
  rows: [
    {
      title: 'Work',
      panels: [
        {
          title: 'Images',
          description: 'Images a second with a result, by worker process.',
          unit: 'cps',
          queries: one(rate('request_success_total', 'instance'), '{{instance}}'),
          stacked: true,
        },
        {
          title: 'Failures',
          description: 'Tries a second that failed, by code. An image is tried again where that may help.',
          unit: 'cps',
          queries: one(rate('request_failure_total', 'reason'), '{{reason}}'),
        },
        {
          title: 'Execution',
          description: 'Of an image in a child, without its wait.',
          unit: 's',
          queries: quantiles('execution_seconds'),
        },
        {
          title: 'Wait in the worker',
          description: 'Of an image for a child, before its execution.',
          unit: 's',
          queries: quantiles('queue_seconds'),
        },
        {
          title: 'Stages',
          description: 'Mean time of an image in each stage, from its upload to its event.',
          unit: 's',
          queries: one(
            `${summed('rate', 'segbench_stage_duration_seconds_sum', {}, 'stage')(AUTO)} / ${summed('rate', 'segbench_stage_duration_seconds_count', {}, 'stage')(AUTO)}`,
            '{{stage}}',
          ),
        },
        {
          title: 'Waiting and running',
          description: 'Images that workers have taken: waiting for a child, and in execution.',
          unit: 'short',
          queries: [
            { expr: `sum(${POOL}_pending_requests)`, legend: 'waiting' },
            { expr: `sum(${POOL}_in_flight)`, legend: 'running' },
            { expr: 'sum(segbench_worker_images_held)', legend: 'claimed' },
          ],
        },
      ],
    },
    {
      title: 'Children',
      panels: [
        {
          title: 'Utilisation',
          description:
            'Share of the time in which children had something to execute. Near 1 with a growing queue: more workers.',
          unit: 'percentunit',
          queries: one(
            `${rate('busy_seconds_total', 'instance')} / sum by (instance) (${POOL}_workers{state!="stopped"})`,
            '{{instance}}',
          ),
          max: 1,
        },
        {
          title: 'Children by state',
          description: 'Starting for long, again and again: they cannot load the model, or are killed.',
          unit: 'short',
          queries: one(`sum by (state) (${POOL}_workers)`, '{{state}}'),
          stacked: true,
        },
        {
          title: 'Restarts',
          description: 'Children started anew, for whatever reason: crashes, hangs, memory, a new model.',
          unit: 'short',
          queries: one(summed('increase', `${POOL}_worker_restarts_total`, {}, 'instance')(AUTO), '{{instance}}'),
        },
        {
          title: 'Memory of all children',
          description:
            'Resident memory of the children of each worker process, and what one image of 1024² is predicted to need at most.',
          unit: 'decbytes',
          queries: [
            { expr: `${POOL}_workers_bytes`, legend: '{{instance}}' },
            { expr: `max(${POOL}_memory_estimate_bytes)`, legend: 'predicted for one image' },
          ],
        },
        {
          title: 'Since the last job',
          description:
            'How long ago each worker process took a job or renewed the lease of one. Long while images wait: it is silent.',
          unit: 's',
          queries: one('time() - segbench_worker_active_timestamp_seconds', '{{instance}}'),
        },
        {
          title: 'What executes',
          description: 'Worker processes by provider, model and version.',
          unit: 'short',
          queries: one(
            `count by (pool, provider, model, version) (${POOL}_info)`,
            '{{pool}}/{{provider}}: {{model}} {{version}}',
          ),
          stacked: true,
        },
      ],
    },
    {
      title: 'Batches',
      panels: [
        {
          title: 'Mean batch',
          description: 'Images an execution. On a CPU 1 is right.',
          unit: 'short',
          queries: one(`${rate('count_total')} / ${rate('exec_count_total')}`, 'images'),
        },
        {
          title: 'Fill',
          description: 'Share of the places of all batches that had an image, since the start.',
          unit: 'percentunit',
          queries: one(`${POOL}_batch_fill_ratio`, '{{instance}}'),
          max: 1,
        },
        {
          title: 'Why batches went',
          description:
            'Batches a second: full, because a child was idle, because their first image had waited, or because one would be late.',
          unit: 'cps',
          queries: one(rate('flush_total', 'reason'), '{{reason}}'),
        },
        {
          title: 'Not let in, and given up',
          description:
            'Images a second that were refused, that waited too long, or that were cancelled before they ran.',
          unit: 'cps',
          queries: [
            { expr: rate('reject_total', 'reason'), legend: 'refused: {{reason}}' },
            { expr: rate('expired_total'), legend: 'waited too long' },
            { expr: rate('cancelled_total'), legend: 'cancelled' },
          ],
          width: 24,
        },
      ],
    },
  ],
};
