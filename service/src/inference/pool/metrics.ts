import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../../metrics.ts';
import { FAILURE_CODE_NAMES, type FailureCode } from '../../contract/common.ts';
import { bytesOf } from './cost.ts';
import { WORKER_STATES, type InferenceBackend, type InferenceOutput } from './backend.ts';

/** Shape whose memory and time estimates are shown. */
const SHOWN = { width: 1024, height: 1024 };

/**
 * What a pool says of itself, in Triton's terms (`nv_inference_*`): a request is an image, an inference one that was executed, an
 * execution a batch. Waiting and executing are apart. Counters are read from the pool when they are asked for.
 */
export function createPoolMetrics({ registers }: Metrics, stats: InferenceBackend['stats']) {
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name: `segbench_inference_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const byReason = (name: string, help: string, read: () => Readonly<Record<string, number>>) =>
    new Counter({
      name: `segbench_inference_${name}`,
      help,
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count);
      },
    });
  const gauge = (name: string, help: string, read: () => number | null) =>
    new Gauge({
      name: `segbench_inference_${name}`,
      help,
      registers,
      collect() {
        const value = read();
        // a reset leaves a 0, which would be a value
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  counter('request_success_total', 'Images that were answered with a result.', () => stats().completed);
  counter('count_total', 'Images executed, again where a batch was tried apart.', () => stats().batches.inferences);
  counter('exec_count_total', 'Executions: batches given to a worker.', () => stats().batches.executions);
  byReason('flush_total', 'Why a batch went: size, idle, delay or deadline.', () => stats().batches.flushes);
  byReason('reject_total', 'Images that were not let in.', () => stats().batches.rejects);
  counter('expired_total', 'Images that waited too long for a worker.', () => stats().batches.expired);
  counter('cancelled_total', 'Images given up before they were executed.', () => stats().batches.cancelled);
  counter('worker_restarts_total', 'Workers started anew, whatever for.', () => stats().restarts);
  gauge('pending_requests', 'Images that wait for a worker.', () => stats().queued);
  gauge('in_flight', 'Images in execution.', () => stats().running);
  gauge('mean_batch', 'Inferences an execution, since the start.', () => stats().batches.meanBatch);
  gauge('batch_fill_ratio', 'Share of the places of all batches that had an image.', () => stats().batches.fill);
  gauge('memory_estimate_bytes', 'Predicted peak of a worker with one image of 1024².', () => {
    const { memory } = stats();
    return memory && bytesOf(memory, 1, SHOWN);
  });
  const memoryOf = (combine: (bytes: number[]) => number) => {
    const { workers } = stats();
    return workers.length === 0 ? null : combine(workers.map(({ rssBytes }) => rssBytes));
  };
  gauge('largest_worker_bytes', 'Resident memory of the largest worker.', () =>
    memoryOf((bytes) => Math.max(...bytes)),
  );
  gauge('workers_bytes', 'Resident memory of all workers of this process.', () =>
    memoryOf((bytes) => bytes.reduce((sum, one) => sum + one, 0)),
  );
  counter('busy_seconds_total', 'Time that workers had something to execute, all of them together.', () =>
    stats().workers.reduce((sum, { busyMs }) => sum + busyMs / 1000, 0),
  );
  new Gauge({
    name: 'segbench_inference_workers',
    help: 'Workers by what they do.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const { workers } = stats();
      for (const state of WORKER_STATES) this.set({ state }, workers.filter((worker) => worker.state === state).length);
    },
  });
  const failures = new Counter({
    name: 'segbench_inference_request_failure_total',
    help: 'Images that failed, by code.',
    labelNames: ['reason'] as const,
    registers,
  });
  // A series that begins at its first failure has no rate there.
  for (const reason of FAILURE_CODE_NAMES) failures.inc({ reason }, 0);
  const info = new Gauge({
    name: 'segbench_inference_info',
    help: 'What executes: always 1.',
    labelNames: ['pool', 'provider', 'model', 'version'] as const,
    registers,
  });
  const queue = new Histogram({
    name: 'segbench_inference_queue_seconds',
    help: 'Wait of an image for a worker of this process, before its execution.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });
  const batch = new Histogram({
    name: 'segbench_inference_batch_size',
    help: 'Images executed together with this one, itself included.',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  });
  return {
    inferred({ queueMs, batchSize }: InferenceOutput): void {
      queue.observe(queueMs / 1000);
      batch.observe(batchSize);
    },
    failed: (reason: FailureCode): void => failures.inc({ reason }),
    runs(what: { pool: string; provider: string; model: string; version: string }): void {
      info.reset();
      info.set(what, 1);
    },
  };
}
