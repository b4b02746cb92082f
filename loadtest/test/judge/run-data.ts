/** A run that passes every budget with room to spare; tests change what they are about. */
import { BUDGETS } from '../../../scenarios/budgets.ts';
import type { BudgetName, BudgetSpec, Measurements, RunData } from '../../src/contract.ts';

/** Units small enough that the next value on either side is the nearest that can be measured. */
export function stepOf(spec: BudgetSpec): number {
  return spec.unit === 'ratio' ? 1e-6 : spec.unit === 'count' || spec.unit === 'bytes' ? 1 : 0.001;
}

/** A value well inside the limit. */
export function insideOf(spec: BudgetSpec): number {
  if (spec.operator === '=') return spec.limit;
  const isUpper = spec.operator === '<' || spec.operator === '<=';
  return isUpper ? spec.limit / 4 : spec.unit === 'ratio' ? (1 + spec.limit) / 2 : spec.limit * 4;
}

export function measurementsWith(changes: Partial<Record<BudgetName, number | null>> = {}): Measurements {
  const measurements: Measurements = {};
  for (const spec of BUDGETS) {
    const change = changes[spec.name];
    measurements[spec.name] = { actual: change === undefined ? insideOf(spec) : change };
  }
  return measurements;
}

export function runData(changes: Partial<RunData> = {}): RunData {
  const measurements = changes.measurements ?? measurementsWith();
  return {
    scenario: 'bulk-1000',
    client: 'optimized',
    seed: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:06:05.000Z',
    environment: {
      cpuModel: 'Test CPU',
      cores: 2,
      memoryBytes: 8e9,
      os: 'linux',
      node: 'v24.21.0',
      postgres: '18.4',
      redis: '7.0.15',
      browser: 'Chromium 153',
      inference: { pool: 'local', provider: 'cpu', model: 'nuclei/1', modelSha256: 'ab'.repeat(32) },
      provider: 'embedded',
      psiCpuSome: 0.6,
      notes: [],
    },
    images: {
      count: 1000,
      source: 'synthetic',
      bytes: 59e6,
      sha256OfSet: 'cd'.repeat(32),
      rejected: [],
      failedByCode: {},
    },
    delivery: {
      submitted: 1000,
      completed: 1000,
      failed: 0,
      terminalEventsReceived: 1000,
      duplicates: measurements.delivery_duplicates?.actual ?? 0,
      missing: measurements.delivery_missing?.actual ?? 0,
      sequenceGaps: 0,
    },
    accuracy: {
      dataset: 'synthetic',
      split: null,
      images: 64,
      ap50: 0.93,
      ap75: 0.81,
      meanIoU: 0.88,
      countErrorRatio: 0.02,
    },
    stages: {
      upload: { count: 1000, p50Ms: 12, p95Ms: 30, p99Ms: 50, maxMs: 80, cpuMsPerImage: 3 },
      wait: { count: 1000, p50Ms: 6000, p95Ms: 12_000, p99Ms: 13_000, maxMs: 13_200, cpuMsPerImage: null },
      infer: { count: 1000, p50Ms: 22, p95Ms: 60, p99Ms: 80, maxMs: 120, cpuMsPerImage: 25 },
    },
    clientSummary: {
      settleMs: 180,
      settleFromStartMs: 1900,
      batchSettleMs: 150,
      toasts: 2,
      apiCalls: { 'GET /api/projects/:id/index': 2, 'POST /api/segmentation/batch/results': 4 },
      bulkCalls: 4,
      resultBytesWire: 4_000_000,
      heapRetainedBytes: 30e6,
      heapPeakBytes: 60e6,
      rendererPssBytes: 120e6,
      domNodesMax: 900,
      longFrames: 0,
      blockingMs: 0,
      framesP95Ms: 17,
      inpMs: 40,
    },
    efficiency: { cpuRatio: 0.82, imagesPerSecond: 45, rawImagesPerSecond: 60, throughputRatio: 0.75 },
    process: { api: { rssPeakBytes: 140e6, cpuSeconds: 9 }, worker: { rssPeakBytes: 300e6, cpuSeconds: 30 } },
    phases: [
      { name: 'upload', startedAt: '2026-01-02T03:04:06.000Z', durationMs: 9000 },
      { name: 'batch', startedAt: '2026-01-02T03:04:15.000Z', durationMs: 24_000 },
      { name: 'burst', startedAt: '2026-01-02T03:04:39.000Z', durationMs: 3000 },
    ],
    ...changes,
    measurements,
  };
}
